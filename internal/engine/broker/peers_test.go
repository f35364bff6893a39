package broker

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/paho"
	paho3 "github.com/eclipse/paho.mqtt.golang"
	"github.com/google/go-cmp/cmp"
)

// tool is a run of mosquitto_pub or mosquitto_sub.
type tool struct {
	t    *testing.T
	cmd  *exec.Cmd
	out  bytes.Buffer
	errs bytes.Buffer
}

func (r *rig) start(t *testing.T, name, version, user string, args ...string) *tool {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("%s is not installed", name)
	}
	host, port, _ := net.SplitHostPort(r.addr)
	all := append([]string{"-h", host, "-p", port, "-V", version, "-u", user, "-P", "pw-" + user}, args...)
	x := &tool{t: t, cmd: exec.CommandContext(t.Context(), name, all...)}
	x.cmd.Stdout, x.cmd.Stderr = &x.out, &x.errs
	if err := x.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return x
}

// ends waits for the tool and returns what it said.
func (x *tool) ends() (lines []string, err error) {
	x.t.Helper()
	timer := time.AfterFunc(patience, func() { _ = x.cmd.Process.Kill() })
	defer timer.Stop()
	err = x.cmd.Wait()
	return strings.Fields(x.out.String()), err
}

func (x *tool) wants(lines ...string) {
	x.t.Helper()
	got, err := x.ends()
	if err != nil {
		x.t.Errorf("%v: %v: %s", x.cmd.Args, err, x.errs.String())
	}
	if !slices.Equal(got, lines) {
		x.t.Errorf("%v: got %q, want %q", x.cmd.Args, got, lines)
	}
}

var versions = []string{"mqttv311", "mqttv5"}

func TestMosquittoClientsAtEveryQoS(t *testing.T) {
	for _, pubVersion := range versions {
		for _, subVersion := range versions {
			t.Run(pubVersion+" to "+subVersion, func(t *testing.T) {
				e := newEar()
				r := newRig(t, e, Settings{})
				sub := r.start(t, "mosquitto_sub", subVersion, "alley", "-i", "sub", "-t", "+/bell/#", "-q", "2", "-C", "3", "-F", "%t:%p:%q:%r")
				e.untilEvent(t, "subscribed alley sub +/bell/#")
				for _, qos := range []string{"0", "1", "2"} {
					r.start(t, "mosquitto_pub", pubVersion, "alley", "-t", "alley/bell", "-m", "on"+qos, "-q", qos).wants()
				}
				sub.wants("alley/bell:on0:0:0", "alley/bell:on1:1:0", "alley/bell:on2:1:0")
				got := []string{}
				for _, m := range e.messages() {
					got = append(got, fmt.Sprintf("%s %d", m.Payload, m.QoS))
				}
				if d := cmp.Diff([]string{"on0 0", "on1 1", "on2 2"}, got); d != "" {
					t.Errorf("handler heard: %s", d)
				}
			})
		}
	}
}

// stuckDisk is an ear for which a press is never safe, and all else is at once.
func stuckDisk() *ear {
	e := newEar()
	e.onPub = func(p Publish, done func()) {
		if !strings.HasPrefix(string(p.Payload), "press") {
			done()
		}
	}
	return e
}

// TestLaterPressesOfAHubAreHeardWhileTheDiskIsStuck: a client may have only so many
// messages in flight, 20 by default with Mosquitto's. One press that is not safe must
// not fill them up with what came after it.
func TestLaterPressesOfAHubAreHeardWhileTheDiskIsStuck(t *testing.T) {
	heard := func(events []string) bool {
		return slices.ContainsFunc(events, func(s string) bool { return strings.HasSuffix(s, "=press-3") })
	}
	lines := "press-1\n"
	for k := range 60 {
		lines += fmt.Sprintf("beat-%d\n", k)
		if k == 30 {
			lines += "press-2\n"
		}
	}
	lines += "press-3\n"
	for _, version := range versions {
		t.Run("mosquitto "+version, func(t *testing.T) {
			if _, err := exec.LookPath("mosquitto_pub"); err != nil {
				t.Skip("mosquitto_pub is not installed")
			}
			e := stuckDisk()
			r := newRig(t, e, Settings{ReceiveMax: 65_535})
			host, port, _ := net.SplitHostPort(r.addr)
			cmd := exec.CommandContext(t.Context(), "mosquitto_pub", "-h", host, "-p", port, "-V", version, "-u", "alley", "-P", "pw-alley", "-q", "1", "-t", "hub", "-l")
			cmd.Stdin = strings.NewReader(lines)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
			e.until(t, "the last press", heard)
		})
	}
	t.Run("paho 5", func(t *testing.T) {
		e := stuckDisk()
		r := newRig(t, e, Settings{ReceiveMax: 20})
		nc, err := net.Dial("tcp", r.addr)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		c := paho.NewClient(paho.ClientConfig{Conn: nc})
		if _, err := c.Connect(ctx, &paho.Connect{ClientID: "paho", KeepAlive: 30, CleanStart: true, Username: "alley", UsernameFlag: true, Password: []byte("pw-alley"), PasswordFlag: true}); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(lines) {
			if _, err := c.PublishWithOptions(ctx, &paho.Publish{Topic: "hub", QoS: 1, Payload: []byte(strings.TrimSpace(line))}, paho.PublishOptions{Method: paho.PublishMethod_AsyncSend}); err != nil {
				t.Fatal(err)
			}
		}
		e.until(t, "the last press", heard)
	})
}

func TestMosquittoClientsSeeRetainedAndWill(t *testing.T) {
	for _, version := range versions {
		t.Run(version, func(t *testing.T) {
			e := newEar()
			r := newRig(t, e, Settings{})
			r.start(t, "mosquitto_pub", version, "alley", "-t", "a/state", "-m", "online", "-r", "-q", "1").wants()
			r.start(t, "mosquitto_pub", version, "alley", "-t", "b/state", "-m", "gone", "-r").wants()
			r.start(t, "mosquitto_pub", version, "alley", "-t", "b/state", "-n", "-r", "-q", "1").wants()
			sub := r.start(t, "mosquitto_sub", version, "alley", "-i", "sub", "-t", "+/state", "-q", "1", "-C", "2", "-F", "%t:%p:%r")
			e.untilEvent(t, "subscribed alley sub +/state")
			dying := r.start(t, "mosquitto_sub", version, "alley", "-i", "dying", "-t", "x", "--will-topic", "c/state", "--will-payload", "offline", "--will-qos", "1", "--will-retain")
			e.untilEvent(t, "subscribed alley dying x")
			_ = dying.cmd.Process.Kill()
			_, _ = dying.ends()
			sub.wants("a/state:online:1", "c/state:offline:0")
			r.start(t, "mosquitto_sub", version, "alley", "-t", "c/state", "-C", "1", "-F", "%p:%r").wants("offline:1")
		})
	}
}

func TestMosquittoClientsAreTurnedAway(t *testing.T) {
	r := newRig(t, newEar(), Settings{})
	for version, want := range map[string]string{
		"mqttv311": "bad user name or password",
		"mqttv5":   "bad user name or password",
		"mqttv31":  "unacceptable protocol version",
	} {
		pub := r.start(t, "mosquitto_pub", version, "nobody", "-t", "x", "-m", "x")
		_, err := pub.ends()
		said := pub.errs.String() + pub.out.String()
		if err == nil || !strings.Contains(strings.ToLower(said), want) {
			t.Errorf("%s: %v, %q", version, err, said)
		}
	}
	sub := r.start(t, "mosquitto_sub", "mqttv311", "plug", "-t", "elsewhere/#", "-C", "1")
	if _, err := sub.ends(); !strings.Contains(sub.errs.String(), "All subscription requests were denied") {
		t.Errorf("%v, %q", err, sub.errs.String())
	}
}

func TestMosquittoClientsSendLargePayloads(t *testing.T) {
	e := newEar()
	r := newRig(t, e, Settings{})
	file := filepath.Join(t.TempDir(), "devices.json")
	if err := os.WriteFile(file, bytes.Repeat([]byte("0123456789"), 100_000), 0o600); err != nil {
		t.Fatal(err)
	}
	sub := r.start(t, "mosquitto_sub", "mqttv5", "alley", "-i", "sub", "-t", "zigbee2mqtt/bridge/devices", "-q", "1", "-C", "1", "-F", "%l")
	e.untilEvent(t, "subscribed alley sub zigbee2mqtt/bridge/devices")
	r.start(t, "mosquitto_pub", "mqttv311", "alley", "-t", "zigbee2mqtt/bridge/devices", "-f", file, "-r", "-q", "1").wants()
	sub.wants("1000000")
}

// paho311 is a client of the older library.
func paho311(t *testing.T, url, id string, edit func(*paho3.ClientOptions)) paho3.Client {
	t.Helper()
	o := paho3.NewClientOptions().AddBroker(url).SetClientID(id).SetUsername("alley").SetPassword("pw-alley").
		SetProtocolVersion(4).SetAutoReconnect(false).SetConnectTimeout(patience)
	if edit != nil {
		edit(o)
	}
	c := paho3.NewClient(o)
	if tok := c.Connect(); !tok.WaitTimeout(patience) || tok.Error() != nil {
		t.Fatalf("connect: %v", tok.Error())
	}
	t.Cleanup(func() { c.Disconnect(0) })
	return c
}

func TestPaho311OverTCPAndWebSocket(t *testing.T) {
	e := newEar()
	r := newRig(t, e, Settings{})
	web := httptest.NewServer(r.Listener)
	t.Cleanup(web.Close)
	ws := paho311(t, "ws"+strings.TrimPrefix(web.URL, "http"), "browser", nil)
	tcp := paho311(t, "tcp://"+r.addr, "hub", nil)
	got := make(chan string, 100)
	for _, c := range []paho3.Client{ws, tcp} {
		tok := c.Subscribe("t/#", 1, func(_ paho3.Client, m paho3.Message) {
			got <- fmt.Sprintf("%s %d %v", m.Topic(), m.Qos(), len(m.Payload()))
		})
		if !tok.WaitTimeout(patience) || tok.Error() != nil {
			t.Fatal(tok.Error())
		}
	}
	for i, c := range []paho3.Client{ws, tcp, ws} {
		tok := c.Publish(fmt.Sprintf("t/%d", i), byte(i), false, make([]byte, 1+i*50_000))
		if !tok.WaitTimeout(patience) || tok.Error() != nil {
			t.Fatal(tok.Error())
		}
	}
	lines := []string{}
	for range 6 {
		select {
		case s := <-got:
			lines = append(lines, s)
		case <-time.After(patience):
			t.Fatalf("got only %q", lines)
		}
	}
	slices.Sort(lines)
	want := []string{"t/0 0 1", "t/0 0 1", "t/1 1 50001", "t/1 1 50001", "t/2 1 100001", "t/2 1 100001"}
	if d := cmp.Diff(want, lines); d != "" {
		t.Error(d)
	}
	ws.Disconnect(10)
	e.untilEvent(t, "gone alley browser true")
}

func TestWebSocketWantsTheSubprotocol(t *testing.T) {
	r := newRig(t, newEar(), Settings{})
	web := httptest.NewServer(r.Listener)
	t.Cleanup(web.Close)
	ws, _, err := websocket.Dial(t.Context(), web.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	if _, _, err := ws.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
		t.Errorf("read: %v", err)
	}
	resp, err := http.Get(web.URL)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusUpgradeRequired {
		t.Errorf("plain GET: %s", resp.Status)
	}
}

func TestWebSocketClientsLeaveNothingAtClose(t *testing.T) {
	e := newEar()
	l := Listen(e, Settings{})
	web := httptest.NewServer(l)
	var ends []chan struct{}
	for i := range 5 {
		gone := make(chan struct{})
		ends = append(ends, gone)
		paho311(t, "ws"+strings.TrimPrefix(web.URL, "http"), fmt.Sprint(i), func(o *paho3.ClientOptions) {
			o.SetConnectionLostHandler(func(paho3.Client, error) { close(gone) })
		})
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := l.Close(ctx); err != nil {
		t.Fatal(err)
	}
	for _, gone := range ends {
		<-gone
	}
	web.Close()
	noGoroutines(t, "engine/broker.(*conn)", "engine/broker.(*wire)", "engine/broker.(*Listener)")
}

// noGoroutines fails when a goroutine is still in one of these functions.
func noGoroutines(t *testing.T, functions ...string) {
	t.Helper()
	var b bytes.Buffer
	eventually(t, "goroutines to end", func() bool {
		b.Reset()
		_ = pprof.Lookup("goroutine").WriteTo(&b, 2)
		return !slices.ContainsFunc(functions, func(f string) bool { return strings.Contains(b.String(), f) })
	})
}

func TestCloseLeavesNoGoroutine(t *testing.T) {
	e, dones := slowSafe()
	l := Listen(e, Settings{})
	r := serveOn(t, l, e)
	r.dial(t) // says nothing
	for i := range 20 {
		c := r.enter(t, byte(4+i%2), fmt.Sprint(i), "alley", nil)
		c.subscribe(i%2 == 1, "#", 1)
		if i%2 == 0 {
			c.write(publishPacket("a", make([]byte, 50_000), 1, false, 1)...)
		}
	}
	for range 10 {
		(<-dones)()
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := l.Close(ctx); err != nil {
		t.Fatal(err)
	}
	noGoroutines(t, "engine/broker.(*conn)", "engine/broker.(*wire)")
	if n := l.Stats().Connections; n != 0 {
		t.Errorf("%d connections counted", n)
	}
}

func TestPaho5PassesPropertiesAndCodes(t *testing.T) {
	e := newEar()
	r := newRig(t, e, Settings{})
	u, _ := url.Parse("mqtt://" + r.addr)
	got := make(chan *paho.Publish, 10)
	c, err := autopaho.NewConnection(t.Context(), autopaho.ClientConfig{
		ServerUrls: []*url.URL{u}, KeepAlive: 30, ConnectUsername: "plug", ConnectPassword: []byte("pw-plug"),
		ClientConfig: paho.ClientConfig{
			ClientID: "five",
			OnPublishReceived: []func(paho.PublishReceived) (bool, error){func(p paho.PublishReceived) (bool, error) {
				got <- p.Packet
				return true, nil
			}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := c.AwaitConnection(ctx); err != nil {
		t.Fatal(err)
	}
	ack, err := c.Subscribe(ctx, &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: "cmnd/plug/#", QoS: 2}}})
	if err != nil || !bytes.Equal(ack.Reasons, []byte{1}) {
		t.Fatalf("subscribe: %+v, %v", ack, err)
	}
	expiry := uint32(30)
	resp, err := c.Publish(ctx, &paho.Publish{Topic: "cmnd/plug/x", QoS: 2, Payload: []byte("hi"), Properties: &paho.PublishProperties{
		ContentType: "text/plain", MessageExpiry: &expiry, User: paho.UserProperties{{Key: "k", Value: "v"}},
	}})
	if err != nil || resp.ReasonCode != 0 {
		t.Fatalf("publish: %+v, %v", resp, err)
	}
	p := <-got
	if p.Properties.ContentType != "text/plain" || *p.Properties.MessageExpiry != 30 || p.Properties.User.Get("k") != "v" || p.QoS != 1 {
		t.Errorf("got %v", p)
	}
	resp, err = c.Publish(ctx, &paho.Publish{Topic: "elsewhere", QoS: 1})
	if err == nil || resp == nil || resp.ReasonCode != byte(notAuthorized) {
		t.Errorf("publish elsewhere: %+v, %v", resp, err)
	}
	if err := c.Disconnect(ctx); err != nil {
		t.Fatal(err)
	}
	e.untilEvent(t, "gone alley five true")
}

// writePair makes a certificate for 127.0.0.1 that signs itself.
func writePair(t *testing.T, dir string, serial int64) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "keng"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	priv, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, b := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: priv}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

func TestTLSTakesUpANewCertificateWithoutARestart(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := writePair(t, dir, 1)
	set, err := TLS(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	e := newEar()
	l := Listen(e, Settings{})
	ln, err := tls.Listen("tcp", "127.0.0.1:0", set)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- l.Serve(ln) }()
	serial := func() int64 {
		t.Helper()
		nc, err := tls.Dial("tcp", ln.Addr().String(), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		return nc.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
	}
	if n := serial(); n != 1 {
		t.Errorf("serial %d", n)
	}
	writePair(t, dir, 2)
	old := time.Now().Add(-time.Minute)
	_ = os.Chtimes(certFile, old, old) // another stamp for sure
	if n := serial(); n != 2 {
		t.Errorf("serial %d after a new pair", n)
	}
	if err := os.WriteFile(keyFile, []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	if n := serial(); n != 2 {
		t.Errorf("serial %d with a broken key", n)
	}
	writePair(t, dir, 3)
	r := &rig{l, e, ln.Addr().String()}
	r.start(t, "mosquitto_pub", "mqttv5", "alley", "--cafile", certFile, "-t", "over/tls", "-m", "x", "-q", "1", "-i", "pub").wants()
	e.untilEvent(t, "publish alley pub over/tls=x")
	if err := l.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func TestTLSNeedsAPair(t *testing.T) {
	if _, err := TLS("/nowhere", "/nowhere"); err == nil {
		t.Error("no error")
	}
}
