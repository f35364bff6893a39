package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/privacy"
)

// remain are the columns in which the number of an erased person stays, with the
// why: without his row it is nobody's.
var remain = map[string]string{
	"alarm_event.body":    "the journal is chained, and others rely on it",
	"alarm_incident.body": "made of the journal",
}

// TestErasedPersonIsInNoTable lets a resident do what leaves traces everywhere,
// erases her as the desk does, and reads every column of every table. Whoever adds
// a table that holds a person adds an Eraser (openPrivacy).
func TestErasedPersonIsInNoTable(t *testing.T) {
	a, who := street(t)
	h := a.Kit.Handler()
	status, body, _ := ask(t, h, who["resident"], http.MethodGet, "/api/v1/me", "", "")
	var me struct {
		Person people.ID `json:"person"`
		Name   string    `json:"name"`
	}
	if err := json.Unmarshal([]byte(body), &me); err != nil || status != http.StatusOK {
		t.Fatal(status, body)
	}
	officer := people.Actor{Person: "p-officer", Role: people.Desk, Scope: place.Scope{Unit: "04792"}}
	id := raise(t, a, who["resident"])
	for path, text := range map[string]string{
		"/api/v1/incidents/" + id + "/answers": `{"answer":"safe"}`,
		"/api/v1/chat/g1":                      `{"text":"Chim hoàng yến"}`,
		"/api/v1/me/skills":                    `{"skill":"first_aid","on":true}`,
		"/api/v1/me/export":                    `{}`,
	} {
		status, body, _ := ask(t, h, who["resident"], http.MethodPost, path, id, text)
		if status >= 300 {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	calm(t, a)
	a.Privacy.Looked(t.Context(), officer, a.Village.Directory().In(place.Scope{Group: "g1"}))
	if err := a.Privacy.WriteLooks(t.Context()); err != nil {
		t.Fatal(err)
	}
	var asked struct{ ID string }
	status, body, _ = ask(t, h, who["resident"], http.MethodPost, "/api/v1/me/requests", "", `{"kind":"delete"}`)
	if err := json.Unmarshal([]byte(body), &asked); err != nil || status != http.StatusCreated {
		t.Fatal(status, body)
	}
	if where := columnsWith(t, a.DB, string(me.Person), me.Name); len(where) < 6 {
		t.Fatalf("she left traces in %v only: this test finds nothing", where)
	} else {
		t.Logf("before: %v", where)
	}
	if _, err := a.Privacy.Answer(t.Context(), officer, asked.ID, privacy.Done, ""); err != nil {
		t.Fatal(err)
	}
	for _, c := range columnsWith(t, a.DB, string(me.Person), me.Name) {
		if remain[c] == "" {
			t.Errorf("%s still holds her", c)
		}
	}
	if got, err := a.Audit.VerifyRows(t.Context()); err != nil || len(got.Wrong) > 0 {
		t.Errorf("the log: %v, %v", got, err)
	}
}

// columnsWith lists table.column of every column in which one of needles stands.
func columnsWith(t *testing.T, db *store.DB, needles ...string) []string {
	t.Helper()
	tables := namesIn(t, db, `SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`)
	var found []string
	for _, table := range tables {
		for _, column := range namesIn(t, db, `SELECT name FROM pragma_table_info('`+table+`')`) {
			for _, n := range needles {
				var count int
				if err := db.Read().QueryRowContext(t.Context(), fmt.Sprintf(`SELECT count(*) FROM %q WHERE instr(CAST(%q AS TEXT), $1) > 0`, table, column), n).Scan(&count); err != nil {
					t.Fatal(err)
				}
				if count > 0 {
					found = append(found, table+"."+column)
					break
				}
			}
		}
	}
	return found
}

func namesIn(t *testing.T, db *store.DB, q string) []string {
	t.Helper()
	rows, err := db.Read().QueryContext(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var list []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		list = append(list, s)
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	return list
}
