package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/keng-vn/keng/internal/village/radio"
)

// needStrace skips where the tests' witness cannot look.
func needStrace(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("strace is not installed: apt-get install strace")
	}
}

// presser is one button on a connection of its own, and one siren on another.
type presser struct {
	t     *testing.T
	c     *radio.Client
	acks  chan uint16
	rings chan string // topics of commands to sound
	n     int
}

func newPresser(t *testing.T, p *process) *presser {
	t.Helper()
	b := &presser{t: t, acks: make(chan uint16, 64), rings: make(chan string, 64)}
	sirens := dialHub(t, p.mqtt, func(topic string, payload []byte, _ bool) {
		if !strings.Contains(string(payload), `"stop"`) {
			b.rings <- topic
		}
	})
	if err := sirens.Subscribe(t.Context(), "zigbee2mqtt/+/set"); err != nil {
		t.Fatal(err)
	}
	var err error
	b.c, err = radio.Dial(t.Context(), radio.Options{Addr: p.mqtt, ClientID: "presser", User: "alley12", Password: hubPassword, Acked: func(id uint16) { b.acks <- id }})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// press publishes a press of home and returns its number.
func (b *presser) press(home string) string {
	b.t.Helper()
	b.n++
	id := fmt.Sprintf("witness-%d", b.n)
	if _, err := b.c.Publish(radio.Message{Topic: "keng/" + home + "-button", Payload: fmt.Appendf(nil, `{"event":"press","id":%q}`, id), QoS: 1}); err != nil {
		b.t.Fatal(err)
	}
	return id
}

func (b *presser) wait(what string, ch any) {
	b.t.Helper()
	limit := time.After(30 * time.Second)
	switch ch := ch.(type) {
	case chan uint16:
		select {
		case <-ch:
		case <-limit:
			b.t.Fatalf("no %s", what)
		}
	case chan string:
		select {
		case <-ch:
		case <-limit:
			b.t.Fatalf("no %s", what)
		}
	}
}

// TestSyncBetweenPressAndAcknowledgement watches the process with strace: between
// every PUBLISH that it reads and the PUBACK that it writes lies a completed sync
// of the journal.
func TestSyncBetweenPressAndAcknowledgement(t *testing.T) {
	needStrace(t)
	const presses = 200
	data := t.TempDir()
	importVillage(t, data, 1, 2)
	trace := filepath.Join(t.TempDir(), "trace")
	p := startKeng(t, nil, []string{"strace", "-f", "-yy", "-s", "256", "-o", trace, "-e", "trace=fsync,fdatasync,read,write"}, "--data", data)
	b := newPresser(t, p)
	for range presses {
		b.press("g1-h1")
		b.wait("PUBACK", b.acks)
	}
	p.kill()
	seen := witness(t, trace)
	if len(seen) != presses {
		t.Fatalf("the witness saw %d presses, want %d", len(seen), presses)
	}
	for id, ok := range seen {
		if !ok {
			t.Errorf("%s was acknowledged before a sync of the journal", id)
		}
	}
}

// witness reads a trace: for each press that was read from a socket, whether a
// sync of the journal completed before the next PUBACK went out on that socket.
func witness(t *testing.T, trace string) map[string]bool {
	t.Helper()
	f, err := os.Open(trace)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	verdict := map[string]bool{}
	waiting, synced := "", false
	syncing := map[string]bool{} // threads inside a sync of the journal
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		pid, line, _ := strings.Cut(s.Text(), " ")
		line = strings.TrimSpace(line)
		isSync := strings.HasPrefix(line, "fsync(") || strings.HasPrefix(line, "fdatasync(")
		onJournal := strings.Contains(line, "keng.db")
		switch {
		case isSync && onJournal && strings.Contains(line, "<unfinished"):
			syncing[pid] = waiting != ""
		case isSync && onJournal && strings.Contains(line, "= 0"):
			synced = waiting != ""
		case strings.Contains(line, "sync resumed>") && strings.Contains(line, "= 0"):
			synced = synced || syncing[pid]
			delete(syncing, pid)
		case strings.Contains(line, `\"event\":\"press\"`) && (strings.HasPrefix(line, "read(") || strings.HasPrefix(line, "<... read resumed")):
			_, rest, _ := strings.Cut(line, "witness-")
			number := 0
			for number < len(rest) && rest[number] >= '0' && rest[number] <= '9' {
				number++
			}
			waiting, synced = "witness-"+rest[:number], false
			clear(syncing)
		case waiting != "" && strings.HasPrefix(line, "write(") && strings.Contains(line, "TCP:[") && strings.Contains(line, `"@\2\`):
			verdict[waiting] = synced
			waiting = ""
		}
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	return verdict
}

// TestSlowDiskRingsAllTheSame makes every sync take three seconds longer: sirens
// ring before the PUBACK, and the desk is told.
func TestSlowDiskRingsAllTheSame(t *testing.T) {
	needStrace(t)
	data := t.TempDir()
	importVillage(t, data, 1, 2)
	token := keng(t, "token", "create", "--role", "desk", "--unit", "04792", "--data", data)
	p := startKeng(t, nil, nil, "--data", data)
	b := newPresser(t, p)
	slow := attach(t, p, "-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:delay_exit=3000000")
	b.press("g1-h1")
	b.wait("siren", b.rings)
	b.wait("siren", b.rings)
	select {
	case <-b.acks:
		t.Error("the press was acknowledged before the slow sync was over")
	default:
	}
	until(t, "the desk is told of the slow disk", func() bool {
		_, body := p.get(token, "/api/v1/state")
		status, _ := p.get("", "/readyz")
		return strings.Contains(body, `"journal":{"ok":false`) && status == 503
	})
	b.wait("PUBACK", b.acks)
	slow()
	until(t, "all is well again", func() bool { status, _ := p.get("", "/readyz"); return status == 200 })
}

// TestFullDiskRingsAllTheSame lets every write of the journal fail with "no space
// left on device": sirens ring, nothing is acknowledged, the desk is told, and
// once there is room the press is written and acknowledged.
func TestFullDiskRingsAllTheSame(t *testing.T) {
	needStrace(t)
	data := t.TempDir()
	importVillage(t, data, 1, 2)
	token := keng(t, "token", "create", "--role", "desk", "--unit", "04792", "--data", data)
	p := startKeng(t, nil, nil, "--data", data)
	b := newPresser(t, p)
	full := attach(t, p, "-P", filepath.Join(data, "keng.db-wal"), "-e", "trace=pwrite64,write,ftruncate", "-e", "inject=pwrite64,write,ftruncate:error=ENOSPC")
	b.press("g1-h1")
	b.wait("siren", b.rings)
	b.wait("siren", b.rings)
	until(t, "the desk is told of the full disk", func() bool {
		_, body := p.get(token, "/api/v1/state")
		return strings.Contains(body, `"journal":{"ok":false`)
	})
	if status, body := p.get(token, "/api/v1/incidents?state=open"); status != 200 || !strings.Contains(body, `"group":"g1"`) {
		t.Errorf("the incident is not shown: %d %s", status, body)
	}
	select {
	case <-b.acks:
		t.Error("acknowledged on a full disk")
	default:
	}
	full()
	b.wait("PUBACK", b.acks)
	p.kill()
	p = startKeng(t, p, nil, "--data", data)
	if _, body := p.get(token, "/api/v1/incidents?state=open"); !strings.Contains(body, `"group":"g1"`) {
		t.Errorf("the press was acknowledged and is gone: %s", body)
	}
}

// attach hangs strace with args onto p; the returned func takes it off again.
func attach(t *testing.T, p *process, args ...string) func() {
	t.Helper()
	out := filepath.Join(t.TempDir(), "strace.log")
	log, err := os.Create(out)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("strace", append([]string{"-f", "-o", "/dev/null", "-p", strconv.Itoa(p.cmd.Process.Pid)}, args...)...) // #nosec G204 -- the test's own words
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = log.Close()
	until(t, "strace is attached", func() bool {
		b, err := os.ReadFile(out)
		return err == nil && strings.Contains(string(b), "attached")
	})
	detached := false
	off := func() {
		if !detached {
			detached = true
			_ = cmd.Process.Signal(syscall.SIGINT)
			_ = cmd.Wait()
		}
	}
	t.Cleanup(off)
	return off
}

// until polls what another process does.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !done(); {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
		pause(t.Context(), 20*time.Millisecond)
	}
}
