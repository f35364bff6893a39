package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/keng-vn/keng/internal/people"
)

// TestOnlyALeaderInvitesAgain asks everybody to let the resident of g1-h5 in anew.
func TestOnlyALeaderInvitesAgain(t *testing.T) {
	a, who := street(t)
	p := a.Book.Home("g1-h5")[0]
	for asker, want := range all(signIn, unknown, denied, yes, denied, unknown, denied, unknown) {
		status, body, _ := ask(t, a.Kit.Handler(), who[asker], http.MethodPost, "/api/v1/people/"+string(p.ID)+"/invite", "", `{"lost":true}`)
		if got := answerOf(status, ""); got != want {
			t.Errorf("%s: %s, want %s: %s", asker, got, want, body)
		}
		keepsQuiet(t, asker, body)
		if want != yes {
			continue
		}
		var i people.InviteView
		if err := json.Unmarshal([]byte(body), &i); err != nil || len(i.Code) != 14 || !strings.HasPrefix(i.Link, "http://127.0.0.1/i/") || !strings.HasPrefix(i.QR, "data:image/svg+xml;base64,") {
			t.Errorf("%s", body)
		}
		var n int
		if err := a.DB.Read().QueryRowContext(t.Context(), `SELECT count(*) FROM audit_act WHERE name <> 'keng.start'`).Scan(&n); err != nil || n != 1 {
			t.Errorf("%d acts are on record, %v", n, err)
		}
	}
}

// TestNothingChangesByGET keeps the routes to what their method says: who follows
// a link, or a browser that fetches ahead, changes nothing.
func TestNothingChangesByGET(t *testing.T) {
	a, who := street(t)
	before := everything(t, a)
	for _, r := range a.Kit.Routes() {
		if r.Static || r.Method != http.MethodGet || strings.HasSuffix(r.Pattern, "/stream") {
			continue
		}
		for _, asker := range askers {
			ask(t, a.Kit.Handler(), who[asker], r.Method, r.Pattern, "none", "")
		}
		if after := everything(t, a); after != before {
			t.Fatalf("%s %s changed the data:\n%s", r.Method, r.Pattern, difference(before, after))
		}
	}
	// A change is seen: without this the test above could not fail.
	ask(t, a.Kit.Handler(), who["resident"], http.MethodPost, "/api/v1/sign-out", "none", `{}`)
	if everything(t, a) == before {
		t.Error("signing out changed nothing that this test looks at")
	}
}

// looks are the tables in which it is on record that somebody looked: that is what
// looking leaves behind, and all of it.
func looks(table string) bool {
	return strings.HasPrefix(table, "audit") || table == "privacy_look"
}

// everything is what all tables hold, a line for each row, but for [looks].
func everything(t *testing.T, a *App) string {
	t.Helper()
	names, err := a.DB.Read().QueryContext(t.Context(), `SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = names.Close() }()
	var tables []string
	for names.Next() {
		var name string
		if err := names.Scan(&name); err != nil {
			t.Fatal(err)
		}
		if !looks(name) {
			tables = append(tables, name)
		}
	}
	if err := names.Err(); err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, name := range tables {
		for _, row := range rowsOf(t, a, name) {
			all.WriteString(name + " " + row + "\n")
		}
	}
	return all.String()
}

func rowsOf(t *testing.T, a *App, table string) []string {
	t.Helper()
	rows, err := a.DB.Read().QueryContext(t.Context(), `SELECT * FROM "`+table+`"`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	cols, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for rows.Next() {
		cells := make([]any, len(cols))
		for k := range cells {
			cells[k] = new(any)
		}
		if err := rows.Scan(cells...); err != nil {
			t.Fatal(err)
		}
		var line strings.Builder
		for _, c := range cells {
			fmt.Fprintf(&line, "%v|", *c.(*any))
		}
		list = append(list, line.String())
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(list)
	return list
}

// difference lists the rows that only one of two states has.
func difference(before, after string) string {
	var d strings.Builder
	for _, row := range strings.Split(after, "\n") {
		if !strings.Contains(before, row+"\n") {
			d.WriteString("+ " + row + "\n")
		}
	}
	for _, row := range strings.Split(before, "\n") {
		if !strings.Contains(after, row+"\n") {
			d.WriteString("- " + row + "\n")
		}
	}
	return d.String()
}
