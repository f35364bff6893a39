package app

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/keng-vn/keng/internal/people"
)

// certificate makes a key and a certificate for 127.0.0.1 and returns their files
// and who trusts them.
func certificate(t *testing.T) (cert, key string, trust *tls.Config) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	own := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "keng"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, own, own, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, kind string, b []byte) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return write("cert.pem", "CERTIFICATE", der), write("key.pem", "PRIVATE KEY", secret), &tls.Config{RootCAs: pool}
}

// TestWebSocketAndTLS lets a client that is not ours in over mqtts and over wss,
// and people over https.
func TestWebSocketAndTLS(t *testing.T) {
	cert, key, trust := certificate(t)
	a := alley(t, Options{Data: t.TempDir(), MQTT: "127.0.0.1:0", HTTP: "127.0.0.1:0", Cert: cert, Key: key})
	rung := make(chan string, 16)
	siren := paho(t, "ssl://"+a.MQTTAddr(), "siren", trust)
	if token := siren.Subscribe("zigbee2mqtt/+/set", 1, func(_ mqtt.Client, m mqtt.Message) { rung <- string(m.Payload()) }); token.Wait() && token.Error() != nil {
		t.Fatal(token.Error())
	}
	for k, address := range []string{"wss://" + a.HTTPAddr() + "/mqtt", "ssl://" + a.MQTTAddr()} {
		button := paho(t, address, "button", trust)
		token := button.Publish("keng/button", 1, false, []byte(`{"event":"press","id":"`+address[:3]+`"}`))
		if !token.WaitTimeout(15*time.Second) || token.Error() != nil {
			t.Fatalf("%s: no PUBACK: %v", address, token.Error())
		}
		button.Disconnect(100)
		if list := open(t, a); len(list) != 1 || len(list[0].Timeline) != k+1 {
			t.Errorf("%s: %+v", address, list)
		}
	}
	select {
	case cmd := <-rung:
		if !strings.Contains(cmd, "emergency") && !strings.Contains(cmd, "stop") {
			t.Errorf("the siren was told %s", cmd)
		}
	case <-time.After(15 * time.Second):
		t.Error("the siren behind TLS was told nothing")
	}
	browser := &http.Client{Transport: &http.Transport{TLSClientConfig: trust, ForceAttemptHTTP2: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer browser.CloseIdleConnections()
	checkSecure(t, a, browser)
	if c, err := net.Dial("tcp", a.MQTTAddr()); err == nil { // nothing in the clear
		_, _ = c.Write([]byte("\x10\x0c\x00\x04MQTT\x04\x02\x00\x00\x00\x00"))
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
		buf := make([]byte, 8)
		if n, _ := c.Read(buf); n > 0 && buf[0] == 0x20 {
			t.Error("MQTT without TLS was answered")
		}
		_ = c.Close()
	}
}

// checkSecure signs somebody in over https.
func checkSecure(t *testing.T, a *App, client *http.Client) {
	t.Helper()
	list, err := a.People.InviteHome(t.Context(), "g1-h1", "")
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+a.HTTPAddr()+list[0].Path(), strings.NewReader(url.Values{}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", "https://"+a.HTTPAddr())
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.ProtoMajor != 2 {
		t.Errorf("HTTP/%d over TLS, want 2", resp.ProtoMajor)
	}
	if hsts := resp.Header.Get("Strict-Transport-Security"); !strings.Contains(hsts, "max-age=") {
		t.Errorf("Strict-Transport-Security: %q", hsts)
	}
	session := ""
	for _, c := range resp.Cookies() {
		if c.Name != people.SecureCookie {
			continue
		}
		session = c.Value
		if !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode {
			t.Errorf("the session's cookie: %+v", c)
		}
	}
	if resp.StatusCode != http.StatusSeeOther || session == "" {
		t.Fatalf("sign in: %s", resp.Status)
	}
	r, err = http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+a.HTTPAddr()+"/api/v1/me", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.AddCookie(&http.Cookie{Name: people.SecureCookie, Value: session})
	me, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = me.Body.Close() }()
	if me.StatusCode != http.StatusOK {
		t.Errorf("signed in over TLS: %s", me.Status)
	}
}

// paho connects a client that is not ours.
func paho(t *testing.T, address, id string, trust *tls.Config) mqtt.Client {
	t.Helper()
	o := mqtt.NewClientOptions().AddBroker(address).SetClientID(id).SetUsername("alley12").SetPassword("secret-1").SetTLSConfig(trust).
		SetAutoReconnect(false).SetConnectRetry(false).SetConnectTimeout(15 * time.Second)
	c := mqtt.NewClient(o)
	if token := c.Connect(); !token.WaitTimeout(20*time.Second) || token.Error() != nil {
		t.Fatalf("connect to %s: %v", address, token.Error())
	}
	t.Cleanup(func() { c.Disconnect(50) })
	return c
}

// TestOnEveryDatabase does with people what TestRestartAssertsSirensAtOnce does
// with sirens, on SQLite and on PostgreSQL.
func TestOnEveryDatabase(t *testing.T) {
	for _, d := range dsns(t) {
		t.Run(d.name, func(t *testing.T) {
			o := Options{Data: d.data, Database: d.url, MQTT: "127.0.0.1:0", HTTP: "127.0.0.1:0"}
			a := alley(t, o)
			token := officerToken(t, a)
			invites, err := a.People.InviteHome(t.Context(), "g1-h1", "")
			if err != nil {
				t.Fatal(err)
			}
			if status, body := send(t, a, token, "/api/v1/handovers", `{"text":"Ngõ 12 mất điện"}`); status != http.StatusCreated {
				t.Fatalf("handover: %d %s", status, body)
			}
			connect(t, a.MQTTAddr(), asHub).tell("keng/button", `{"event":"press","id":"1"}`, false)
			id := open(t, a)[0].ID
			if status, body := send(t, a, token, "/api/v1/incidents/"+string(id)+"/acknowledge", `{}`); status != http.StatusOK {
				t.Fatalf("acknowledge: %d %s", status, body)
			}
			stop(t, a)
			a = again(t, o)
			list := open(t, a)
			if len(list) != 1 || list[0].ID != id || list[0].Acknowledged == nil || list[0].Acknowledged.Role != people.Desk {
				t.Errorf("after the restart: %+v", list)
			}
			if _, body := fetch(t, http.DefaultClient, "http://"+a.HTTPAddr(), token, "/api/v1/handovers"); !strings.Contains(body, "Ngõ 12 mất điện") {
				t.Errorf("handovers: %s", body)
			}
			first, second := accept(t, a, invites[0].Path()), accept(t, a, invites[0].Path())
			if first != http.StatusSeeOther || second == http.StatusSeeOther {
				t.Errorf("an invite made before the restart: %d, then %d", first, second)
			}
			if found, err := a.journal.Verify(context.Background()); err != nil || len(found.Wrong) > 0 || found.Incidents != 1 {
				t.Errorf("journal: %v, %v", found, err)
			}
		})
	}
}

// send posts body as whoever has token.
func send(t *testing.T, a *App, token, path, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+a.HTTPAddr()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	buf := make([]byte, 4096)
	n, _ := resp.Body.Read(buf)
	return resp.StatusCode, string(buf[:n])
}

// accept opens an invite as a browser's form does and returns the status.
func accept(t *testing.T, a *App, path string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+a.HTTPAddr()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Origin", "http://"+a.HTTPAddr())
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}
