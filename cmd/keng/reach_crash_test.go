package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/keng-vn/keng/internal/engine/notify"
	"github.com/keng-vn/keng/internal/village/post"
)

// callRounds is how often the test below kills Keng in the middle of calling.
func callRounds() int {
	if os.Getenv("KENG_SOAK") != "" {
		return 1000
	}
	if testing.Short() {
		return 5
	}
	return 25
}

// TestKilledWhileCallingForgetsNobodyAndCallsNobodyTwice kills Keng with SIGKILL
// while it calls homes by push and SMS, again and again. After each restart every
// home was called for the alarm, and none twice: what came twice came under the
// same id, which phones and gateways take once.
func TestKilledWhileCallingForgetsNobodyAndCallsNobodyTwice(t *testing.T) {
	const homes = 8 // the first four have a phone that takes push, the others a number
	data := t.TempDir()
	token := callVillage(t, data, homes)
	service, err := post.Open("")
	if err != nil {
		t.Fatal(err)
	}
	defer service.Close()
	gateway, err := post.OpenGateway("a secret for the test")
	if err != nil {
		t.Fatal(err)
	}
	defer gateway.Close()
	t.Setenv("KENG_PUSH_PRIVATE", "1")
	t.Setenv("KENG_SMS_GATEWAY", gateway.URL())
	t.Setenv("KENG_GATEWAY_SECRET", "a secret for the test")

	p := startKeng(t, nil, nil, "--data", data)
	service.Expect(pushKeyOf(t, data))
	p.kill()
	phones := enrolled(t, data, service, homes/2)
	p = startKeng(t, p, nil, "--data", data)
	twice := 0
	for n := range callRounds() {
		for k, ph := range phones { // some answer slowly, so that the kill meets them under way
			ph.Be(post.Mood{Slow: time.Duration(rand.IntN(3)*k) * 10 * time.Millisecond})
		}
		ctx, cancel := context.WithCancel(t.Context())
		raised := make(chan struct{})
		go func() {
			defer close(raised)
			p.try(ctx, token, "/api/v1/incidents", `{"group":"g1","home":"g1-h1","category":"fire"}`)
		}()
		pause(t.Context(), time.Duration(rand.IntN(60))*time.Millisecond)
		p.kill()
		cancel()
		<-raised
		for _, ph := range phones {
			ph.Be(post.Mood{})
		}
		p = startKeng(t, p, nil, "--data", data)
		if len(openOnes(t, p, token)) == 0 { // it was killed before the alarm was saved
			p.post(token, "/api/v1/incidents", `{"group":"g1","home":"g1-h1","category":"fire"}`)
		}
		open := openOnes(t, p, token)
		if len(open) != 1 {
			t.Fatalf("%d incidents are open", len(open))
		}
		deadline := time.Now().Add(20 * time.Second)
		for {
			missing := ""
			for k, ph := range phones {
				ids := map[string]bool{}
				for _, d := range ph.Got() {
					if strings.Contains(string(d.Text), `"kind":"alarm"`) && strings.Contains(string(d.Text), open[0]) {
						ids[d.ID] = true
					}
				}
				switch {
				case len(ids) == 0:
					missing = fmt.Sprintf("home %d was not called by push", k+1)
				case len(ids) > 1:
					t.Fatalf("round %d: home %d was called %d times", n, k+1, len(ids))
				}
			}
			orders := map[string]int{}
			for _, o := range gateway.Orders() {
				orders[o.To]++
			}
			for k := homes / 2; k < homes; k++ {
				switch got := orders[number(k)]; {
				case got < n+1:
					missing = fmt.Sprintf("home %d was not called by SMS", k+1)
				case got > n+1:
					t.Fatalf("round %d: home %d got %d SMS", n, k+1, got)
				}
			}
			if missing == "" {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("round %d: %s\n%s", n, missing, p.errors())
			}
			pause(t.Context(), 10*time.Millisecond)
		}
		closeSome(t, p, token)
	}
	for _, ph := range phones {
		seen := map[string]bool{}
		for _, d := range ph.Got() {
			if seen[d.ID] {
				twice++
			}
			seen[d.ID] = true
		}
	}
	p.kill()
	for _, c := range append(service.Complaints(), gateway.Complaints()...) {
		t.Errorf("complaint: %s", c)
	}
	t.Logf("%d rounds; known ids came again: %d by push, %d by SMS", callRounds(), twice, gateway.Again())
}

func number(k int) string { return fmt.Sprintf("+8490000%04d", k) }

// callVillage imports one group whose plan calls by push and SMS at once, and
// returns a desk's token.
func callVillage(t *testing.T, data string, homes int) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("commune: \"04792\"\nhubs:\n  - {username: alley12, password: " + hubPassword + "}\ngroups:\n  - id: g1\n    name: Tổ 1\n    neighbourhood: Tổ 5\n")
	b.WriteString("    plan: {fire: {steps: [{name: push, after: 0, if: always, call: [push]}, {name: sms, after: 0, if: homes_without_receipt, call: [sms]}, {name: desk, after: 60, if: desk_mute, call: [desk_sound]}]}}\n    homes:\n")
	for k := range homes {
		phone := ""
		if k >= homes/2 {
			phone = fmt.Sprintf(", phone: %q", number(k))
		}
		fmt.Fprintf(&b, "      - {id: g1-h%d, name: Nhà %d, address: Ngõ 12, members: [{name: Chủ hộ %d, role: member%s}], devices: [{id: b%d, kind: button, dialect: json, topic: keng/b%d, hub: alley12}]}\n", k+1, k+1, k+1, phone, k, k)
	}
	file := filepath.Join(t.TempDir(), "village.yaml")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	keng(t, "import", "village", file, "--data", data)
	return keng(t, "token", "create", "--role", "desk", "--unit", "04792", "--data", data)
}

// enrolled writes a phone for one person of each of the first n homes.
func enrolled(t *testing.T, data string, service *post.Service, n int) (phones []*post.Phone) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(data, "keng.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for k := range n {
		p, err := service.Phone()
		if err != nil {
			t.Fatal(err)
		}
		p256dh, auth := p.Keys()
		if _, err := db.ExecContext(t.Context(), `INSERT INTO reach_phone (id, person, endpoint, p256dh, auth, lang, label, made_ms, asked_ms, proven_ms, took_ms)
			SELECT $1, id, $2, $3, $4, 'vi', '', 1, 0, 0, 0 FROM person WHERE home = $5`, fmt.Sprint("phone", k), p.Endpoint(), p256dh, auth, fmt.Sprintf("g1-h%d", k+1)); err != nil {
			t.Fatal(err)
		}
		phones = append(phones, p)
	}
	return phones
}

func openOnes(t *testing.T, p *process, token string) (ids []string) {
	t.Helper()
	_, body := p.get(token, "/api/v1/incidents?state=open")
	var open []struct{ ID string }
	if err := json.Unmarshal([]byte(body), &open); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	for _, i := range open {
		ids = append(ids, i.ID)
	}
	return ids
}

// try posts and does not mind that Keng is killed meanwhile.
func (p *process) try(ctx context.Context, token, path, body string) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.http+path, strings.NewReader(body))
	if err != nil {
		return
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	if resp, err := http.DefaultClient.Do(r); err == nil {
		_ = resp.Body.Close()
	}
}

func pushKeyOf(t *testing.T, data string) string {
	t.Helper()
	key, err := notify.OpenKey(filepath.Join(data, notify.KeyFile), "https://example.vn")
	if err != nil {
		t.Fatal(err)
	}
	return key.Public()
}
