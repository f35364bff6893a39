package notify

import (
	"bytes"
	"crypto/ecdh"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func b64(t *testing.T, s string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestVectorsOfRFC8291 seals the message of the RFC's appendix A with its keys.
func TestVectorsOfRFC8291(t *testing.T) {
	own, err := ecdh.P256().NewPrivateKey(b64(t, "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"))
	if err != nil {
		t.Fatal(err)
	}
	if got := base64.RawURLEncoding.EncodeToString(own.PublicKey().Bytes()); got != "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8" {
		t.Fatalf("as_public is %s", got)
	}
	s, err := ReadSubscriber("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4", "BTBZMqHH6r4Tts7J_aSIgg")
	if err != nil {
		t.Fatal(err)
	}
	body, err := s.sealWith(own, [16]byte(b64(t, "DGv6ra1nlYgDCS1FRnbzlw")), []byte("When I grow up, I want to be a watermelon"), 0)
	if err != nil {
		t.Fatal(err)
	}
	want := b64(t, "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN")
	if !bytes.Equal(body, want) {
		t.Errorf("sealed\n%x, want\n%x", body, want)
	}
}

func TestKeyIsKeptAndPrivate(t *testing.T) {
	file := filepath.Join(t.TempDir(), KeyFile)
	a, err := OpenKey(file, "mailto:x@example.vn")
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, want 0600 (%v)", info.Mode(), err)
	}
	b, err := OpenKey(file, "mailto:x@example.vn")
	if err != nil || a.Public() != b.Public() {
		t.Errorf("another key after reopening (%v)", err)
	}
	x, _ := a.Derive("one")
	y, _ := b.Derive("one")
	z, _ := b.Derive("two")
	if !bytes.Equal(x, y) || bytes.Equal(x, z) || len(x) != 32 {
		t.Error("derived secrets are not what they should be")
	}
}

func TestAddressesInsideAreRefused(t *testing.T) {
	for _, s := range []string{"127.0.0.1", "::1", "10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254", "fe80::1", "fd00::1", "100.64.0.1", "0.0.0.0", "::ffff:10.0.0.1", "224.0.0.1", "255.255.255.255", "64:ff9b::a00:1", "2002:a00:1::", "198.18.0.1"} {
		if public(netip.MustParseAddr(s)) {
			t.Errorf("%s counts as public", s)
		}
	}
	for _, s := range []string{"142.250.204.10", "2404:6800:4003::1", "17.57.144.1"} {
		if !public(netip.MustParseAddr(s)) {
			t.Errorf("%s does not count as public", s)
		}
	}
	for endpoint, ok := range map[string]bool{
		"https://fcm.googleapis.com/fcm/send/abc": true, "https://web.push.apple.com:443/x": true, "http://fcm.googleapis.com/x": false, "https://127.0.0.1/x": false,
		"https://[::1]/x": false, "https://10.0.0.8/x": false, "https://push.example.com:8443/x": false, "https://u:p@push.example.com/x": false, "file:///etc/passwd": false,
		"": false, "https:///x": false, "https://push.example.com/" + strings.Repeat("x", 2000): false,
	} {
		if err := CheckEndpoint(endpoint, false); (err == nil) != ok {
			t.Errorf("%.60s: %v", endpoint, err)
		}
	}
}

// TestNameThatLeadsInsideIsRefused: the check is on the address that is dialled,
// whatever the name was.
func TestNameThatLeadsInsideIsRefused(t *testing.T) {
	asked := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { asked++; w.WriteHeader(http.StatusCreated) }))
	defer srv.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, strings.Replace(srv.URL, "127.0.0.1", "localhost", 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := do(Client(false), r); err == nil || out.State != Sent || asked != 0 {
		t.Errorf("outcome %+v, %v, asked %d times", out, err, asked)
	}
	if out, err := do(Client(true), r); err != nil || out.State != Accepted || asked != 1 {
		t.Errorf("a host that was named: %+v, %v", out, err)
	}
}

// TestRedirectIsNotFollowed: it could lead anywhere.
func TestRedirectIsNotFollowed(t *testing.T) {
	asked := 0
	inner := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	defer inner.Close()
	srv := httptest.NewServer(http.RedirectHandler(inner.URL, http.StatusTemporaryRedirect))
	defer srv.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL, strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	if out, err := do(Client(true), r); err != nil || out.State != Failed || asked != 0 {
		t.Errorf("outcome %+v, %v, asked %d times", out, err, asked)
	}
}

func TestSignatures(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	secret, body := []byte("s"), []byte(`{"id":"x"}`)
	good := Sign(secret, body, now)
	if err := Verify(secret, body, good, now.Add(4*time.Minute)); err != nil {
		t.Errorf("good: %v", err)
	}
	for name, err := range map[string]error{
		"old":          Verify(secret, body, good, now.Add(6*time.Minute)),
		"from ahead":   Verify(secret, body, good, now.Add(-6*time.Minute)),
		"other body":   Verify(secret, []byte(`{"id":"y"}`), good, now),
		"other secret": Verify([]byte("t"), body, good, now),
		"no secret":    Verify(nil, body, Sign(nil, body, now), now),
		"nothing":      Verify(secret, body, "", now),
		"other time":   Verify(secret, body, strings.Replace(good, "t=18", "t=19", 1), time.Unix(1_900_000_000, 0)),
	} {
		if err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// TestLetterHasNoForeignHeaders: what a person wrote cannot become a header.
func TestLetterHasNoForeignHeaders(t *testing.T) {
	p := &poster{Server{From: "Kẻng <keng@example.vn>"}, time.Now}
	text, from, err := p.letter(Message{Key: "k", To: "a@example.vn", Title: "Báo yên", Body: strings.Repeat("Khoá cửa. ", 40)})
	if err != nil || from != "keng@example.vn" || !bytes.Contains(text, []byte("Auto-Submitted: auto-generated\r\n")) {
		t.Fatalf("%s %v\n%s", from, err, text)
	}
	for _, line := range bytes.Split(text, []byte("\r\n")) {
		if len(line) > 998 {
			t.Error("a line is too long")
		}
	}
	for _, m := range []Message{{To: "a@example.vn\r\nBcc: b@example.vn"}, {To: "A <a@example.vn>"}, {To: "a@example.vn", Title: "x\r\nBcc: b@example.vn"}, {To: ""}} {
		if _, _, err := p.letter(m); err == nil {
			t.Errorf("%+v was taken", m)
		}
	}
}

func FuzzReadSubscriber(f *testing.F) {
	f.Add("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4", "BTBZMqHH6r4Tts7J_aSIgg", []byte("x"))
	f.Fuzz(func(t *testing.T, key, auth string, text []byte) {
		s, err := ReadSubscriber(key, auth)
		if err != nil {
			return
		}
		if body, err := s.seal(text); err == nil && len(body) > recordSize {
			t.Errorf("a body of %d bytes", len(body))
		}
	})
}

func FuzzVerify(f *testing.F) {
	f.Add("t=1,v1=00", []byte("x"))
	f.Fuzz(func(t *testing.T, header string, body []byte) {
		if Verify([]byte("secret of the test"), body, header, time.Unix(1, 0)) == nil {
			t.Error("a guess was taken")
		}
	})
}

var _ sender = (*pusher)(nil)
