package village_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keng-vn/keng/internal/device"
	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/say"
	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/engine/store/storetest"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/signal"
	"github.com/keng-vn/keng/internal/village"
)

func open(t testing.TB, dsn string) *store.DB {
	t.Helper()
	db, err := store.Open(context.Background(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.Migrate(context.Background(), place.Migrations, people.Migrations, device.SQL); err != nil {
		t.Fatal(err)
	}
	return db
}

// bring imports f and returns the report without its rows of warnings.
func bring(t testing.TB, db *store.DB, f village.File, o village.Options) village.Report {
	t.Helper()
	rep, err := try(t, db, f, o)
	if err != nil {
		t.Fatalf("%v %v", err, rep.Rows)
	}
	rep.Rows = nil
	return rep
}

func try(t testing.TB, db *store.DB, f village.File, o village.Options) (village.Report, error) {
	t.Helper()
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return village.Import(context.Background(), db, &b, o)
}

// contents is everything that an import writes.
func contents(t *testing.T, db *store.DB) string {
	t.Helper()
	var b strings.Builder
	for _, table := range []string{"place_group", "place_home", "place_version", "person", "device_hub", "device"} {
		rows, err := db.Read().QueryContext(t.Context(), `SELECT * FROM `+table)
		if err != nil {
			t.Fatal(err)
		}
		lines := scan(t, rows)
		slices.Sort(lines)
		fmt.Fprintf(&b, "%s\n%s\n", table, strings.Join(lines, "\n"))
	}
	return b.String()
}

type rows interface {
	Next() bool
	Scan(...any) error
	Columns() ([]string, error)
	Close() error
	Err() error
}

func scan(t *testing.T, r rows) (lines []string) {
	t.Helper()
	defer func() { _ = r.Close() }()
	cols, err := r.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for r.Next() {
		vals := make([]any, len(cols))
		for i := range vals {
			vals[i] = new(any)
		}
		if err := r.Scan(vals...); err != nil {
			t.Fatal(err)
		}
		var line strings.Builder
		for _, v := range vals {
			fmt.Fprintf(&line, "%v|", *v.(*any))
		}
		lines = append(lines, line.String())
	}
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	return lines
}

func refusedFor(t *testing.T, rep village.Report, err error, keys ...string) {
	t.Helper()
	e, ok := errors.AsType[*fault.Error](err)
	if !ok || e.Kind != fault.Invalid || e.Key != "village.refused" {
		t.Errorf("error %v, want village.refused", err)
	}
	var got []string
	for _, r := range rep.Rows {
		if !r.Warning {
			got = append(got, r.Key)
		}
	}
	if diff := cmp.Diff(keys, got); diff != "" {
		t.Error(diff)
	}
}

func TestTheSameFileAgainChangesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		db := open(t, dsn)
		first := bring(t, db, village.TanHoa(), village.Options{})
		want := village.Report{Groups: place.Tally{Added: 3}, Homes: place.Tally{Added: 18}, Members: place.Tally{Added: 29}, Hubs: place.Tally{Added: 3}, Devices: place.Tally{Added: 54}}
		if diff := cmp.Diff(want, first); diff != "" {
			t.Error(diff)
		}
		before := contents(t, db)
		again := bring(t, db, village.TanHoa(), village.Options{Prune: true})
		want = village.Report{Pruned: true, Groups: place.Tally{Unchanged: 3}, Homes: place.Tally{Unchanged: 18}, Members: place.Tally{Unchanged: 29}, Hubs: place.Tally{Unchanged: 3}, Devices: place.Tally{Unchanged: 54}}
		if diff := cmp.Diff(want, again); diff != "" || again.Changed() {
			t.Error(diff)
		}
		if diff := cmp.Diff(before, contents(t, db)); diff != "" {
			t.Errorf("something was written: %s", diff)
		}
		d, err := place.Load(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		g, _ := d.Group("g2")
		if len(g.Homes) != 6 || !slices.Equal(g.Adjoining, []place.GroupID{"g1", "g3"}) || g.Homes[0].Name != "Nhà ông Bùi Văn Nhất" {
			t.Errorf("g2 is %+v", g)
		}
	})
}

func TestADryRunTellsWhatTheImportDoes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		db := open(t, dsn)
		bring(t, db, village.TanHoa(), village.Options{})
		f := smaller()
		before := contents(t, db)
		dry := bring(t, db, f, village.Options{Check: true, Prune: true})
		if diff := cmp.Diff(before, contents(t, db)); diff != "" {
			t.Fatalf("a dry run wrote: %s", diff)
		}
		real := bring(t, db, f, village.Options{Prune: true})
		dry.Checked = false
		if diff := cmp.Diff(dry, real); diff != "" {
			t.Error(diff)
		}
		if contents(t, db) == before {
			t.Error("nothing was imported")
		}
	})
}

// smaller is Tân Hoà without its last home of group 1, whose last device but one
// and second member are gone too; hub alley3 is not used any more.
func smaller() village.File {
	f := village.TanHoa()
	g := &f.Groups[0]
	g.Homes = g.Homes[:6]
	g.Homes[0].Members = g.Homes[0].Members[:1]
	g.Homes[0].Devices = g.Homes[0].Devices[1:]
	g.Homes[1].Name = "Nhà ông Thành"
	for i := range f.Groups[2].Homes {
		for j := range f.Groups[2].Homes[i].Devices {
			f.Groups[2].Homes[i].Devices[j].Hub = "alley14"
			f.Groups[2].Homes[i].Devices[j].Topic += "-3"
		}
	}
	f.Hubs = f.Hubs[:2]
	return f
}

func TestWhatTheFileDoesNotNameStaysUnlessPruned(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		db := open(t, dsn)
		bring(t, db, village.TanHoa(), village.Options{})
		kept := bring(t, db, smaller(), village.Options{})
		lost := []string{"g1-h1-smoke", "g1-h7-button", "g1-h7-siren", "g1-h7-smoke"}
		want := village.Report{
			Groups: place.Tally{Unchanged: 3}, Homes: place.Tally{Changed: 1, Unchanged: 16, Absent: []string{"g1-h7"}},
			Members: place.Tally{Unchanged: 27, Absent: []string{"g1-h1 Bùi Minh Khôi"}}, Hubs: place.Tally{Unchanged: 2},
			Devices: place.Tally{Changed: 15, Unchanged: 35, Absent: lost},
		}
		if diff := cmp.Diff(want, kept); diff != "" {
			t.Error(diff)
		}
		pruned := bring(t, db, smaller(), village.Options{Prune: true})
		want = village.Report{
			Pruned: true, Groups: place.Tally{Unchanged: 3}, Homes: place.Tally{Removed: 1, Unchanged: 17, Absent: []string{"g1-h7"}},
			Members: place.Tally{Removed: 2, Unchanged: 27, Absent: []string{"g1-h1 Bùi Minh Khôi"}}, Hubs: place.Tally{Unchanged: 2},
			Devices: place.Tally{Removed: 4, Unchanged: 50, Absent: lost},
		}
		if diff := cmp.Diff(want, pruned); diff != "" {
			t.Error(diff)
		}
		if again := bring(t, db, smaller(), village.Options{Prune: true}); again.Changed() || len(again.Devices.Absent) > 0 {
			t.Errorf("pruned twice: %+v", again)
		}
		one := village.TanHoa()
		one.Groups, one.Hubs = one.Groups[1:2], one.Hubs[1:2]
		if rep := bring(t, db, one, village.Options{Prune: true}); rep.Changed() || len(rep.Homes.Absent)+len(rep.Devices.Absent) > 0 {
			t.Errorf("groups that the file does not name were touched: %+v", rep)
		}
	})
}

// TestAHubThatLostItsLastDeviceGoesToo: its account must not stay open.
func TestAHubThatLostItsLastDeviceGoesToo(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		db := open(t, dsn)
		bring(t, db, village.TanHoa(), village.Options{})
		f := village.TanHoa()
		for i := range f.Groups[2].Homes {
			f.Groups[2].Homes[i].Devices = nil
		}
		f.Hubs = f.Hubs[:2]
		rep := bring(t, db, f, village.Options{Prune: true})
		if rep.Hubs.Removed != 1 || !slices.Equal(rep.Hubs.Absent, []string{"alley3"}) || rep.Devices.Removed != 15 {
			t.Errorf("%+v", rep)
		}
		if strings.Contains(contents(t, db), "alley3|") {
			t.Error("alley3 can still sign in")
		}
	})
}

func TestNothingIsHalfImported(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		db := open(t, dsn)
		bring(t, db, village.TanHoa(), village.Options{})
		before := contents(t, db)
		v, err := place.Version(t.Context(), db.Read())
		if err != nil {
			t.Fatal(err)
		}
		bad := village.TanHoa()
		bad.Groups[0].Name = "Tên mới"
		bad.Groups[2].Homes[4].Devices[2].Topic = "a/#"
		rep, err := try(t, db, bad, village.Options{})
		refusedFor(t, rep, err, "village.topic_bad")
		clash := village.TanHoa() // found only when all the rest is written
		clash.Groups[0].Name = "Tên mới"
		own := &clash.Groups[2].Homes[4].Devices[2].NewDevice
		own.Username, own.Password = "panel-9", "secret-9"
		bring(t, db, clash, village.Options{Check: true})
		other := village.Sample(1, 5)
		other.Groups[0].ID, other.Hubs[0].Username = "x1", "hubx"
		for i := range other.Groups[0].Homes {
			h := &other.Groups[0].Homes[i]
			h.ID = place.HomeID(fmt.Sprintf("x1-h%d", i))
			for j := range h.Devices {
				h.Devices[j].ID, h.Devices[j].Hub = signal.DeviceID(fmt.Sprintf("x1-d%d-%d", i, j)), "hubx"
			}
		}
		other.Groups[0].Homes[0].Devices[0].Username, other.Groups[0].Homes[0].Devices[0].Password = "alley12", "secret-9"
		rep, err = try(t, db, other, village.Options{})
		refusedFor(t, rep, err, "device.username_taken")
		if rep.Rows[0].Line == 0 {
			t.Errorf("no line: %+v", rep.Rows)
		}
		if now, err := place.Version(t.Context(), db.Read()); err != nil || now != v {
			t.Errorf("version %d, before %d, %v", now, v, err)
		}
		if diff := cmp.Diff(before, contents(t, db)); diff != "" {
			t.Errorf("half of it was imported: %s", diff)
		}
	})
}

func TestNobodyTakesOverWhatIsAnothers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		db := open(t, dsn)
		bring(t, db, village.TanHoa(), village.Options{})
		before := contents(t, db)
		thief := village.Sample(1, 5)
		thief.Commune = "04795"
		thief.Groups[0].ID = "g2"
		thief.Groups[0].Adjoining = []place.GroupID{"g9", "g1"}
		thief.Hubs[0].Username = "alley12"
		for i := range thief.Groups[0].Homes {
			for j := range thief.Groups[0].Homes[i].Devices {
				thief.Groups[0].Homes[i].Devices[j].Hub = "alley12"
			}
		}
		rep, err := try(t, db, thief, village.Options{Prune: true})
		want := []string{"village.hub_elsewhere", "village.group_elsewhere", "village.adjoining_unknown"}
		for range 5 {
			want = append(want, "village.home_elsewhere", "village.device_elsewhere", "village.device_elsewhere", "village.device_elsewhere")
		}
		refusedFor(t, rep, err, want...)
		if diff := cmp.Diff(before, contents(t, db)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAHomeAndItsPeopleMoveToAnotherGroupOfTheFile(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "keng.db"))
	bring(t, db, village.TanHoa(), village.Options{})
	f := village.TanHoa()
	last := f.Groups[0].Homes[6]
	f.Groups[0].Homes = f.Groups[0].Homes[:6]
	f.Groups[1].Homes = append(f.Groups[1].Homes, last)
	rep := bring(t, db, f, village.Options{Prune: true})
	if rep.Homes.Changed != 1 || rep.Homes.Removed != 0 || rep.Members.Changed != 1 || rep.Members.Removed != 0 || rep.Devices.Any() || len(rep.Devices.Absent) > 0 {
		t.Errorf("%+v", rep)
	}
	b, err := people.OpenBook(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	if p := b.Home("g1-h7")[0]; p.Scope.Group != "g2" {
		t.Errorf("%+v", p)
	}
}

func TestTheReportIsReadByPeople(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "keng.db"))
	write := func(rep village.Report) string {
		var b bytes.Buffer
		if err := rep.Write(&b, say.Vietnamese); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	dry := bring(t, db, village.TanHoa(), village.Options{Check: true})
	if got := write(dry); !strings.Contains(got, "tổ: thêm 3, đổi 0, bỏ 0, giữ nguyên 0\n") || !strings.HasSuffix(got, "Bỏ --check để nhập thật.\n") {
		t.Errorf("%s", got)
	}
	if got := write(bring(t, db, village.TanHoa(), village.Options{})); !strings.HasSuffix(got, "Đã nhập xong.\n") {
		t.Errorf("%s", got)
	}
	if got := write(bring(t, db, village.TanHoa(), village.Options{})); !strings.HasSuffix(got, "Không có gì thay đổi.\n") {
		t.Errorf("%s", got)
	}
	if got := write(bring(t, db, smaller(), village.Options{})); !strings.Contains(got, "nhà “g1-h7” có trong máy mà không có trong tệp: vẫn giữ (thêm --prune để bỏ)\n") {
		t.Errorf("%s", got)
	}
	if got := write(bring(t, db, smaller(), village.Options{Prune: true})); !strings.Contains(got, "nhà “g1-h7” không có trong tệp: bỏ\n") {
		t.Errorf("%s", got)
	}
	bad := smaller()
	bad.Commune = "1"
	rep, err := try(t, db, bad, village.Options{})
	if got := write(rep); err == nil || !strings.HasPrefix(got, "dòng 1: lỗi: ") || !strings.HasSuffix(got, "Chưa nhập gì. Hãy sửa các lỗi trên rồi nhập lại.\n") || strings.Contains(got, "thêm 0") {
		t.Errorf("%s", got)
	}
}

func TestAThousandGroupsTakeSeconds(t *testing.T) {
	if testing.Short() {
		t.Skip("short")
	}
	storetest.Each(t, func(t *testing.T, dsn string) {
		db := open(t, dsn)
		f := village.Sample(1000, 7)
		start := time.Now()
		rep := bring(t, db, f, village.Options{})
		first := time.Since(start)
		if rep.Devices.Added != 21000 || rep.Homes.Added != 7000 {
			t.Errorf("%+v", rep)
		}
		start = time.Now()
		if rep := bring(t, db, f, village.Options{}); rep.Changed() {
			t.Errorf("%+v", rep)
		}
		t.Logf("1,000 groups, 7,000 homes, 21,000 devices: %v; the same again %v", first.Round(time.Millisecond), time.Since(start).Round(time.Millisecond))
		if first > time.Minute {
			t.Errorf("took %v", first)
		}
	})
}

func TestDemoHasItsCast(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "keng.db"))
	who := people.New(db, slog.New(slog.DiscardHandler), time.Now)
	for range 2 { // started again on the same data
		cast, err := village.Demo(t.Context(), db, who)
		if err != nil {
			t.Fatal(err)
		}
		b, err := people.OpenBook(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		roles := map[string]people.Role{}
		for _, c := range cast {
			p, ok := b.Person(c.Person)
			if !ok {
				t.Errorf("%s is nobody", c.Key)
			}
			roles[c.Key] = p.Role
		}
		want := map[string]people.Role{"member": people.Member, "neighbour": people.Member, "leader": people.Leader, "deputy": people.Deputy, "leader2": people.Leader, "desk": people.Desk, "desk2": people.Desk, "auditor": people.Auditor, "admin": people.Admin}
		if diff := cmp.Diff(want, roles); diff != "" {
			t.Error(diff)
		}
	}
}

// TestTanHoaStandsWhereItShould: along lanes inside the ward, no two homes on one
// spot.
func TestTanHoaStandsWhereItShould(t *testing.T) {
	seen := map[[2]float64]place.HomeID{}
	names := map[string]bool{}
	f := village.TanHoa()
	for i, n := range []int{7, 6, 5} {
		if got := len(f.Groups[i].Homes); got != n {
			t.Errorf("group %d has %d homes, want %d", i+1, got, n)
		}
	}
	ring := ward(t)
	for _, g := range f.Groups {
		for _, h := range g.Homes {
			at := [2]float64{h.Lat, h.Lon}
			if o, taken := seen[at]; taken {
				t.Errorf("%s stands on %s", h.ID, o)
			}
			seen[at] = h.ID
			if h.Lat < 20.855 || h.Lat > 20.869 || h.Lon < 105.318 || h.Lon > 105.332 || len(ring) > 0 && !inside(ring, h.Lon, h.Lat) {
				t.Errorf("%s stands at %v", h.ID, at)
			}
			for _, m := range h.Members {
				if names[m.Name] {
					t.Errorf("two are called %s", m.Name)
				}
				names[m.Name] = true
			}
		}
	}
}

// ward is the boundary of Tân Hoà when an operator has it, else nothing.
func ward(t *testing.T) [][]float64 {
	t.Helper()
	path := os.Getenv("KENG_BOUNDARIES")
	if path == "" {
		return nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var c struct {
		Features []struct {
			Properties struct{ Code string }
			Geometry   struct{ Coordinates [][][]float64 }
		}
	}
	if err := json.Unmarshal(b, &c); err != nil {
		t.Fatal(err)
	}
	for _, f := range c.Features {
		if f.Properties.Code == "04792" {
			return f.Geometry.Coordinates[0]
		}
	}
	return nil
}

// inside casts a ray to the east.
func inside(ring [][]float64, x, y float64) bool {
	in := false
	for i, j := 0, len(ring)-1; i < len(ring); j, i = i, i+1 {
		a, b := ring[i], ring[j]
		if (a[1] > y) != (b[1] > y) && x < (b[0]-a[0])*(y-a[1])/(b[1]-a[1])+a[0] {
			in = !in
		}
	}
	return in
}
