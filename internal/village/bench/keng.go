package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/keng-vn/keng/internal/village/radio"
)

func findKeng(ctx context.Context, o Options) (string, error) {
	out, err := exec.CommandContext(ctx, o.Keng, "version").Output() // #nosec G204 -- the operator names it
	if err != nil {
		return "", fmt.Errorf("%s does not run: %w", o.Keng, err)
	}
	return "keng " + strings.TrimSpace(string(out)), nil
}

// prepared is a data folder with the village in it, to be copied for each run.
type prepared struct {
	dir   string
	token string // of the duty desk
	empty int64  // bytes of memory of a Keng that knows nobody
}

// prepare imports the village with Keng's own commands.
func prepare(ctx context.Context, o Options, dir string) (prepared, error) {
	p := prepared{dir: filepath.Join(dir, "village")}
	file := filepath.Join(dir, "village.yaml")
	var text bytes.Buffer
	if err := madeUp(o.Groups, o.Idle).Write(&text); err != nil {
		return p, err
	}
	if err := os.WriteFile(file, text.Bytes(), 0o600); err != nil {
		return p, fmt.Errorf("write the village: %w", err)
	}
	if _, err := command(ctx, o, "import", "village", file, "--data", p.dir, "--lang", "en"); err != nil {
		return p, err
	}
	token, err := command(ctx, o, "token", "create", "--role", "desk", "--unit", string(commune), "--name", "bench", "--data", p.dir)
	p.token = strings.TrimSpace(token)
	return p, err
}

// command runs Keng and returns what it prints.
func command(ctx context.Context, o Options, args ...string) (string, error) {
	c := exec.CommandContext(ctx, o.Keng, args...) // #nosec G204 -- the operator names it
	var says bytes.Buffer
	c.Stderr = &says
	out, err := c.Output()
	if err != nil {
		return "", fmt.Errorf("keng %s: %w: %s", args[0], err, strings.TrimSpace(says.String()))
	}
	return string(out), nil
}

// startKeng serves a copy of the prepared village.
func startKeng(ctx context.Context, s *site, dir string) (*front, error) {
	data := filepath.Join(dir, "data")
	if err := os.CopyFS(data, os.DirFS(s.village.dir)); err != nil {
		return nil, fmt.Errorf("copy the village: %w", err)
	}
	f, api, err := serve(ctx, s.Options, dir, data)
	if err != nil {
		return nil, err
	}
	l := &api1{base: api, token: s.village.token, client: &http.Client{Timeout: time.Minute}}
	f.ledger = l
	if f.screen, err = l.look(ctx); err != nil {
		f.stop()
		return nil, err
	}
	return f, nil
}

// serve starts keng serve on data and waits until it says that it is ready.
func serve(ctx context.Context, o Options, dir, data string) (*front, string, error) {
	read, write := io.Pipe()
	c, err := launch(ctx, order{name: "keng", argv: []string{o.Keng, "serve", "--data", data, "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0"}, dir: dir, out: write})
	if err != nil {
		return nil, "", err
	}
	line := make(chan string, 1)
	go func() {
		var http, mqtt string
		_, _ = fmt.Fscanf(read, "keng: ready http=%s mqtt=%s\n", &http, &mqtt) // empty: the log says why
		line <- http + " " + mqtt
		_, _ = io.Copy(io.Discard, read)
	}()
	go func() {
		<-c.done
		_ = write.Close()
	}()
	select {
	case said := <-line:
		api, mqtt, _ := strings.Cut(said, " ")
		if mqtt == "" {
			c.stop()
			return nil, "", fmt.Errorf("keng serve did not get ready: %s", tail(c.log, 800))
		}
		return &front{addr: mqtt, procs: []*child{c}, ways: kengWays()}, api, nil
	case <-time.After(time.Minute):
	case <-ctx.Done():
	}
	c.stop()
	return nil, "", fmt.Errorf("keng serve did not get ready: %s", tail(c.log, 800))
}

func kengWays() ways {
	return ways{
		signsIn: true,
		press: func(g, n int) radio.Message {
			return radio.Message{Topic: topicOf(buttonName(g)), Payload: fmt.Appendf(nil, `{"event":"press","n":%d}`, n), QoS: 1}
		},
		hears: func(g, k int) string { return orderTopic(sirenName(g, k)) },
	}
}

// emptyMemory is the memory of a Keng that knows nobody, in bytes.
func emptyMemory(ctx context.Context, o Options, dir string) (int64, error) {
	f, _, err := serve(ctx, o, dir, filepath.Join(dir, "empty"))
	if err != nil {
		return 0, err
	}
	defer f.stop()
	f.quiet(ctx)
	return f.memory(), ctx.Err()
}

// api1 asks Keng's API with the token of a duty desk.
type api1 struct {
	base   string
	token  string
	client *http.Client
}

// most is how many incidents the API lists at once.
const most = 1000

func (a *api1) list(ctx context.Context) ([]string, error) {
	var list []struct {
		ID string `json:"id"`
	}
	if err := a.do(ctx, http.MethodGet, fmt.Sprintf("/api/v1/incidents?state=open&limit=%d", most), "", &list); err != nil {
		return nil, fmt.Errorf("list incidents: %w", err)
	}
	ids := make([]string, 0, len(list))
	for _, i := range list {
		ids = append(ids, i.ID)
	}
	return ids, nil
}

// Open implements ledger.
func (a *api1) Open(ctx context.Context) (int, error) {
	ids, err := a.list(ctx)
	return len(ids), err
}

// Close implements ledger. A desk closes each incident as a test.
func (a *api1) Close(ctx context.Context) error {
	for {
		ids, err := a.list(ctx)
		if err != nil || len(ids) == 0 {
			return err
		}
		if err := each(len(ids), 8, func(i int) error {
			return a.do(ctx, http.MethodPost, "/api/v1/incidents/"+ids[i]+"/close", `{"cause":"test"}`, nil)
		}); err != nil {
			return fmt.Errorf("close incidents: %w", err)
		}
	}
}

func (a *api1) do(ctx context.Context, method, path, body string, into any) (err error) {
	r, err := a.request(ctx, method, path, body)
	if err != nil {
		return err
	}
	res, err := a.client.Do(r)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s: %s", res.Status, text)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(text, into)
}

func (a *api1) request(ctx context.Context, method, path, body string) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, method, a.base+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+a.token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return r, nil
}

// each calls f for 0..n-1 from a few goroutines, stops at the first error and
// returns it.
func each(n, workers int, f func(i int) error) error {
	var (
		mu    sync.Mutex
		next  int
		first error
		crew  sync.WaitGroup
	)
	take := func() (int, bool) {
		mu.Lock()
		defer mu.Unlock()
		next++
		return next - 1, next <= n && first == nil
	}
	for range min(workers, n) {
		crew.Go(func() {
			for i, ok := take(); ok; i, ok = take() {
				if err := f(i); err != nil {
					mu.Lock()
					if first == nil {
						first = err
					}
					mu.Unlock()
				}
			}
		})
	}
	crew.Wait()
	return first
}
