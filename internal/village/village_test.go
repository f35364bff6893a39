package village_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/keng-vn/keng/internal/alarm"
	"github.com/keng-vn/keng/internal/device"
	"github.com/keng-vn/keng/internal/engine/say"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/signal"
	"github.com/keng-vn/keng/internal/village"
)

var update = flag.Bool("update", false, "write golden files")

func parse(t *testing.T, text string, rules village.Rules) (village.File, village.Rows) {
	t.Helper()
	f, rows, err := village.Parse(strings.NewReader(text), rules)
	if err != nil {
		t.Fatal(err)
	}
	return f, rows
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestTheExampleOfTheDocumentation(t *testing.T) {
	f, rows := parse(t, readFile(t, "good.yaml"), village.Rules{Least: 1})
	if len(rows) > 0 {
		t.Errorf("rows %v", rows)
	}
	wire := func(line int, id signal.DeviceID, k signal.DeviceKind, dialect, topic, model string) village.Device {
		return village.Device{Line: line, NewDevice: device.NewDevice{ID: id, Home: "g1-h1", Kind: k, Dialect: dialect, Topic: topic, Hub: "alley12", Model: model}}
	}
	want := village.File{Commune: "04792", Hubs: []village.Hub{{Line: 3, NewHub: device.NewHub{Username: "alley12", Password: "secret-1"}}}, Groups: []village.Group{{
		Line: 5, ID: "g1", Name: "Tổ liên gia số 1", Neighbourhood: "Tổ 5", Homes: []village.Home{{
			Line: 9, ID: "g1-h1", Name: "Nhà số 10", Address: "Số 10, ngõ 12", Lat: 20.8402, Lon: 105.3371, Placed: true,
			Members: []village.Member{{Line: 14, NewMember: people.NewMember{Name: "Chủ hộ số 10", Phone: "+84900000001", Role: people.Leader}}},
			Devices: []village.Device{
				wire(16, "g1-h1-smoke", signal.Smoke, "zigbee2mqtt", "zigbee2mqtt/g1-h1-smoke", ""),
				wire(17, "g1-h1-button", signal.Button, "json", "keng/g1-h1-button", ""),
				wire(18, "g1-h1-siren", signal.Siren, "zigbee2mqtt", "zigbee2mqtt/g1-h1-siren", "HS2WD-E"),
			},
		}},
	}}}
	if diff := cmp.Diff(want, f); diff != "" {
		t.Error(diff)
	}
}

func TestEveryBadRowIsNamedAtOnce(t *testing.T) {
	_, rows := parse(t, readFile(t, "bad.yaml"), village.Rules{})
	if !rows.Bad() {
		t.Error("the file is good")
	}
	for _, l := range say.Langs {
		var got bytes.Buffer
		if err := rows.Write(&got, l); err != nil {
			t.Fatal(err)
		}
		name := filepath.Join("testdata", "bad."+string(l)+".txt")
		if *update {
			if err := os.WriteFile(name, got.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(readFile(t, "bad."+string(l)+".txt"), got.String()); diff != "" {
			t.Error(diff)
		}
	}
}

// swap puts instead of a part of the good file something else.
func swap(t *testing.T, old, instead string) string {
	t.Helper()
	good := readFile(t, "good.yaml")
	if strings.Count(good, old) != 1 {
		t.Fatalf("%q stands %d times in the good file", old, strings.Count(good, old))
	}
	return strings.Replace(good, old, instead, 1)
}

func TestWhatOneMistakeSays(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		key  string
		line int
		warn bool
	}{
		"code as a number keeps its zero": {swap(t, `commune: "04792"`, "commune: 04792"), "", 0, false},
		"name for a code":                 {swap(t, `"04792"`, "Tân Hòa"), "village.commune_hint", 1, false},
		"unknown code":                    {swap(t, `"04792"`, `"99999"`), "village.commune_unknown", 1, false},
		"province":                        {swap(t, `"04792"`, `"25"`), "village.commune_province", 1, false},
		"no commune":                      {swap(t, `commune: "04792"`, "# nothing"), "village.field_needed", 2, false},
		"empty":                           {"# nothing\n", "village.empty", 0, false},
		"not yaml":                        {"commune: [\n", "village.unreadable", 1, false},
		"not json":                        {"{\"commune\": \"04792\",\n\n \"groups\": [}\n", "village.unreadable", 3, false},
		"two documents":                   {readFile(t, "good.yaml") + "---\na: 1\n", "village.unreadable", 19, false},
		"list at the top":                 {"- a\n", "village.want_table", 1, false},
		"alias":                           {swap(t, "name: Nhà số 10", "name: &n Nhà số 10\n        address: *n #"), "village.unreadable", 11, false},
		"id with a space":                 {swap(t, "id: g1-h1\n", "id: g1 h1\n"), "village.id_bad", 9, false},
		"id with marks":                   {swap(t, "id: g1\n", "id: tổ1\n"), "village.id_bad", 5, false},
		"group called by a number":        {swap(t, "id: g1\n", "id: 5\n"), "village.group_id_number", 5, false},
		"no name of a home":               {swap(t, "        name: Nhà số 10\n", ""), "village.field_needed", 9, false},
		"name of nothing":                 {swap(t, "name: Nhà số 10\n", "name: \"  \"\n"), "village.field_needed", 10, false},
		"hub twice":                       {swap(t, "hubs:\n", "hubs:\n  - {username: alley12, password: secret-0}\n"), "village.username_twice", 4, false},
		"no password":                     {swap(t, ", password: secret-1", ""), "village.field_needed", 3, false},
		"misspelt field":                  {swap(t, "address:", "adress:"), "village.field_hint", 11, false},
		"unknown field":                   {swap(t, "address:", "religion:"), "village.field_unknown", 11, false},
		"local telephone number":          {swap(t, `"+84900000001"`, `"0900 000 001"`), "village.phone_hint", 14, false},
		"telephone as a number":           {swap(t, `"+84900000001"`, `+84900000001`), "", 0, false},
		"foreign telephone":               {swap(t, `"+84900000001"`, `"+4930123456"`), "", 0, false},
		"swapped place":                   {swap(t, "lat: 20.8402\n        lon: 105.3371", "lat: 105.3371\n        lon: 20.8402"), "village.place_swapped", 12, false},
		"half a place":                    {swap(t, "        lon: 105.3371\n", ""), "village.place_half", 12, false},
		"no place":                        {swap(t, "        lat: 20.8402\n        lon: 105.3371\n", ""), "", 0, false},
		"decimal comma":                   {swap(t, "lat: 20.8402", `lat: "20,8402"`), "village.number_bad", 12, false},
		"not a number":                    {swap(t, "lat: 20.8402", `lat: NaN`), "village.number_bad", 12, false},
		"unknown role":                    {swap(t, "role: leader}", "role: leader}, {name: X, role: boss}"), "village.word_unknown", 14, false},
		"no leader":                       {swap(t, ", role: leader}", "}"), "village.leader_missing", 5, true},
		"misspelt kind":                   {swap(t, "kind: smoke", "kind: smokes"), "village.word_hint", 16, false},
		"no topic":                        {swap(t, ", topic: keng/g1-h1-button", ""), "village.topic_needed", 17, false},
		"wildcard":                        {swap(t, "keng/g1-h1-button", "keng/+"), "village.topic_bad", 17, false},
		"topic of everybody":              {swap(t, "keng/g1-h1-button", "$SYS/x"), "village.topic_bad", 17, false},
		"unknown hub":                     {swap(t, "g1-h1-button, hub: alley12", "g1-h1-button, hub: alley21"), "village.hub_unknown", 17, false},
		"no hub":                          {swap(t, "g1-h1-button, hub: alley12", "g1-h1-button"), "village.hub_needed", 17, false},
		"account of its own":              {swap(t, "g1-h1-button, hub: alley12", "g1-h1-button, username: b1, password: secret-b1"), "", 0, false},
		"account without password":        {swap(t, "g1-h1-button, hub: alley12", "g1-h1-button, username: b1"), "village.field_needed", 17, false},
		"account of the hub":              {swap(t, "g1-h1-button, hub: alley12", "g1-h1-button, username: alley12, password: secret-b1"), "village.username_twice", 17, false},
		"one wire for two":                {swap(t, "id: g1-h1-button, kind: button, dialect: json, topic: keng/g1-h1-button", "id: b, kind: smoke, dialect: zigbee2mqtt, topic: zigbee2mqtt/g1-h1-smoke"), "village.wire_twice", 17, false},
		"one wire for two kinds":          {swap(t, "id: g1-h1-button, kind: button, dialect: json, topic: keng/g1-h1-button", "id: b, kind: siren, dialect: zigbee2mqtt, topic: zigbee2mqtt/g1-h1-smoke"), "", 0, false},
		"webhook without topic":           {swap(t, "dialect: json, topic: keng/g1-h1-button", "dialect: webhook"), "", 0, false},
		"panel":                           {swap(t, "dialect: json, topic: keng/g1-h1-button, hub: alley12", "dialect: dc09, topic: 1234/05, secret: 00112233445566778899aabbccddeeff"), "", 0, false},
		"panel with a bad key":            {swap(t, "dialect: json, topic: keng/g1-h1-button, hub: alley12", "dialect: dc09, topic: 1234/05, secret: 0011"), "village.panel_bad", 17, false},
		"contact that rings":              {swap(t, "kind: button,", "kind: contact, armed: true,"), "", 0, false},
		"hidden button":                   {swap(t, "kind: button,", "kind: button, category: holdup,"), "", 0, false},
		"button for nothing":              {swap(t, "kind: button,", "kind: button, category: hodlup,"), "village.word_hint", 17, false},
		"smoke that means":                {swap(t, "kind: button,", "kind: smoke, category: holdup,"), "village.category_of_button", 17, false},
		"contact that maybe rings":        {swap(t, "kind: button,", "kind: contact, armed: maybe,"), "village.flag_bad", 17, false},
		"null is nothing":                 {swap(t, "neighbourhood: Tổ 5", "neighbourhood: ~"), "", 0, false},
		"time as it is":                   {swap(t, "neighbourhood: Tổ 5", "all_calm: 22:00"), "", 0, false},
		"no time":                         {swap(t, "neighbourhood: Tổ 5", "all_calm: 24:00"), "village.all_calm_bad", 7, false},
		"plan":                            {swap(t, "neighbourhood: Tổ 5", `plan: {good: true}`), "", 0, false},
		"bad plan":                        {swap(t, "neighbourhood: Tổ 5", `plan: {good: "true"}`), "village.plan_bad", 7, false},
		"two leaders in one line":         {`{"commune":"04792","groups":[{"id":"g1","name":"A","homes":[{"id":"h","name":"H","members":[{"name":"A","role":"leader"},{"name":"B","role":"leader"}]}]}]}`, "village.leader_twice", 1, false},
		"two groups in one line":          {`{"commune":"04792","groups":[{"id":"g1","name":"A","homes":[{"id":"h","name":"H","members":[{"name":"A","role":"leader"}]}]},{"id":"g1","name":"B","homes":[{"id":"i","name":"I","members":[{"name":"A","role":"leader"}]}]}]}`, "village.id_twice", 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			rules := village.Rules{Least: 1, Plan: func(s string) error {
				if s != `{"good":true}` {
					return os.ErrInvalid
				}
				return nil
			}}
			_, rows := parse(t, c.text, rules)
			if c.key == "" {
				if len(rows) != 0 {
					t.Errorf("rows %v", rows)
				}
				return
			}
			if len(rows) != 1 || rows[0].Key != c.key || rows[0].Line != c.line || rows[0].Warning != c.warn || rows.Bad() == c.warn {
				t.Errorf("rows %v, want one: %s on line %d", rows, c.key, c.line)
			}
		})
	}
}

func TestTheSizeOfAGroupOnlyWarns(t *testing.T) {
	for n, want := range map[int]int{4: 1, 5: 0, 15: 0, 16: 1} {
		f := village.Sample(1, n)
		_, rows := parse(t, text(t, f), village.Rules{})
		if len(rows) != want || rows.Bad() {
			t.Errorf("%d homes: rows %v", n, rows)
		}
	}
	if _, rows := parse(t, text(t, village.Sample(1, 3)), village.Rules{Least: 3, Most: 3}); len(rows) != 0 {
		t.Errorf("the province's own size: rows %v", rows)
	}
}

func text(t *testing.T, f village.File) string {
	t.Helper()
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// unlined ignores in which line something stands.
var unlined = cmp.Options{cmpopts.EquateEmpty(), cmp.FilterPath(func(p cmp.Path) bool {
	f, ok := p.Last().(cmp.StructField)
	return ok && f.Name() == "Line"
}, cmp.Ignore())}

func TestSamplesAreWrittenAndReadBack(t *testing.T) {
	full := village.TanHoa()
	full.Groups[0].Plan = `{"steps":[{"after":30,"who":["leader"]}],"x":null,"y":"22"}`
	d := &full.Groups[0].Homes[0].Devices[0]
	d.Username, d.Password, d.Secret, d.Armed, d.Hub = "own", `a "quoted" \ p#ss: word`, "yes", true, ""
	full.Groups[0].Homes[1].Name = "- Nhà: “số” #8 'x'"
	for name, f := range map[string]village.File{"Tân Hoà": village.TanHoa(), "sample": village.Sample(3, 7), "everything": full} {
		got, rows := parse(t, text(t, f), village.Rules{})
		if len(rows) > 0 {
			t.Errorf("%s: rows %v", name, rows)
		}
		if diff := cmp.Diff(f, got, unlined); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestJSONIsTheSame(t *testing.T) {
	f := village.TanHoa()
	want, rows := parse(t, text(t, f), village.Rules{})
	if len(rows) > 0 {
		t.Fatal(rows)
	}
	for _, indent := range []string{"", "\t", "  "} {
		b, err := json.MarshalIndent(asMap(f), "", indent)
		if err != nil {
			t.Fatal(err)
		}
		if indent == "" {
			var min bytes.Buffer
			if err := json.Compact(&min, b); err != nil {
				t.Fatal(err)
			}
			b = min.Bytes()
		}
		got, rows := parse(t, string(b), village.Rules{})
		if len(rows) > 0 {
			t.Errorf("rows %v", rows)
		}
		if diff := cmp.Diff(want, got, unlined); diff != "" {
			t.Error(diff)
		}
	}
	escaped := strings.ReplaceAll(`{"commune":"04792","groups":[{"id":"g1","name":"T\u1ed5 \ud83d\ude00","homes":[{"id":"h","name":"H"}]}]}`, "\n", "")
	if f, _ := parse(t, escaped, village.Rules{}); f.Groups[0].Name != "Tổ 😀" {
		t.Errorf("escapes are read as %q", f.Groups[0].Name)
	}
}

type object = map[string]any

func asMap(f village.File) object {
	var hubs, groups []object
	for _, h := range f.Hubs {
		hubs = append(hubs, object{"username": h.Username, "password": h.Password})
	}
	for _, g := range f.Groups {
		var homes []object
		for _, h := range g.Homes {
			var members, devices []object
			for _, m := range h.Members {
				members = append(members, object{"name": m.Name, "phone": m.Phone, "role": m.Role})
			}
			for _, d := range h.Devices {
				devices = append(devices, object{"id": d.ID, "kind": d.Kind, "dialect": d.Dialect, "topic": d.Topic, "hub": d.Hub, "model": d.Model})
			}
			homes = append(homes, object{"id": h.ID, "name": h.Name, "address": h.Address, "lat": h.Lat, "lon": h.Lon, "members": members, "devices": devices})
		}
		groups = append(groups, object{"id": g.ID, "name": g.Name, "neighbourhood": g.Neighbourhood, "all_calm": g.AllCalm, "adjoining": g.Adjoining, "homes": homes})
	}
	return object{"commune": f.Commune, "hubs": hubs, "groups": groups}
}

// TestEveryKeyHasItsSentence reads the package's own code for keys: a report
// must never show one.
func TestEveryKeyHasItsSentence(t *testing.T) {
	key := regexp.MustCompile(`^village\.[a-z_]+$`)
	found := 0
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			if s, err := strconv.Unquote(lit.Value); err == nil && key.MatchString(s) {
				found++
				for _, l := range say.Langs {
					if !say.In(l).Has(s) {
						t.Errorf("%s has no sentence in %s", s, l)
					}
				}
			}
			return true
		})
	}
	if found < 50 {
		t.Errorf("only %d keys were found", found)
	}
}

func TestRowsHideNoBraces(t *testing.T) {
	_, rows := parse(t, readFile(t, "bad.yaml"), village.Rules{})
	for _, l := range say.Langs {
		for _, r := range rows {
			if s := r.Text(l); strings.ContainsAny(s, "{}…") || strings.Contains(s, "village.") {
				t.Errorf("%q: a value or sentence is missing (%+v)", s, r)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"good.yaml", "bad.yaml"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b))
	}
	var b bytes.Buffer
	if err := village.TanHoa().Write(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.String())
	for _, s := range []string{`{"commune":"04792","groups":[{"id":"g1","name":"A","homes":[]}]}`, "a: &a [*a]", strings.Repeat("[", 200), strings.Repeat("{a: ", 100), "<<: {a: 1}", "? [a]\n: b", "\xff\xfe", "groups: [[], 1, ~, {}]", "commune: !!binary aGk="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got, rows, err := village.Parse(strings.NewReader(in), village.Rules{})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			if r.Line < 0 || r.Text(say.Vietnamese) == "" {
				t.Errorf("row %+v", r)
			}
		}
		if rows.Bad() {
			return
		}
		if _, ok := place.UnitOf(got.Commune); !ok || len(got.Groups) == 0 {
			t.Errorf("accepted: %+v", got)
		}
		again, rows := parse(t, text(t, got), village.Rules{})
		if diff := cmp.Diff(got, again, unlined); diff != "" || rows.Bad() {
			t.Errorf("%v %s\n%s", rows, diff, text(t, got))
		}
	})
}

// TestTheDocumentationIsRight reads the example of docs/village-file.md.
func TestTheDocumentationIsRight(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", "village-file.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(b), "```yaml\n")
	example, _, _ = strings.Cut(example, "```")
	f, rows := parse(t, example, village.Rules{Least: 1, Plan: func(s string) error { _, err := alarm.ParsePlans(s); return err }})
	if len(rows) > 0 || len(f.Groups) != 1 || f.Groups[0].Plan == "" || len(f.Groups[0].Homes[0].Devices) != 3 {
		t.Errorf("rows %v, file %+v", rows, f)
	}
	for _, words := range [][]string{village.Dialects[:], {"neighbourhood", "adjoining", "all_calm", "plan", "armed", "category", "secret"}} {
		for _, w := range words {
			if !strings.Contains(string(b), w) {
				t.Errorf("%s is not explained", w)
			}
		}
	}
}
