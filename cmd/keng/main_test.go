package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// beKeng makes this test binary be the program: tests start and kill it as a
// process of its own.
const beKeng = "KENG_TEST_BE_KENG"

func TestMain(m *testing.M) {
	if os.Getenv(beKeng) != "" {
		main()
		return
	}
	testscript.Main(m, map[string]func(){"keng": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script", RequireExplicitExec: true, Setup: func(e *testscript.Env) error {
		e.Setenv("KENG_TEST_PG", os.Getenv("KENG_TEST_PG"))
		return nil
	}})
}

// process is a running Keng that a test may kill.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	http string // http://127.0.0.1:port
	mqtt string // 127.0.0.1:port
	log  string // file with its standard error
}

// keng runs a command of the program and returns what it printed.
func keng(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...) // #nosec G204 -- the test itself
	cmd.Env = append(os.Environ(), beKeng+"=1")
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("keng %s: %v\n%s%s", strings.Join(args, " "), err, out, errs.String())
	}
	return strings.TrimSpace(string(out))
}

// startKeng starts "keng serve" on free ports, or on the ports of before, so that
// devices find it again; wrap, when given, is put before it (strace).
func startKeng(t *testing.T, before *process, wrap []string, args ...string) *process {
	t.Helper()
	p := &process{t: t}
	httpAddr, mqttAddr := "127.0.0.1:0", "127.0.0.1:0"
	if before != nil {
		httpAddr, mqttAddr = strings.TrimPrefix(before.http, "http://"), before.mqtt
	}
	line := append(append(append([]string{}, wrap...), os.Args[0], "serve", "--http", httpAddr, "--mqtt", mqttAddr), args...)
	p.cmd = exec.Command(line[0], line[1:]...) // #nosec G204 -- the test itself
	p.cmd.Env = append(os.Environ(), beKeng+"=1")
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.log = filepath.Join(t.TempDir(), "keng.log")
	log, err := os.Create(p.log)
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stderr = log
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = log.Close()
	t.Cleanup(p.kill)
	first := make(chan string, 1)
	go func() {
		s := bufio.NewScanner(out)
		if s.Scan() {
			first <- s.Text()
		}
		close(first)
		_, _ = io.Copy(io.Discard, out)
	}()
	select {
	case text := <-first:
		if _, err := fmt.Sscanf(text, "keng: ready http=%s mqtt=%s", &p.http, &p.mqtt); err != nil {
			t.Fatalf("keng said %q: %v\n%s", text, err, p.errors())
		}
	case <-time.After(30 * time.Second):
		t.Fatalf("keng did not get ready:\n%s", p.errors())
	}
	return p
}

func (p *process) errors() string {
	b, _ := os.ReadFile(p.log)
	return string(b)
}

// kill is a power cut for the process and whatever it was wrapped in.
func (p *process) kill() {
	if p.cmd.ProcessState != nil {
		return
	}
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	_ = p.cmd.Wait()
}

// get asks the API with a token and returns status and body.
func (p *process) get(token, path string) (int, string) {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, p.http+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	return p.do(token, r)
}

// post sends body to the API.
func (p *process) post(token, path, body string) (int, string) {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.http+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	return p.do(token, r)
}

func (p *process) do(token string, r *http.Request) (int, string) {
	p.t.Helper()
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		p.t.Fatalf("%v\n%s", err, p.errors())
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// TestSigtermDrains ends a running Keng with a screen and a device connected.
func TestSigtermDrains(t *testing.T) {
	data := t.TempDir()
	importVillage(t, data, 1, 2)
	token := keng(t, "token", "create", "--role", "desk", "--unit", "04792", "--data", data)
	p := startKeng(t, nil, nil, "--data", data)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.http+"/api/v1/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	hub := dialHub(t, p.mqtt, nil)
	start := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("exit: %v\n%s", err, p.errors())
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v to end", took)
	}
	<-hub.Done()
}

func TestUnknownCommand(t *testing.T) {
	var out, errs strings.Builder
	if code := run(t.Context(), env{out: &out, err: &errs, getenv: os.Getenv}, []string{"fly"}); code != 2 || !strings.Contains(errs.String(), "fly") {
		t.Errorf("code %d, said %q", code, errs.String())
	}
}
