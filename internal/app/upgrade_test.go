package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keng-vn/keng/internal/engine/backup"
	"github.com/keng-vn/keng/internal/engine/clock"
)

// saved is the folder with the data of every released version: a backup, and what
// must still be true after an upgrade. `make upgrade-seed SEED=v0.2.0` writes the
// pair of a version; it is made once, from the release, and never changed.
const saved = "testdata/upgrade"

// remembered is what must outlive every upgrade.
type remembered struct {
	Open     []string          `json:"open"`   // incidents
	Closed   []string          `json:"closed"` // incidents
	Events   int               `json:"events"` // in the journal
	People   []string          `json:"people"` // names, sorted
	Handover string            `json:"handover"`
	Secrets  map[string]string `json:"secrets"` // made up people's: asker to session or token
	Invite   string            `json:"invite"`  // path of an invite that was not used
}

// TestEveryReleasedVersionUpgrades restores the data of each released version into
// each engine, starts Keng on it and asks for what was there.
func TestEveryReleasedVersionUpgrades(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(saved, "*.keng"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no saved data: %v", err)
	}
	for _, file := range files {
		version := strings.TrimSuffix(filepath.Base(file), ".keng")
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if len(b) > 200<<10 {
			t.Errorf("%s: %d bytes are too many for the repository", file, len(b))
		}
		text, err := os.ReadFile(strings.TrimSuffix(file, ".keng") + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var was remembered
		if err := json.Unmarshal(text, &was); err != nil {
			t.Fatal(err)
		}
		for _, d := range dsns(t) {
			t.Run(version+" on "+d.name, func(t *testing.T) { upgrades(t, version, b, was, d) })
		}
	}
}

func upgrades(t *testing.T, version string, b []byte, was remembered, d dsn) {
	if d.data == "" {
		d.data = t.TempDir() // for the key files
	}
	o := Options{Data: d.data, Database: d.url, MQTT: "127.0.0.1:0", HTTP: "127.0.0.1:0"}
	got, err := Restore(t.Context(), o, bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if got.Head.Program != version || len(got.Journal.Wrong) > 0 || got.Journal.Events != was.Events {
		t.Errorf("made by %s, journal %+v, want %d events", got.Head.Program, got.Journal, was.Events)
	}
	o.Clock = at(got.Head.Made) // its sessions and invites are good then
	a := again(t, o)
	if report := a.Alarm.Audit(); !report.OK {
		t.Errorf("audit: %+v", report)
	}
	h := a.Kit.Handler()
	for asker, secret := range was.Secrets {
		if status, body, _ := ask(t, h, secret, http.MethodGet, "/api/v1/me", "", ""); status != http.StatusOK {
			t.Errorf("%s is signed out: %d %s", asker, status, body)
		}
	}
	desk := was.Secrets["desk"]
	for state, want := range map[string][]string{"open": was.Open, "closed": was.Closed} {
		if diff := cmp.Diff(want, incidents(t, a, desk, state)); diff != "" {
			t.Errorf("%s incidents (-before +after):\n%s", state, diff)
		}
	}
	if diff := cmp.Diff(was.People, names(t, a)); diff != "" {
		t.Errorf("people (-before +after):\n%s", diff)
	}
	if _, body, _ := ask(t, h, desk, http.MethodGet, "/api/v1/handovers", "", ""); !strings.Contains(body, was.Handover) {
		t.Errorf("handovers: %s", body)
	}
	if status, body, _ := ask(t, h, "", http.MethodGet, was.Invite, "", ""); status != http.StatusOK {
		t.Errorf("the invite: %d %.200s", status, body)
	}
	for _, id := range was.Open { // life goes on
		if status, body, _ := ask(t, h, desk, http.MethodPost, "/api/v1/incidents/{id}/close", id, `{"cause":"real"}`); status != http.StatusOK {
			t.Errorf("close %s: %d %s", id, status, body)
		}
	}
	if found, err := a.journal.Verify(t.Context()); err != nil || len(found.Wrong) > 0 {
		t.Errorf("journal: %v, %v", found, err)
	}
}

// at is a clock that begins at t.
func at(t time.Time) *clock.Clock {
	start := time.Now()
	return clock.Of(func() time.Time { return t.Add(time.Since(start)) }, func() time.Duration { return time.Since(start) })
}

func incidents(t *testing.T, a *App, secret, state string) []string {
	t.Helper()
	status, body, _ := askAt(t, a.Kit.Handler(), secret, "/api/v1/incidents?state="+state)
	var list []struct{ ID string }
	if err := json.Unmarshal([]byte(body), &list); err != nil || status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	ids := []string{}
	for _, i := range list {
		ids = append(ids, i.ID)
	}
	slices.Sort(ids)
	return ids
}

func askAt(t *testing.T, h http.Handler, secret, path string) (int, string, string) {
	t.Helper()
	return ask(t, h, secret, http.MethodGet, path, "", "")
}

func names(t *testing.T, a *App) []string {
	t.Helper()
	rows, err := a.DB.Read().QueryContext(t.Context(), `SELECT name FROM person`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var all []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

// TestWriteUpgradeSeed writes the saved data of the version in KENG_SEED: a demo's
// village that has lived a little.
func TestWriteUpgradeSeed(t *testing.T) {
	version := os.Getenv("KENG_SEED")
	if version == "" {
		t.Skip("KENG_SEED names no version; see make upgrade-seed")
	}
	a, who := street(t)
	delete(who, "nobody")
	h := a.Kit.Handler()
	do := func(asker, path, id, body string) {
		t.Helper()
		if status, text, _ := ask(t, h, who[asker], http.MethodPost, path, id, body); status >= 300 {
			t.Fatalf("%s by %s: %d %s", path, asker, status, text)
		}
	}
	was := remembered{Secrets: who, Handover: "Ngõ 12 mất điện từ 14 giờ"}
	for range 2 {
		id := raise(t, a, who["leader"])
		do("resident", "/api/v1/incidents/{id}/answers", id, `{"answer":"coming","home":"g1-h3"}`)
		do("desk", "/api/v1/incidents/{id}/acknowledge", id, `{}`)
		do("desk", "/api/v1/incidents/{id}/close", id, `{"cause":"real"}`)
	}
	id := raise(t, a, who["leader"])
	do("desk", "/api/v1/incidents/{id}/notes", id, `{"text":"đã gọi"}`)
	do("desk", "/api/v1/handovers", "", fmt.Sprintf(`{"text":%q}`, was.Handover))
	invites, err := a.People.InviteHome(t.Context(), "g1-h2", "")
	if err != nil {
		t.Fatal(err)
	}
	was.Invite = invites[0].Path()
	was.Open, was.Closed, was.People = incidents(t, a, who["desk"], "open"), incidents(t, a, who["desk"], "closed"), names(t, a)
	found, err := a.journal.Verify(t.Context())
	if err != nil || len(was.Open) != 1 || len(was.Closed) != 2 {
		t.Fatalf("%+v, %v", was, err)
	}
	was.Events = found.Events
	text, err := json.MarshalIndent(was, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(saved, version)
	if err := os.WriteFile(name+".json", append(text, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
	o := a.Options
	o.Version = version
	if err := backup.Create(name+".keng", nil, func(w io.Writer) error { _, _, err := Backup(t.Context(), o, w); return err }); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name+".keng", 0o644); err != nil {
		t.Fatal(err)
	}
}
