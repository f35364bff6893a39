package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// child is a process of a system under test.
type child struct {
	cmd  *exec.Cmd
	name string
	log  string // file with what it says
	done chan struct{}
	err  error // how it ended, once done is closed
}

// order is how to start a child.
type order struct {
	name string
	argv []string
	dir  string // of its log
	env  []string
	out  io.Writer // its standard output; nil: the log
	in   io.Reader
}

// launch starts a child that ends with ctx.
func launch(ctx context.Context, o order) (*child, error) {
	c := &child{name: o.name, log: filepath.Join(o.dir, o.name+".log"), done: make(chan struct{})}
	log, err := os.Create(c.log)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", o.name, err)
	}
	c.cmd = exec.CommandContext(ctx, o.argv[0], o.argv[1:]...)
	c.cmd.Env = append(os.Environ(), o.env...)
	c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = o.in, log, log
	if o.out != nil {
		c.cmd.Stdout = o.out
	}
	c.cmd.Cancel = func() error { return c.cmd.Process.Signal(syscall.SIGTERM) }
	c.cmd.WaitDelay = 5 * time.Second
	if err := c.cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", o.name, err), log.Close())
	}
	go func() {
		c.err = errors.Join(c.cmd.Wait(), log.Close())
		close(c.done)
	}()
	return c, nil
}

// stop ends the child: politely, and after five seconds not so.
func (c *child) stop() {
	_ = c.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	select {
	case <-c.done:
	case <-time.After(5 * time.Second):
		_ = c.cmd.Process.Kill()
		<-c.done
	}
}

// ended is why a child that should run does not.
func (c *child) ended() error {
	select {
	case <-c.done:
		return fmt.Errorf("%s ended: %w; the end of its log: %s", c.name, c.err, tail(c.log, 800))
	default:
		return nil
	}
}

// tail is the last n bytes of a file.
func tail(path string, n int) string {
	text := file(path)
	return strings.TrimSpace(text[max(0, len(text)-n):])
}

// memory is the child's resident memory in bytes.
func (c *child) memory() int64 {
	status := file(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	kb, _ := strconv.ParseInt(strings.TrimSuffix(field(status, "VmRSS"), " kB"), 10, 64) // 0 when it is not told
	return kb * 1024
}

// cpu is the processor time that the child has used. The kernel counts in
// hundredths of a second.
func (c *child) cpu() time.Duration {
	_, after, _ := strings.Cut(file(fmt.Sprintf("/proc/%d/stat", c.cmd.Process.Pid)), ") ")
	f := strings.Fields(after)
	if len(f) < 13 {
		return 0
	}
	user, _ := strconv.ParseInt(f[11], 10, 64)
	system, _ := strconv.ParseInt(f[12], 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond
}

// freePort is a TCP port that nobody listens on now.
func freePort(ctx context.Context) (int, error) {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	return ln.Addr().(*net.TCPAddr).Port, ln.Close()
}

// listens waits until somebody listens on addr.
func (c *child) listens(ctx context.Context, addr string) error {
	return c.until(ctx, 30*time.Second, "listen on "+addr, func() bool {
		conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", addr)
		if err != nil {
			return false
		}
		_ = conn.Close()
		return true
	})
}

// until waits for what the child is to do.
func (c *child) until(ctx context.Context, within time.Duration, what string, is func() bool) error {
	if ok := poll(ctx, within, 50*time.Millisecond, func() bool { return is() || c.ended() != nil }); !ok {
		return fmt.Errorf("%s did not %s within %v; the end of its log: %s", c.name, what, within, tail(c.log, 800))
	}
	return c.ended()
}

// poll asks every step until is says yes; it is false when time ran out or ctx
// ended.
func poll(ctx context.Context, within, step time.Duration, is func() bool) bool {
	end := time.Now().Add(within)
	for !is() {
		if time.Now().After(end) || !pause(ctx, step) {
			return false
		}
	}
	return true
}

// pause waits for d; it is false when ctx ended meanwhile.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
