package register

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"

	"github.com/keng-vn/keng/internal/engine/audit"
	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/say"
	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/engine/store/storetest"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

const ward = place.UnitCode("04792")

func open(t *testing.T, dsn string) *Service {
	t.Helper()
	db := storetest.Open(t, dsn)
	if err := db.Migrate(t.Context(), audit.Migrations, place.Migrations, people.Migrations, Migrations); err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return time.Date(2026, 7, 1, 8, 0, 0, 0, time.UTC) }
	return &Service{DB: db, Rights: people.Rights{}, Log: audit.New(db, db.Engine == store.Postgres, now), Now: now}
}

// list is a spreadsheet of rows.
func list(t *testing.T, rows ...[]any) *bytes.Reader {
	t.Helper()
	f := excelize.NewFile()
	for i, r := range rows {
		if err := f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &r); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(b.Bytes())
}

func (v *Service) take(t *testing.T, r *bytes.Reader) Report {
	t.Helper()
	rep, err := v.Import(t.Context(), Operator(), ward, "danh sách.xlsx", r, false)
	if err != nil {
		for _, w := range rep.Wrong {
			t.Log(w.Row, w.Column, w.Text(say.Vietnamese))
		}
		t.Fatal(err)
	}
	return rep
}

// exported is the list of the ward as rows.
func (v *Service) exported(t *testing.T) (rows [][]string, file *bytes.Reader) {
	t.Helper()
	var b bytes.Buffer
	if err := v.Export(t.Context(), Operator(), ward, &b); err != nil {
		t.Fatal(err)
	}
	rows, err := cells(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	return rows, bytes.NewReader(b.Bytes())
}

// The list as a commune keeps it: a title above, marks or none, a number that lost
// its zero, an empty row.
func TestListOfACommuneIsUnderstood(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		v := open(t, dsn)
		rep := v.take(t, list(t,
			[]any{"DANH SÁCH HỘ GIA ĐÌNH"}, []any{},
			[]any{"STT", "HO VA TEN", "Địa chỉ", "Số điện thoại", "Tổ liên gia", "Khu dân cư", "Chức vụ", "Dân tộc"},
			[]any{1, "Bùi Thị Lan", "Số 6, ngõ 12", 912345678, "Tổ liên gia số 1", "Tổ 5", "Tổ trưởng", "x"},
			[]any{2, "Bùi Minh Khôi", "Số 6, ngõ 12", "0912 345 679", "Tổ liên gia số 1", "Tổ 5", "", "x"},
			[]any{},
			[]any{3, "Đinh Công Thành", "Số 8, ngõ 12", "", "Tổ Liên Gia Số 1", "Tổ 5", "thành viên", "x"},
		))
		if rep.Groups != (Tally{Added: 1}) || rep.Homes != (Tally{Added: 2}) || rep.People != (Tally{Added: 3}) || !cmp.Equal(rep.Ignored, []string{"Dân tộc"}) {
			t.Errorf("report %+v", rep)
		}
		rows, _ := v.exported(t)
		if len(rows) != 4 || rows[1][1] != "Tổ liên gia số 1" || rows[1][4] != "Nhà Bùi Thị Lan" || rows[1][9] != "0912345678" || rows[1][10] != "Tổ trưởng" || rows[2][3] != rows[1][3] {
			t.Errorf("list %v", rows)
		}
	})
}

func TestEveryWrongRowIsNamedAndNothingIsTaken(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		v := open(t, dsn)
		rep, err := v.Import(t.Context(), Operator(), ward, "x.xlsx", list(t,
			[]any{"Họ và tên", "Điện thoại", "Tổ liên gia", "Vĩ độ", "Kinh độ", "Vai trò"},
			[]any{"Lan", "0912345678", "Tổ 1"},
			[]any{"Khôi", "12", "Tổ 1"},
			[]any{"", "", "Tổ 1"},
			[]any{"Thành", "", ""},
			[]any{"Nga", "", "Tổ 1", "20.8", "hai mươi", "Vua"},
		), false)
		if fault.KindOf(err) != fault.Invalid {
			t.Fatalf("taken: %v", err)
		}
		var got []string
		for _, w := range rep.Wrong {
			got = append(got, fmt.Sprintf("%d %s %s", w.Row, w.Column, w.Key))
			if s := w.Text(say.Vietnamese); s == "" || strings.Contains(s, "{") || strings.Contains(s, "register.") {
				t.Errorf("sentence %q", s)
			}
		}
		want := []string{"3 B: Điện thoại register.phone_wrong", "4 A: Họ và tên register.name_missing", "5 C: Tổ liên gia register.group_missing", "6 F: Vai trò register.role_wrong", "6 E: Kinh độ register.degrees_wrong"}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("wrong (-want +got):\n%s", d)
		}
		if rows, _ := v.exported(t); len(rows) != 1 {
			t.Errorf("half of it was taken: %v", rows)
		}
	})
}

func TestCheckTellsWhatTheImportDoesAndDoesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		v := open(t, dsn)
		file := func() *bytes.Reader {
			return list(t, []any{"Họ và tên", "Tổ liên gia"}, []any{"Lan", "Tổ 1"}, []any{"Thành", "Tổ 1"})
		}
		dry, err := v.Import(t.Context(), Operator(), ward, "x.xlsx", file(), true)
		if err != nil {
			t.Fatal(err)
		}
		if rows, _ := v.exported(t); len(rows) != 1 {
			t.Fatalf("a check wrote %v", rows)
		}
		wet := v.take(t, file())
		wet.ID, wet.Checked = "", true
		if d := cmp.Diff(dry, wet); d != "" {
			t.Errorf("check and import differ:\n%s", d)
		}
	})
}

// Whatever the village: written out and read again it changes nothing, and in an
// empty Keng the list makes the same village.
func TestImportOfAnExportIsTheSame(t *testing.T) {
	word := rapid.StringMatching(`[A-ZĐÂĂ][a-zđôêươáàảãạ]{1,8}( [A-ZĐ][a-zôêưáàảãạ]{1,6}){0,2}`)
	storetest.Each(t, func(t *testing.T, dsn string) {
		v := open(t, dsn)
		n := 0
		rapid.Check(t, func(rt *rapid.T) {
			if n++; n > 25 { // a database each costs
				return
			}
			ctx := context.Background()
			if err := wipe(ctx, v.DB); err != nil {
				rt.Fatal(err)
			}
			rows := [][]any{{"Mã tổ", "Tổ liên gia", "Khu dân cư", "Tên nhà", "Địa chỉ", "Vĩ độ", "Kinh độ", "Họ và tên", "Điện thoại", "Vai trò"}}
			for g := range rapid.IntRange(1, 3).Draw(rt, "groups") {
				gid, gname, khu := fmt.Sprintf("t%d", g), word.Draw(rt, "group")+fmt.Sprint(g), rapid.SampledFrom([]string{"", "Tổ 5", "Khu 3"}).Draw(rt, "khu")
				for h := range rapid.IntRange(1, 4).Draw(rt, "homes") {
					home, address := fmt.Sprintf("Nhà %s %d", word.Draw(rt, "home"), h), rapid.SampledFrom([]string{"", "Số 6, ngõ 12", "=1+1", "+Số 8"}).Draw(rt, "address")
					lat, lon := any(""), any("")
					if rapid.Bool().Draw(rt, "placed") {
						lat, lon = rapid.Float64Range(8, 23).Draw(rt, "lat"), rapid.Float64Range(102, 109).Draw(rt, "lon")
					}
					for p := range rapid.IntRange(0, 3).Draw(rt, "adults") {
						rows = append(rows, []any{gid, gname, khu, home, address, lat, lon, fmt.Sprintf("%s %d", word.Draw(rt, "name"), p),
							rapid.SampledFrom([]string{"", "0912345678", "+84356789012", "024 3825 1234"}).Draw(rt, "phone"),
							rapid.SampledFrom([]string{"", "Tổ trưởng", "Tổ phó", "Thành viên"}).Draw(rt, "role")})
					}
					rows = append(rows, []any{gid, gname, khu, home, address, lat, lon})
				}
			}
			if _, err := v.Import(ctx, Operator(), ward, "x.xlsx", list(t, rows...), false); err != nil {
				rt.Fatal(err)
			}
			before, file := v.exported(t)
			again, err := v.Import(ctx, Operator(), ward, "x.xlsx", file, false)
			if err != nil || again.Changes() {
				rt.Fatalf("the same list changes %+v, %v", again, err)
			}
			if err := wipe(ctx, v.DB); err != nil {
				rt.Fatal(err)
			}
			_, _ = file.Seek(0, 0)
			if _, err := v.Import(ctx, Operator(), ward, "x.xlsx", file, false); err != nil {
				rt.Fatal(err)
			}
			if after, _ := v.exported(t); !cmp.Equal(before, after) {
				rt.Fatalf("another village (-before +after):\n%s", cmp.Diff(before, after))
			}
		})
	})
}

func wipe(ctx context.Context, db *store.DB) error {
	for _, table := range []string{"person", "place_home", "place_group", "register_made", "register_import"} {
		if err := db.Exec(ctx, `DELETE FROM `+table); err != nil {
			return err
		}
	}
	return nil
}

func TestUndoTakesBackWhatNobodyTouched(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		v := open(t, dsn)
		ctx := t.Context()
		head := []any{"Mã tổ", "Tổ liên gia", "Mã nhà", "Tên nhà", "Họ và tên", "Điện thoại"}
		v.take(t, list(t, head, []any{"t1", "Tổ 1", "t1-h1", "Nhà Lan", "Lan", "0912345678"}))
		before, _ := v.exported(t)
		rep := v.take(t, list(t, head,
			[]any{"t1", "Tổ liên gia 1", "t1-h1", "Nhà bà Lan", "Lan", "0912345679"},
			[]any{"t1", "", "t1-h2", "Nhà Thành", "Thành", ""},
			[]any{"t2", "Tổ 2", "t2-h1", "Nhà Nga", "Nga", ""}))
		kept, err := v.Undo(ctx, Operator(), rep.ID)
		if err != nil || len(kept) != 0 {
			t.Fatalf("kept %v, %v", kept, err)
		}
		if after, _ := v.exported(t); !cmp.Equal(before, after) {
			t.Errorf("not as before:\n%s", cmp.Diff(before, after))
		}
		if _, err := v.Undo(ctx, Operator(), rep.ID); fault.KindOf(err) != fault.Conflict {
			t.Errorf("undone twice: %v", err)
		}

		rep = v.take(t, list(t, head,
			[]any{"t2", "Tổ 2", "t2-h1", "Nhà Nga", "Nga", ""},
			[]any{"t2", "Tổ 2", "t2-h2", "Nhà Mai", "Mai", ""},
			[]any{"t2", "Tổ 2", "t2-h3", "Nhà Sơn", "Sơn", ""}))
		// Somebody corrects Nga, and Mai comes in.
		if err := v.DB.Exec(ctx, `UPDATE person SET phone = '+84911111111' WHERE name = 'Nga'`); err != nil {
			t.Fatal(err)
		}
		come(t, v, "t2-h2")
		kept, err = v.Undo(ctx, Operator(), rep.ID)
		if err != nil {
			t.Fatal(err)
		}
		want := []Kept{{"home", "Nhà Mai"}, {"home", "Nhà Nga"}, {"person", "Mai"}, {"person", "Nga"}}
		sortKept(kept)
		if d := cmp.Diff(want, kept); d != "" {
			t.Errorf("kept (-want +got):\n%s", d)
		}
		rows, _ := v.exported(t)
		if len(rows) != 4 || rows[2][8] != "Nga" || rows[3][8] != "Mai" {
			t.Errorf("left: %v", rows)
		}
	})
}

func sortKept(k []Kept) {
	for i := range k {
		for j := i + 1; j < len(k); j++ {
			if k[j].Kind+k[j].Name < k[i].Kind+k[i].Name {
				k[i], k[j] = k[j], k[i]
			}
		}
	}
}

// come lets the adults of a home in by invite.
func come(t *testing.T, v *Service, h place.HomeID) {
	t.Helper()
	p := people.New(v.DB, nil, v.Now)
	list, err := p.InviteHome(t.Context(), h, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Redeem(t.Context(), list[0].Code); err != nil {
		t.Fatal(err)
	}
}

func TestUndoIsForThirtyDaysAndThenNothingIsKept(t *testing.T) {
	v := open(t, t.TempDir()+"/keng.db")
	rep := v.take(t, list(t, []any{"Họ và tên", "Tổ liên gia"}, []any{"Lan", "Tổ 1"}))
	now := v.Now().Add(UndoFor + time.Hour)
	v.Now = func() time.Time { return now }
	if _, err := v.Undo(t.Context(), Operator(), rep.ID); fault.KindOf(err) != fault.Conflict {
		t.Errorf("undone after thirty days: %v", err)
	}
	if err := v.Tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := v.DB.Read().QueryRowContext(t.Context(), `SELECT count(*) FROM register_made`).Scan(&n); err != nil || n != 0 {
		t.Errorf("%d rows are kept, %v", n, err)
	}
}

func TestListChangesNobodysRole(t *testing.T) {
	v := open(t, t.TempDir()+"/keng.db")
	head := []any{"Mã tổ", "Tổ liên gia", "Mã nhà", "Tên nhà", "Họ và tên", "Vai trò"}
	v.take(t, list(t, head, []any{"t1", "Tổ 1", "t1-h1", "Nhà Lan", "Lan", "Tổ trưởng"}))
	rep := v.take(t, list(t, head, []any{"t1", "Tổ 1", "t1-h1", "Nhà Lan", "Lan", "Thành viên"}))
	if rows, _ := v.exported(t); rep.Changes() || rows[1][10] != "Tổ trưởng" {
		t.Errorf("%+v, %v", rep, rows)
	}
}

func TestRegisterIsForItsDesk(t *testing.T) {
	v := open(t, t.TempDir()+"/keng.db")
	file := list(t, []any{"Họ và tên", "Tổ liên gia"}, []any{"Lan", "Tổ 1"})
	for name, c := range map[string]struct {
		a            people.Actor
		takes, gives bool
	}{
		"desk":          {people.Actor{Person: "p1", Role: people.Desk, Scope: place.Scope{Unit: ward}}, true, true},
		"its program":   {people.Actor{Token: "t", Role: people.Desk, Scope: place.Scope{Unit: ward}}, true, false},
		"other desk":    {people.Actor{Person: "p2", Role: people.Desk, Scope: place.Scope{Unit: "04795"}}, false, false},
		"admin":         {people.Actor{Person: "p3", Role: people.Admin, Scope: place.Scope{Unit: "25"}}, false, false},
		"auditor":       {people.Actor{Person: "p4", Role: people.Auditor, Scope: place.Scope{Unit: ward}}, false, false},
		"leader":        {people.Actor{Person: "p5", Role: people.Leader, Home: "h", Group: "t1", Scope: place.Scope{Group: "t1"}}, false, false},
		"member":        {people.Actor{Person: "p6", Role: people.Member, Home: "h", Group: "t1", Scope: place.Scope{Group: "t1"}}, false, false},
		"nobody at all": {people.Actor{}, false, false},
	} {
		_, _ = file.Seek(0, 0)
		_, err := v.Import(t.Context(), c.a, ward, "x.xlsx", file, true)
		if (err == nil) != c.takes {
			t.Errorf("%s imports: %v", name, err)
		}
		var b bytes.Buffer
		err = v.Export(t.Context(), c.a, ward, &b)
		if (err == nil) != c.gives || !c.gives && b.Len() > 0 {
			t.Errorf("%s exports: %v, %d bytes", name, err, b.Len())
		}
	}
}

func TestWhoseNameLeftCanReadIt(t *testing.T) {
	v := open(t, t.TempDir()+"/keng.db")
	v.take(t, list(t, []any{"Họ và tên", "Tổ liên gia"}, []any{"Lan", "Tổ 1"}))
	var id string
	if err := v.DB.Read().QueryRowContext(t.Context(), `SELECT id FROM person`).Scan(&id); err != nil {
		t.Fatal(err)
	}
	v.exported(t)
	entries, err := v.Log.(*audit.Log).Of(t.Context(), id, 0, 10)
	if err != nil || len(entries) != 1 || entries[0].Name != "register.export" || entries[0].By != audit.Machine {
		t.Errorf("entries %+v, %v", entries, err)
	}
}

func TestBadFilesGetClearAnswers(t *testing.T) {
	v := open(t, t.TempDir()+"/keng.db")
	for name, c := range map[string]struct {
		file []byte
		key  string
	}{
		"nothing":    {nil, "register.not_xlsx"},
		"CSV":        {[]byte("Họ và tên,Tổ\nLan,1\n"), "register.not_xlsx"},
		"old XLS":    {append([]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), make([]byte, 600)...), "register.old_or_locked"},
		"half a zip": {[]byte("PK\x03\x04half"), "register.broken"},
		"other zip":  {zipped(t, "hello.txt", []byte("hello")), "register.broken"},
		"too large":  {append([]byte("PK"), make([]byte, Largest)...), "register.too_large"},
		"bomb":       {zipped(t, "xl/worksheets/sheet1.xml", make([]byte, unpacked+1<<20)), "register.bomb"},
	} {
		_, err := v.Import(t.Context(), Operator(), ward, "x", bytes.NewReader(c.file), false)
		if fault.KindOf(err) != fault.Invalid || !strings.Contains(fmt.Sprint(err), c.key) {
			t.Errorf("%s: %v, want %s", name, err, c.key)
		}
	}
	rep, err := v.Import(t.Context(), Operator(), ward, "x", list(t, []any{"a", "b"}, []any{1, 2}), false)
	if err == nil || rep.Wrong[0].Key != "register.no_heading" {
		t.Errorf("without headings: %+v, %v", rep, err)
	}
}

func zipped(t *testing.T, name string, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// No bytes break the reader, and nothing is taken from what it does not understand.
func FuzzRead(f *testing.F) {
	sheet := excelize.NewFile()
	_ = sheet.SetSheetRow("Sheet1", "A1", &[]any{"Họ và tên", "Tổ liên gia"})
	_ = sheet.SetSheetRow("Sheet1", "A2", &[]any{"Lan", "Tổ 1"})
	var b bytes.Buffer
	_ = sheet.Write(&b)
	f.Add(b.Bytes())
	f.Add([]byte("PK\x03\x04"))
	f.Fuzz(func(t *testing.T, text []byte) {
		rows, err := cells(bytes.NewReader(text))
		if err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Errorf("%v", err)
			}
			return
		}
		read(rows)
	})
}
