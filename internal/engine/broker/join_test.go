package broker

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mochi-mqtt/server/v2/packets"
)

// mosquitto is a real broker on a loopback port.
type mosquitto struct {
	t    testing.TB
	addr string
	conf string
	cmd  *exec.Cmd
}

func startMosquitto(t testing.TB) *mosquitto {
	t.Helper()
	if _, err := exec.LookPath("mosquitto"); err != nil {
		t.Skip("mosquitto is not installed")
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	ln.Close()
	dir := t.TempDir()
	_, port, _ := net.SplitHostPort(addr)
	passwords := filepath.Join(dir, "passwords")
	if out, err := exec.Command("mosquitto_passwd", "-b", "-c", passwords, "alley", "pw-alley").CombinedOutput(); err != nil {
		t.Fatalf("mosquitto_passwd: %v: %s", err, out)
	}
	conf := filepath.Join(dir, "mosquitto.conf")
	text := fmt.Sprintf("user root\nlistener %s 127.0.0.1\nallow_anonymous false\npassword_file %s\npersistence false\nset_tcp_nodelay true\n", port, passwords)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	m := &mosquitto{t: t, addr: addr, conf: conf}
	m.start()
	t.Cleanup(m.kill)
	return m
}

func (m *mosquitto) start() {
	m.t.Helper()
	m.cmd = exec.Command("mosquitto", "-c", m.conf)
	if err := m.cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	eventually(m.t, "mosquitto to listen", func() bool {
		nc, err := net.Dial("tcp", m.addr)
		if err == nil {
			nc.Close()
		}
		return err == nil
	})
}

func (m *mosquitto) kill() {
	_ = m.cmd.Process.Kill()
	_ = m.cmd.Wait()
}

// tools runs mosquitto_pub and mosquitto_sub against it.
func (m *mosquitto) tools() *rig { return &rig{addr: m.addr} }

func (m *mosquitto) url() string { return "mqtt://alley:pw-alley@" + m.addr }

// join joins a broker until the test ends.
func join(t *testing.T, e *ear, to Standing) *Joined {
	t.Helper()
	if to.ClientID == "" {
		to.ClientID = "keng"
	}
	j, err := Join(e, to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { leave(j) })
	return j
}

// leave closes j without waiting for what is not safe.
func leave(j *Joined) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = j.Close(ctx)
}

func TestJoinedHearsItsSpacesAndNothingElse(t *testing.T) {
	m := startMosquitto(t)
	pub := func(topic, text string, args ...string) {
		t.Helper()
		m.tools().start(t, "mosquitto_pub", "mqttv311", "alley", append([]string{"-t", topic, "-m", text, "-q", "1"}, args...)...).wants()
	}
	pub("alley/state", "old", "-r")
	e := newEar()
	j := join(t, e, Standing{URL: m.url(), Spaces: []Space{"alley", "lane"}})
	e.untilEvent(t, "subscribed lane keng #")
	e.untilEvent(t, "publish alley keng state=old")
	pub("lane/zigbee2mqtt/bell", "on")
	pub("alley/state", "new", "-r")
	pub("field/x", "not ours")
	pub("alley", "no topic below the space")
	e.untilEvent(t, "publish alley keng state=new")
	j.Hear("field")
	e.untilEvent(t, "subscribed field keng #")
	pub("field/x", "ours now")
	e.untilEvent(t, "publish field keng x=ours now")
	got := []string{}
	for _, p := range e.messages() {
		got = append(got, fmt.Sprintf("%s %s %s %d %v", p.Space, p.Topic, p.Payload, p.QoS, p.Retain))
	}
	want := []string{"alley state old 1 true", "lane zigbee2mqtt/bell on 1 false", "alley state new 1 false", "field x ours now 1 false"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestJoinedWithOneSpaceHasNoPrefix(t *testing.T) {
	m := startMosquitto(t)
	e := newEar()
	j := join(t, e, Standing{URL: m.url(), Spaces: []Space{""}})
	e.untilEvent(t, "subscribed  keng #")
	bell := m.tools().enter(t, 5, "bell", "alley", nil)
	bell.subscribe(true, "bell/set", 1)
	acked := make(chan struct{})
	if n := j.Send("", "bell/set", []byte("on"), 90*time.Second, func() { close(acked) }); n != 1 {
		t.Errorf("sent to %d", n)
	}
	<-acked
	p := bell.next()
	if want := "\x00\x08bell/set\x00\x01\x05\x02\x00\x00\x00\x5aon"; p[0] != 0x32 || string(p[2:]) != want {
		t.Errorf("bell got %q, want %q", p[2:], want)
	}
	bell.write(puback(1)...)
	m.tools().start(t, "mosquitto_pub", "mqttv5", "alley", "-t", "stat/plug", "-m", "on").wants()
	e.untilEvent(t, "publish  keng stat/plug=on")
	if n := len(e.messages()); n != 1 {
		t.Errorf("heard %d messages: its own too?", n)
	}
	late := m.tools().enter(t, 5, "late", "alley", nil)
	late.subscribe(true, "#", 1)
	late.none() // commands are never retained
}

func TestJoinedAcknowledgesOnlyWhatIsSafe(t *testing.T) {
	m := startMosquitto(t)
	pub := func(text string) {
		t.Helper()
		m.tools().start(t, "mosquitto_pub", "mqttv311", "alley", "-t", "alley/bell", "-m", text, "-q", "1").wants()
	}
	e, dones := slowSafe()
	j := join(t, e, Standing{URL: m.url(), Spaces: []Space{"alley"}})
	e.untilEvent(t, "subscribed alley keng #")
	pub("one")
	(<-dones)()
	pub("two")
	pub("three")
	<-dones
	(<-dones)() // the third is safe, the second is not: neither may be acknowledged
	leave(j)
	pub("meanwhile")
	again := newEar()
	join(t, again, Standing{URL: m.url(), Spaces: []Space{"alley"}})
	again.untilEvent(t, "publish alley keng bell=meanwhile")
	got := []string{}
	for _, p := range again.messages() {
		got = append(got, fmt.Sprintf("%s %v", p.Payload, p.Dup))
	}
	if d := cmp.Diff([]string{"two true", "three true", "meanwhile false"}, got); d != "" {
		t.Error(d)
	}
}

func TestJoinedCloseWaitsForWhatIsNotSafeYet(t *testing.T) {
	m := startMosquitto(t)
	e, dones := slowSafe()
	j := join(t, e, Standing{URL: m.url(), Spaces: []Space{"alley"}})
	e.untilEvent(t, "subscribed alley keng #")
	m.tools().start(t, "mosquitto_pub", "mqttv311", "alley", "-t", "alley/bell", "-m", "x", "-q", "1").wants()
	done := <-dones
	closed := make(chan error, 1)
	go func() { closed <- j.Close(context.WithoutCancel(t.Context())) }()
	eventually(t, "Close to wait", func() bool {
		j.mu.Lock()
		defer j.mu.Unlock()
		j.link.mu.Lock()
		defer j.link.mu.Unlock()
		return j.closed && j.link.owed.changed != nil
	})
	done()
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	noGoroutines(t, "engine/broker.(*Joined)", "engine/broker.(*link)", "engine/broker.(*wire)")
	again := newEar()
	join(t, again, Standing{URL: m.url(), Spaces: []Space{"alley"}})
	again.untilEvent(t, "subscribed alley keng #")
	if got := again.messages(); len(got) != 0 {
		t.Errorf("came again: %v", got)
	}
}

func TestJoinedComesBackAndAsksForTheSirensAgain(t *testing.T) {
	m := startMosquitto(t)
	e := newEar()
	j := join(t, e, Standing{URL: m.url(), Spaces: []Space{"alley", "lane"}})
	j.Retain("alley", "homeassistant/x/config", []byte("{}"))
	j.Retain("alley", "homeassistant/y/config", []byte("{}"))
	j.Retain("alley", "homeassistant/y/config", nil)
	e.untilEvent(t, "subscribed lane keng #")
	m.kill()
	e.untilEvent(t, "gone lane keng false")
	if n := j.Send("alley", "bell/set", []byte("on"), time.Minute, nil); n != 0 {
		t.Errorf("sent to %d without a broker", n)
	}
	m.start()
	e.until(t, "both spaces to be heard again", func(events []string) bool {
		n := 0
		for _, x := range events {
			if strings.HasPrefix(x, "subscribed ") {
				n++
			}
		}
		return n == 4
	})
	want := []string{
		"connected alley keng", "connected lane keng", "subscribed alley keng #", "subscribed lane keng #",
		"gone alley keng false", "gone lane keng false",
		"connected alley keng", "connected lane keng", "subscribed alley keng #", "subscribed lane keng #",
	}
	if d := cmp.Diff(want, e.events); d != "" {
		t.Error(d)
	}
	// The new broker process never heard of the retained message: it was told again.
	m.tools().start(t, "mosquitto_sub", "mqttv5", "alley", "-t", "alley/#", "-C", "1", "-F", "%t:%r").wants("alley/homeassistant/x/config:1")
	eventually(t, "the removed one to be forgotten", func() bool {
		j.mu.Lock()
		defer j.mu.Unlock()
		return len(j.kept) == 1
	})
}

func TestJoinedIsRefusedWithAWrongPassword(t *testing.T) {
	m := startMosquitto(t)
	e := newEar()
	var log bytes.Buffer
	j := join(t, e, Standing{URL: "mqtt://alley:secret@" + m.addr, Spaces: []Space{""}, Settings: Settings{Log: slog.New(slog.NewTextHandler(&log, nil))}})
	eventually(t, "the refusal", func() bool { return j.Stats().Refused["sign_in"] > 0 })
	leave(j)
	if s := log.String(); !strings.Contains(s, "refused") || strings.Contains(s, "secret") {
		t.Errorf("log: %s", s)
	}
	if len(e.events) > 0 {
		t.Errorf("handler heard %q", e.events)
	}
}

func TestJoinWantsAURLAndNeverTellsThePassword(t *testing.T) {
	for _, u := range []string{"", "http://a:secret@b", "mqtt://", "mqtt://a:secret@b:x y", "a:secret@b:1883"} {
		j, err := Join(newEar(), Standing{URL: u})
		if err == nil {
			leave(j)
			t.Errorf("%s: no error", u)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", u, err)
		}
	}
}

// fakeBroker is the other end of a Joined, packet by packet.
type fakeBroker struct {
	t  *testing.T
	ln net.Listener
}

func newFakeBroker(t *testing.T) *fakeBroker {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return &fakeBroker{t, ln}
}

// accept takes the next connection, welcomes it and grants its one space.
func (b *fakeBroker) accept(props *packets.Properties) *raw {
	b.t.Helper()
	nc, err := b.ln.Accept()
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { nc.Close() })
	c := &raw{b.t, nc, bufio.NewReader(nc)}
	hello := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Connect}}
	if err := hello.ConnectDecode(c.next()[2:]); err != nil {
		b.t.Fatal(err)
	}
	if p := hello.Properties; hello.Connect.Clean || p.SessionExpiryInterval != 86400 || p.MaximumPacketSize != 4<<20 || p.ReceiveMaximum != 256 {
		b.t.Errorf("hello %+v", hello)
	}
	c.write(welcome(true, success, props)...)
	sub := c.next()
	if want := append([]byte{0x82, 13, sub[2], sub[3], 0}, "\x00\x07alley/#\x05"...); !bytes.Equal(sub, want) {
		b.t.Errorf("subscribe % x, want % x", sub, want)
	}
	c.write(0x90, 4, sub[2], sub[3], 0, 1)
	return c
}

func TestJoinedNeverSendsAnOldCommandAgain(t *testing.T) {
	b := newFakeBroker(t)
	e := newEar()
	j := join(t, e, Standing{URL: "mqtt://" + b.ln.Addr().String(), Spaces: []Space{"alley"}})
	c := b.accept(nil)
	e.untilEvent(t, "subscribed alley keng #")
	acked := make(chan struct{}, 1)
	j.Send("alley", "bell/set", []byte("on"), time.Minute, func() { acked <- struct{}{} })
	if p := c.next(); p[0] != 0x32 || !bytes.HasSuffix(p, []byte("\x05\x02\x00\x00\x00\x3con")) {
		t.Errorf("got % x", p)
	}
	c.nc.Close() // unacknowledged
	e.untilEvent(t, "gone alley keng false")
	c = b.accept(nil)
	e.until(t, "second hearing", func(events []string) bool { return events[len(events)-1] == "subscribed alley keng #" })
	j.Send("alley", "bell/set", []byte("off"), 0, nil)
	if p := c.next(); !bytes.HasSuffix(p, []byte("off")) {
		t.Errorf("after the reconnect came % x", p)
	}
	if len(acked) > 0 {
		t.Error("acknowledged")
	}
}

func TestJoinedDoesNotHearWhatItStoredItself(t *testing.T) {
	b := newFakeBroker(t)
	e := newEar()
	j := join(t, e, Standing{URL: "mqtt://" + b.ln.Addr().String(), Spaces: []Space{"alley"}})
	c := b.accept(nil)
	e.untilEvent(t, "subscribed alley keng #")
	j.Retain("alley", "x", []byte("ours"))
	if p := c.next(); p[0] != 0x33 || !bytes.HasSuffix(p, []byte("ours")) {
		t.Errorf("got % x", p)
	}
	c.write(append([]byte{0x33, 16, 0, 7}, "alley/x\x00\x07\x00ours"...)...)
	c.want(puback(7)...)
	c.write(append([]byte{0x33, 18, 0, 7}, "alley/y\x00\x08\x00theirs"...)...)
	c.want(puback(8)...)
	if got := e.messages(); len(got) != 1 || got[0].Topic != "y" || !got[0].Retain {
		t.Errorf("heard %v", got)
	}
}

func TestJoinedHeedsTheBrokersLimits(t *testing.T) {
	b := newFakeBroker(t)
	e := newEar()
	j := join(t, e, Standing{URL: "mqtt://" + b.ln.Addr().String(), Spaces: []Space{"alley"}})
	c := b.accept(&packets.Properties{ReceiveMaximum: 1, MaximumPacketSize: 40})
	e.untilEvent(t, "subscribed alley keng #")
	j.Send("alley", "a", make([]byte, 100), 0, nil)
	j.Send("alley", "b", []byte("1"), 0, nil)
	j.Send("alley", "b", []byte("2"), 0, nil)
	p := c.next()
	if !bytes.HasSuffix(p, []byte("1")) {
		t.Errorf("got % x", p)
	}
	j.Hear("lane") // is said at once, and nothing else before the PUBACK
	if s := c.next(); s[0] != 0x82 {
		t.Errorf("got % x", s)
	}
	at := 4 + len("alley/b")
	c.write(puback(uint16(p[at])<<8 | uint16(p[at+1]))...)
	c.write(0x90, 4, 0, 0, 0, 1)
	c.write(0xd0, 0)
}

func TestJoinedKeepsTheConnectionAlive(t *testing.T) {
	b := newFakeBroker(t)
	e := newEar()
	join(t, e, Standing{URL: "mqtt://" + b.ln.Addr().String(), Spaces: []Space{"alley"}})
	c := b.accept(&packets.Properties{ServerKeepAlive: 1, ServerKeepAliveFlag: true})
	c.want(0xc0, 0)
	c.write(0xd0, 0)
	c.want(0xc0, 0) // unanswered
	e.untilEvent(t, "gone alley keng false")
}

// TestJoinedOverEveryWay joins our own listener, which is a broker too.
func TestJoinedOverEveryWay(t *testing.T) {
	certFile, keyFile := writePair(t, t.TempDir(), 1)
	set, err := TLS(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	pem, err := os.ReadFile(certFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	near := newEar()
	r := newRig(t, near, Settings{})
	ln, err := tls.Listen("tcp", "127.0.0.1:0", set)
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = r.Serve(ln) }()
	plain := httptest.NewServer(r.Listener)
	t.Cleanup(plain.Close)
	secure := httptest.NewTLSServer(r.Listener)
	t.Cleanup(secure.Close)
	roots.AddCert(secure.Certificate())
	for way, addr := range map[string]string{
		"mqtt": r.addr, "mqtts": ln.Addr().String(), "ws": plain.Listener.Addr().String(), "wss": secure.Listener.Addr().String(),
	} {
		t.Run(way, func(t *testing.T) {
			far := newEar()
			j := join(t, far, Standing{
				URL: fmt.Sprintf("%s://alley:pw-alley@%s/mqtt", way, addr), ClientID: way, Spaces: []Space{""},
				TLS: &tls.Config{RootCAs: roots},
			})
			far.untilEvent(t, "subscribed  "+way+" #")
			r.Retain("alley", "news", bytes.Repeat([]byte("x"), 100_000))
			far.until(t, "news", func(events []string) bool {
				return slices.ContainsFunc(events, func(s string) bool { return strings.HasPrefix(s, "publish  "+way+" news=xxx") })
			})
			j.Send("", "from/"+way, []byte("hi"), 0, nil)
			near.untilEvent(t, fmt.Sprintf("publish alley %s from/%s=hi", way, way))
			if err := j.Close(t.Context()); err != nil {
				t.Error(err)
			}
			near.untilEvent(t, "gone alley "+way+" true")
		})
	}
}
