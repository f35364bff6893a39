package place_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/engine/store/storetest"
	"github.com/keng-vn/keng/internal/place"
)

func TestFoldMeetsBothSpellings(t *testing.T) {
	for _, c := range [][2]string{
		{"Hoà Bình", "Hòa Bình"},
		{"Thuỷ", "Thủy"},
		{"Đà Bắc", "da  bac"},
		{"  Tân\tHoà ", "tan hoa"},
		{"Tô\u0309 liên gia", "Tổ liên gia"},
		{"ĐƯỜNG SỐ 1", "đường số 1"},
	} {
		if a, b := place.Fold(c[0]), place.Fold(c[1]); a != b {
			t.Errorf("Fold(%q) = %q, Fold(%q) = %q", c[0], a, c[1], b)
		}
	}
	if place.Fold("Bá") == place.Fold("Bó") {
		t.Error("different vowels meet")
	}
}

func FuzzFoldIsStable(f *testing.F) {
	for _, s := range []string{"Hoà", "Đ\u0301", "\xff", " a  b ", "İ", "ﬁ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if a := place.Fold(s); place.Fold(a) != a {
			t.Errorf("Fold(%q) = %q, again %q", s, a, place.Fold(a))
		}
	})
}

func TestUnits(t *testing.T) {
	all := place.Units()
	if len(all) != 149 || all[0].Kind != "province" {
		t.Fatalf("%d units, first %+v, want the province and 148 more", len(all), all[0])
	}
	for _, u := range all[1:] {
		if len(u.Code) != 5 || u.Parent != place.Province().Code {
			t.Errorf("unit %+v", u)
		}
	}
	want := place.Unit{Code: "04792", Name: "Tân Hoà", FullName: "Phường Tân Hoà", Kind: "ward", Parent: "25"}
	if u, _ := place.UnitOf("04792"); u != want {
		t.Errorf("04792 is %+v", u)
	}
	if _, ok := place.UnitOf("4792"); ok {
		t.Error("a code without its zero is a code")
	}
	for q, code := range map[string]place.UnitCode{"tân hòa": "04792", "4792": "04792", "Yên Mông": "04792", "Mường Thàng": "05116"} {
		if got := place.FindUnits(q); len(got) == 0 || got[0].Code != code {
			t.Errorf("FindUnits(%q) = %v, want %s first", q, got, code)
		}
	}
}

func TestScopes(t *testing.T) {
	g := place.Group{ID: "g1", Commune: "04792"}
	for s, want := range map[string]bool{"g1": true, "g2": false, "04792": true, "04795": false, "25": true, "26": false, "": false} {
		scope := place.ParseScope(s)
		if got := scope.Covers(g, place.ParentOf(g.Commune)); got != want {
			t.Errorf("%q covers %v, want %v", s, got, want)
		}
		if scope.String() != s {
			t.Errorf("%q comes back as %q", s, scope)
		}
	}
}

func open(t *testing.T, dsn string) *store.DB {
	t.Helper()
	db := storetest.Open(t, dsn)
	if err := db.Migrate(t.Context(), place.Migrations); err != nil {
		t.Fatal(err)
	}
	return db
}

func put(t *testing.T, db *store.DB, prune bool, groups ...place.Group) place.Changes {
	t.Helper()
	var c place.Changes
	err := db.Tx(t.Context(), func(tx *sql.Tx) (err error) {
		if c, err = place.Put(t.Context(), tx, groups, prune); err != nil {
			return err
		}
		return place.Bump(t.Context(), tx)
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func street(id place.GroupID, homes ...place.HomeID) place.Group {
	g := place.Group{ID: id, Commune: "04792", Name: "Tổ liên gia " + string(id), Neighbourhood: "Tổ 5"}
	for i, h := range homes {
		g.Homes = append(g.Homes, place.Home{ID: h, Group: id, Name: "Nhà " + string(h), Address: "Số 1, ngõ 12", Lat: 20.8 + float64(i)/1e4, Lon: 105.3, Placed: true})
	}
	return g
}

func TestPutIsIdempotentAndPrunesOnlyWhenAsked(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		db := open(t, dsn)
		g1, g2 := street("g1", "g1-h2", "g1-h1"), street("g2", "g2-h1")
		g1.Adjoining, g1.AllCalm, g1.Plan = []place.GroupID{"g2"}, "22:00", `{"x":1}`
		if got, want := put(t, db, false, g1, g2), (place.Changes{Groups: place.Tally{Added: 2}, Homes: place.Tally{Added: 3}}); !cmp.Equal(got, want) {
			t.Error(cmp.Diff(want, got))
		}
		if got, want := put(t, db, false, g1, g2), (place.Changes{Groups: place.Tally{Unchanged: 2}, Homes: place.Tally{Unchanged: 3}}); !cmp.Equal(got, want) {
			t.Error(cmp.Diff(want, got))
		}
		less := g1
		less.Homes = g1.Homes[1:] // g1-h1 moves to the head of the street
		if got := put(t, db, false, less).Homes; got.Changed != 1 || got.Removed != 0 || !slices.Equal(got.Absent, []string{"g1-h2"}) {
			t.Errorf("without prune: %+v", got)
		}
		d, err := place.Load(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		if g, _ := d.Group("g1"); len(g.Homes) != 2 {
			t.Errorf("homes %v, want both", g.Homes)
		}
		if got := put(t, db, true, less).Homes; got.Removed != 1 || got.Unchanged != 1 {
			t.Errorf("with prune: %+v", got)
		}
		if d, err = place.Load(t.Context(), db); err != nil {
			t.Fatal(err)
		}
		got, _ := d.Group("g1")
		if diff := cmp.Diff(less, got); diff != "" {
			t.Error(diff)
		}
		if _, ok := d.Home("g2-h1"); !ok {
			t.Error("prune took a home of a group that was not named")
		}
	})
}

func TestAHomeMovesBetweenGroups(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		db := open(t, dsn)
		put(t, db, false, street("g1", "a", "b"), street("g2", "c"))
		if got := put(t, db, true, street("g1", "a"), street("g2", "c", "b")).Homes; got.Changed != 1 || got.Removed != 0 {
			t.Errorf("changes %+v", got)
		}
		d, err := place.Load(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		if g, _ := d.GroupOf("b"); g.ID != "g2" {
			t.Errorf("b is in %q", g.ID)
		}
	})
}

func TestDirectory(t *testing.T) {
	g1, g2, g10 := street("g1", "g1-h1"), street("g2", "g2-h1"), street("g10", "g10-h1")
	g2.Commune = "04795"
	g10.Adjoining = []place.GroupID{"g1", "g10", "gone"}
	d := place.NewDirectory(7, []place.Group{g10, g2, g1})
	var order []place.GroupID
	for _, g := range d.Groups() {
		order = append(order, g.ID)
	}
	if diff := cmp.Diff([]place.GroupID{"g1", "g2", "g10"}, order); diff != "" {
		t.Error(diff)
	}
	if g, _ := d.Group("g1"); !slices.Equal(g.Adjoining, []place.GroupID{"g10"}) {
		t.Errorf("g1 adjoins %v, want g10, which says so", g.Adjoining)
	}
	if g, _ := d.Group("g10"); !slices.Equal(g.Adjoining, []place.GroupID{"g1"}) {
		t.Errorf("g10 adjoins %v", g.Adjoining)
	}
	for scope, n := range map[string]int{"g2": 1, "04792": 2, "04795": 1, "25": 3, "01": 0, "gone": 0} {
		if got := d.In(place.ParseScope(scope)); len(got) != n {
			t.Errorf("%d groups in %s, want %d", len(got), scope, n)
		}
	}
	if _, ok := d.Group("g3"); ok {
		t.Error("g3 exists")
	}
	if _, ok := d.GroupOf("g3-h1"); ok {
		t.Error("g3-h1 exists")
	}
}

func TestWatcherTellsEveryListener(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		db := open(t, dsn)
		w, err := place.Watch(t.Context(), db, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		var heard []int64
		broken := true
		w.Listen(func(_ context.Context, d *place.Directory) error {
			heard = append(heard, d.Version())
			return nil
		})
		w.Listen(func(context.Context, *place.Directory) error {
			if broken {
				return errors.New("not now")
			}
			return nil
		})
		if err := w.Refresh(t.Context()); err != nil || len(heard) != 0 {
			t.Fatalf("nothing changed: %v, heard %v", err, heard)
		}
		put(t, db, false, street("g1", "g1-h1"))
		if err := w.Refresh(t.Context()); err == nil {
			t.Error("a listener's failure was lost")
		}
		if _, ok := w.Directory().Home("g1-h1"); !ok {
			t.Error("a broken listener keeps the directory old")
		}
		broken = false
		for range 2 {
			if err := w.Refresh(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if v := w.Directory().Version(); !slices.Equal(heard, []int64{v, v}) {
			t.Errorf("heard %v, want version %d twice: once beside the failure, once after", heard, v)
		}
	})
}

// TestWatcherLooksEverySecond runs the clock of the watcher, not of the database.
func TestWatcherLooksEverySecond(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "keng.db"))
	put(t, db, false, street("g1", "g1-h1"))
	synctest.Test(t, func(t *testing.T) {
		w, err := place.Watch(context.Background(), db, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		told := make(chan struct{}, 1)
		w.Listen(func(context.Context, *place.Directory) error { told <- struct{}{}; return nil })
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() { w.Run(ctx); close(done) }()
		put(t, db, false, street("g2", "g2-h1"))
		<-told
		cancel()
		<-done
	})
}

const square = `{"type":"FeatureCollection","features":[
 {"type":"Feature","properties":{"code":"04792","name":"x","area":3},"geometry":{"type":"Polygon","coordinates":[[[105,20,7],[106,20],[106,21],[105,20]]]}},
 {"type":"Feature","properties":{"code":"04795"},"geometry":{"type":"MultiPolygon","coordinates":[[[[105,20],[106,20],[106,21],[105,20]]]]}}]}`

func TestBoundaries(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		db := open(t, dsn)
		if b, err := place.Boundaries(t.Context(), db.Read()); b != nil || err != nil {
			t.Fatalf("boundaries before any: %s, %v", b, err)
		}
		for _, want := range []place.Tally{{Added: 2}, {Unchanged: 2}} {
			got, err := place.ImportBoundaries(t.Context(), db, strings.NewReader(square))
			if err != nil || !cmp.Equal(want, got) {
				t.Fatalf("%+v, %v, want %+v", got, err, want)
			}
		}
		b, err := place.Boundaries(t.Context(), db.Read())
		if err != nil {
			t.Fatal(err)
		}
		want := `{"type":"FeatureCollection","features":[` +
			`{"type":"Feature","properties":{"code":"04792","name":"Phường Tân Hoà"},"geometry":{"type":"Polygon","coordinates":[[[105,20],[106,20],[106,21],[105,20]]]}},` +
			`{"type":"Feature","properties":{"code":"04795","name":"Phường Hoà Bình"},"geometry":{"type":"MultiPolygon","coordinates":[[[[105,20],[106,20],[106,21],[105,20]]]]}}]}`
		if diff := cmp.Diff(want, string(b)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestBoundariesRefuseWhatIsWrong(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "keng.db"))
	one := func(code, geo string) string {
		return `{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"code":"04792"},"geometry":{"type":"Polygon","coordinates":[[[1,1],[2,1],[2,2],[1,1]]]}},{"type":"Feature","properties":{"code":"` + code + `"},"geometry":` + geo + `}]}`
	}
	good := `{"type":"Polygon","coordinates":[[[1,1],[2,1],[2,2],[1,1]]]}`
	for name, c := range map[string]struct{ text, says string }{
		"no json":         {`<kml/>`, "invalid character"},
		"no collection":   {`{"type":"Feature"}`, "FeatureCollection"},
		"empty":           {`{"type":"FeatureCollection","features":[]}`, "empty"},
		"unknown unit":    {one("99999", good), "feature 2"},
		"no zero":         {one("4792", good), "4792"},
		"twice":           {one("04792", good), "twice"},
		"point":           {one("04795", `{"type":"Point","coordinates":[1,1]}`), "Polygon"},
		"swapped":         {one("04795", `{"type":"Polygon","coordinates":[[[20,105],[21,105],[21,106],[20,105]]]}`), "longitude"},
		"off the map":     {one("04795", `{"type":"Polygon","coordinates":[[[-181,1],[2,1],[2,2],[-181,1]]]}`), "longitude"},
		"open ring":       {one("04795", `{"type":"Polygon","coordinates":[[[1,1],[2,1],[2,2],[1,2]]]}`), "closed"},
		"short ring":      {one("04795", `{"type":"Polygon","coordinates":[[[1,1],[2,1],[1,1]]]}`), "four"},
		"no polygons":     {one("04795", `{"type":"MultiPolygon","coordinates":[]}`), "without"},
		"text for a ring": {one("04795", `{"type":"Polygon","coordinates":"x"}`), "coordinates"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := place.ImportBoundaries(t.Context(), db, strings.NewReader(c.text)); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want one about %q", err, c.says)
			}
			if b, err := place.Boundaries(t.Context(), db.Read()); b != nil || err != nil {
				t.Errorf("half of it was stored: %s, %v", b, err)
			}
		})
	}
}

// TestRealBoundaries takes the boundaries that the operator of the pilot has.
func TestRealBoundaries(t *testing.T) {
	path := os.Getenv("KENG_BOUNDARIES")
	if path == "" {
		t.Skip("KENG_BOUNDARIES names no file")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	db := open(t, filepath.Join(t.TempDir(), "keng.db"))
	tally, err := place.ImportBoundaries(t.Context(), db, bytes.NewReader(text))
	if err != nil || tally.Added != len(place.Units())-1 {
		t.Fatalf("%+v, %v", tally, err)
	}
	b, err := place.Boundaries(t.Context(), db.Read())
	if err != nil || !json.Valid(b) {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}

func TestNaturalOrderIsTotal(t *testing.T) {
	ids := []place.GroupID{"g", "g1", "g01", "g2", "g10", "g10a", "g10b2", "h", "1", "10"}
	groups := make([]place.Group, 0, len(ids))
	for _, id := range ids {
		groups = append(groups, place.Group{ID: id})
	}
	first := place.NewDirectory(1, groups).Groups()
	slices.Reverse(groups)
	if diff := cmp.Diff(first, place.NewDirectory(1, groups).Groups(), cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}
