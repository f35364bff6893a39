package stories

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/keng-vn/keng/web"
)

// one is the browser of all stories; closing it is the end of them.
var one = sync.OnceValues(launch)

// chromium is a running browser.
type chromium struct {
	ctx   context.Context
	close func()
}

// errNone is a machine without Chromium.
var errNone = errors.New("no Chromium on this machine; Debian: apt-get install chromium")

func TestMain(m *testing.M) {
	status := m.Run()
	if started() {
		if b, err := one(); err == nil {
			b.close()
		}
	}
	os.Exit(status)
}

// asked remembers whether any story wanted the browser.
var asked sync.Map

func started() bool { _, ok := asked.Load("browser"); return ok }

// launch starts Chromium as a machine without a screen and without a network needs
// it: no sandbox (the tests may run as root), a software GPU for the map.
func launch() (*chromium, error) {
	asked.Store("browser", true)
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		return nil, errNone
	}
	profile, err := os.MkdirTemp("", "keng-stories-")
	if err != nil {
		return nil, err
	}
	flags := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path), chromedp.UserDataDir(profile), chromedp.NoSandbox, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.Flag("headless", "new"), chromedp.Flag("use-angle", "swiftshader"), chromedp.Flag("accept-lang", "vi-VN,vi"), chromedp.Flag("lang", "vi"),
		chromedp.Flag("disable-features", "Translate,OptimizationHints,MediaRouter"),
	}
	for _, name := range []string{
		"disable-gpu", "disable-quic", "disable-background-networking", "disable-component-update", "disable-sync", "disable-default-apps", "disable-extensions",
		"disable-dev-shm-usage", "disable-background-timer-throttling", "disable-backgrounding-occluded-windows", "disable-renderer-backgrounding",
		"enable-unsafe-swiftshader", "ignore-gpu-blocklist", "hide-scrollbars", "mute-audio", "metrics-recording-only", "no-pings",
		"use-fake-ui-for-media-stream", "use-fake-device-for-media-stream", // a microphone that beeps
	} {
		flags = append(flags, chromedp.Flag(name, true))
	}
	allocated, free := chromedp.NewExecAllocator(context.Background(), flags...)
	ctx, end := chromedp.NewContext(allocated)
	b := &chromium{ctx, func() {
		end()
		free()
		_ = os.RemoveAll(profile)
	}}
	if err := chromedp.Do(ctx); err != nil {
		b.close()
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	return b, nil
}

// theBrowser is the browser, or the end of the story on a machine without.
func theBrowser(t *testing.T) *chromium {
	t.Helper()
	if _, err := web.Manifest(web.Files()); errors.Is(err, fs.ErrNotExist) {
		t.Fatal("the screens are not built: run make web")
	} else if err != nil {
		t.Fatal(err)
	}
	b, err := one()
	if errors.Is(err, errNone) && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}
