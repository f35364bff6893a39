package main

import (
	"database/sql"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/keng-vn/keng/internal/village/radio"
)

// TestStopsInTimeWhateverHangs sends SIGTERM to a Keng whose database is locked by
// another program, while an MQTT client reads nothing, somebody sent half a request
// and a screen listens. It exits with 0 within five seconds, and the press that was
// not acknowledged is not lost: it is sent again.
func TestStopsInTimeWhateverHangs(t *testing.T) {
	data := t.TempDir()
	importVillage(t, data, 1, 2)
	token := keng(t, "token", "create", "--role", "desk", "--unit", "04792", "--data", data)
	p := startKeng(t, nil, nil, "--data", data)
	b := newPresser(t, p)

	screen, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.http+"/api/v1/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	screen.Header.Set("Authorization", "Bearer "+token)
	stream, err := http.DefaultClient.Do(screen)
	if err != nil || stream.StatusCode != http.StatusOK {
		t.Fatalf("stream: %v, %v", stream, err)
	}
	defer func() { _ = stream.Body.Close() }()

	half, err := net.Dial("tcp", strings.TrimPrefix(p.http, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = half.Close() }()
	if _, err := half.Write([]byte("POST /api/v1/incidents HTTP/1.1\r\nHost: keng\r\nAuthorization: Bearer " + token + "\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")); err != nil {
		t.Fatal(err)
	}
	deaf := deafClient(t, p)
	defer func() { _ = deaf.Close() }()

	db, err := sql.Open("sqlite", "file:"+filepath.Join(data, "keng.db"))
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	defer func() { _ = db.Close() }()
	lock, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock.ExecContext(t.Context(), `UPDATE device_hub SET salt = salt`); err != nil {
		t.Fatal(err)
	}
	b.press("g1-h1")
	b.wait("siren", b.rings)

	began := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	limit := time.AfterFunc(20*time.Second, p.kill)
	defer limit.Stop()
	err = p.cmd.Wait()
	if took := time.Since(began); err != nil || took > 5*time.Second {
		t.Errorf("ended after %v: %v\n%s", took, err, p.errors())
	} else {
		t.Logf("ended after %v", took)
	}
	select {
	case <-b.acks:
		t.Error("a press was acknowledged and is not on disk")
	default:
	}
	if err := lock.Rollback(); err != nil {
		t.Fatal(err)
	}
	p = startKeng(t, p, nil, "--data", data)
	again := newPresser(t, p)
	again.press("g1-h1") // the same number: the hub sends it again
	again.wait("siren", again.rings)
	again.wait("PUBACK", again.acks)
	checkAudit(t, data)
}

// deafClient hears everything and reads nothing, until its socket is full.
func deafClient(t *testing.T, p *process) net.Conn {
	t.Helper()
	nc, err := net.Dial("tcp", p.mqtt)
	if err != nil {
		t.Fatal(err)
	}
	_ = nc.(*net.TCPConn).SetReadBuffer(4 << 10)
	hello := []byte("\x00\x04MQTT\x04\xc2\x00\x3c\x00\x04deaf\x00\x07alley12\x00\x08" + hubPassword)
	if _, err := nc.Write(append([]byte{0x10, byte(len(hello))}, hello...)); err != nil {
		t.Fatal(err)
	}
	if _, err := nc.Write([]byte("\x82\x06\x00\x01\x00\x01#\x00")); err != nil {
		t.Fatal(err)
	}
	loud := dialHub(t, p.mqtt, nil)
	defer loud.Cut()
	for range 200 {
		if _, err := loud.Publish(radio.Message{Topic: "noise", Payload: make([]byte, 32<<10)}); err != nil {
			t.Fatal(err)
		}
	}
	return nc
}
