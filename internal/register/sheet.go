package register

import (
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// How large a list may be. A commune of 3,000 households with 9,000 adults is half
// a megabyte.
const (
	Largest    = 4 << 20  // bytes of the file
	unpacked   = 64 << 20 // bytes of everything in it
	mostRows   = 20_000
	mostCols   = 64
	longCell   = 300 // letters
	headWithin = 10  // rows in which the heading is looked for
)

// Column is what a column means.
type Column string

// The columns, in the order in which Keng writes them.
const (
	GroupID       Column = "group_id"
	GroupName     Column = "group"
	Neighbourhood Column = "neighbourhood"
	HomeID        Column = "home_id"
	HomeName      Column = "home"
	Address       Column = "address"
	Lat           Column = "lat"
	Lon           Column = "lon"
	Name          Column = "name"
	Phone         Column = "phone"
	Role          Column = "role"
	skip          Column = "" // known, and not wanted
)

// headings are the columns with the heading that Keng writes, and how else lists
// call them, folded.
var headings = [...]struct {
	column Column
	title  string
	also   []string
}{
	{GroupID, "Mã tổ", []string{"ma to lien gia"}},
	{GroupName, "Tổ liên gia", []string{"to", "ten to", "ten to lien gia"}},
	{Neighbourhood, "Khu dân cư", []string{"khu", "xom", "thon", "ban", "ap", "to dan pho", "khu pho", "thon, xom", "khu, xom", "thon/xom", "khu/xom", "dia ban"}},
	{HomeID, "Mã nhà", []string{"ma ho", "ma ho gia dinh"}},
	{HomeName, "Tên nhà", []string{"nha", "ho", "ho gia dinh", "ten ho", "ten goi cua nha"}},
	{Address, "Địa chỉ", []string{"so nha", "noi o", "cho o", "noi thuong tru", "cho o hien nay", "dia chi nha"}},
	{Lat, "Vĩ độ", []string{"lat", "latitude"}},
	{Lon, "Kinh độ", []string{"lon", "lng", "long", "longitude"}},
	{Name, "Họ và tên", []string{"ho ten", "ten", "chu ho", "ho ten chu ho", "ho va ten chu ho", "ten chu ho", "nguoi lon"}},
	{Phone, "Điện thoại", []string{"so dien thoai", "sdt", "dt", "so dt", "dien thoai lien he"}},
	{Role, "Vai trò", []string{"chuc vu", "nhiem vu"}},
	{skip, "STT", []string{"so tt", "tt", "so thu tu", "ghi chu"}},
}

// columnOf is what a heading means; false when nobody knows.
func columnOf(heading string) (Column, bool) {
	h := strings.Trim(place.Fold(heading), " .:*()")
	for _, x := range headings {
		if h == place.Fold(x.title) || slices.Contains(x.also, h) {
			return x.column, true
		}
	}
	return skip, false
}

// titleOf is the heading that Keng writes.
func titleOf(c Column) string {
	for _, x := range headings {
		if x.column == c {
			return x.title
		}
	}
	return string(c)
}

// line is one row of a list as it is understood.
type line struct {
	row           int
	group         place.GroupID
	groupName     string
	neighbourhood string
	home          place.HomeID
	homeName      string
	address       string
	lat, lon      float64
	placed        bool
	name, phone   string
	role          people.Role
}

// Wrong is one thing in a list that is wrong, or doubtful.
type Wrong struct {
	Row     int            // from 1, as the spreadsheet counts; 0 for the whole file
	Column  string         // "C: Họ và tên", "" for the whole row
	Warning bool           // the import goes on
	Key     string         // of the sentence that says what to do
	Args    map[string]any // its values
}

// sheet is a list as it was read.
type sheet struct {
	lines   []line
	wrong   []Wrong
	columns map[Column]int
	ignored []string // headings that nobody knows
}

// cells reads the rows of the first sheet of an XLSX file.
func cells(r io.Reader) ([][]string, error) {
	const op = "register.Read"
	text, err := io.ReadAll(io.LimitReader(r, Largest+1))
	if err != nil {
		return nil, &fault.Error{Op: op, Kind: fault.Invalid, Key: "register.broken", Err: err}
	}
	switch {
	case len(text) > Largest:
		return nil, &fault.Error{Op: op, Kind: fault.Invalid, Key: "register.too_large", Args: map[string]any{"most": Largest >> 20}}
	case len(text) >= 8 && string(text[:8]) == "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": // OLE: XLS of old, or an XLSX with a password
		return nil, fault.New(op, fault.Invalid, "register.old_or_locked")
	case len(text) < 4 || string(text[:2]) != "PK":
		return nil, fault.New(op, fault.Invalid, "register.not_xlsx")
	}
	return unpack(text)
}

// unpack reads the rows, at most so many. The library's own faults in a file made
// to hurt are the file's.
func unpack(text []byte) (rows [][]string, err error) {
	const op = "register.Read"
	defer func() {
		if p := recover(); p != nil {
			rows, err = nil, fault.New(op, fault.Invalid, "register.broken")
		}
	}()
	f, err := excelize.OpenReader(strings.NewReader(string(text)), excelize.Options{UnzipSizeLimit: unpacked, UnzipXMLSizeLimit: unpacked, RawCellValue: true})
	if err != nil {
		key := "register.broken"
		if strings.Contains(err.Error(), "unzip size exceeds") {
			key = "register.bomb"
		}
		return nil, &fault.Error{Op: op, Kind: fault.Invalid, Key: key, Err: err}
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	it, err := f.Rows(f.GetSheetName(f.GetActiveSheetIndex()))
	if err != nil {
		return nil, &fault.Error{Op: op, Kind: fault.Invalid, Key: "register.broken", Err: err}
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	for it.Next() {
		row, err := it.Columns()
		if err != nil {
			return nil, &fault.Error{Op: op, Kind: fault.Invalid, Key: "register.broken", Err: err}
		}
		if rows = append(rows, row); len(rows) > mostRows {
			return nil, &fault.Error{Op: op, Kind: fault.Invalid, Key: "register.too_long", Args: map[string]any{"most": mostRows}}
		}
	}
	return rows, nil
}

// read understands the rows of a list.
func read(rows [][]string) sheet {
	s := sheet{}
	head := heading(rows)
	if head < 0 {
		s.wrong = append(s.wrong, Wrong{Key: "register.no_heading"})
		return s
	}
	s.take(rows[head])
	if len(s.wrong) > 0 {
		return s
	}
	for i := head + 1; i < len(rows); i++ {
		if !blank(rows[i]) {
			s.line(i+1, rows[i])
		}
	}
	if len(s.lines) == 0 && len(s.wrong) == 0 {
		s.wrong = append(s.wrong, Wrong{Key: "register.empty"})
	}
	return s
}

// heading is the row among the first few that names most columns, two at least;
// -1 when there is none.
func heading(rows [][]string) int {
	best, most := -1, 1
	for i := range min(len(rows), headWithin) {
		n := 0
		for _, c := range rows[i][:min(len(rows[i]), mostCols)] {
			if col, ok := columnOf(c); ok && col != skip {
				n++
			}
		}
		if n > most {
			best, most = i, n
		}
	}
	return best
}

// take notes which column stands where.
func (s *sheet) take(row []string) {
	s.columns = map[Column]int{}
	for i, c := range row[:min(len(row), mostCols)] {
		col, ok := columnOf(c)
		switch _, twice := s.columns[col]; {
		case place.Tidy(c) == "":
		case !ok:
			s.ignored = append(s.ignored, place.Tidy(c))
		case col == skip:
		case twice:
			s.wrong = append(s.wrong, Wrong{Column: letter(i) + ": " + place.Tidy(c), Key: "register.column_twice"})
		default:
			s.columns[col] = i
		}
	}
	_, byID := s.columns[GroupID]
	_, byName := s.columns[GroupName]
	if !byID && !byName {
		s.wrong = append(s.wrong, Wrong{Key: "register.no_group_column"})
	}
}

func letter(i int) string {
	name, err := excelize.ColumnNumberToName(i + 1)
	if err != nil {
		return strconv.Itoa(i + 1)
	}
	return name
}

func blank(row []string) bool {
	return !slices.ContainsFunc(row, func(c string) bool { return place.Tidy(c) != "" })
}

// line understands one row.
func (s *sheet) line(n int, row []string) {
	get := func(c Column) string {
		i, ok := s.columns[c]
		if !ok || i >= len(row) {
			return ""
		}
		v := strings.Join(strings.Fields(place.Tidy(row[i])), " ")
		if utf8.RuneCountInString(v) > longCell {
			s.bad(n, c, "register.cell_long", map[string]any{"most": longCell})
			return ""
		}
		return v
	}
	l := line{
		row: n, group: place.GroupID(get(GroupID)), groupName: get(GroupName), neighbourhood: get(Neighbourhood),
		home: place.HomeID(get(HomeID)), homeName: get(HomeName), address: get(Address), name: get(Name),
	}
	if l.group == "" && l.groupName == "" {
		s.bad(n, GroupName, "register.group_missing", nil)
	}
	if l.name == "" && l.home == "" && l.homeName == "" {
		s.bad(n, Name, "register.name_missing", nil)
	}
	for c, id := range map[Column]string{GroupID: string(l.group), HomeID: string(l.home)} {
		if !goodID(id) {
			s.bad(n, c, "register.id_wrong", map[string]any{"id": id})
		}
	}
	var ok bool
	if l.phone, ok = phone(get(Phone)); !ok {
		s.bad(n, Phone, "register.phone_wrong", map[string]any{"phone": get(Phone)})
	}
	if l.role, ok = role(get(Role)); !ok {
		s.bad(n, Role, "register.role_wrong", map[string]any{"role": get(Role)})
	}
	s.position(n, &l, get(Lat), get(Lon))
	s.lines = append(s.lines, l)
}

// position reads latitude and longitude: both or neither.
func (s *sheet) position(n int, l *line, lat, lon string) {
	if lat == "" && lon == "" {
		return
	}
	var ok1, ok2 bool
	l.lat, ok1 = degrees(lat, 90)
	l.lon, ok2 = degrees(lon, 180)
	if !ok1 {
		s.bad(n, Lat, "register.degrees_wrong", map[string]any{"value": lat})
	}
	if !ok2 {
		s.bad(n, Lon, "register.degrees_wrong", map[string]any{"value": lon})
	}
	l.placed = ok1 && ok2
}

// doubts reports whether something is wrong with a row already.
func (s *sheet) doubts(row int) bool {
	return slices.ContainsFunc(s.wrong, func(w Wrong) bool { return w.Row == row })
}

func (s *sheet) bad(row int, c Column, key string, args map[string]any) {
	where := titleOf(c)
	if i, ok := s.columns[c]; ok {
		where = letter(i) + ": " + where
	}
	s.wrong = append(s.wrong, Wrong{Row: row, Column: where, Key: key, Args: args})
}

func degrees(s string, most float64) (float64, bool) {
	d, err := strconv.ParseFloat(strings.ReplaceAll(s, ",", "."), 64)
	return d, err == nil && d >= -most && d <= most
}

// goodID reports whether s may be the id of a group or home, or is none.
func goodID(s string) bool {
	return len(s) <= 40 && (s == "" || strings.Trim(s, "0123456789") != "") && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// phone reads a telephone number of Vietnam as people write it, or as a
// spreadsheet does that took it for a number and lost its zero. "" is none.
func phone(s string) (string, bool) {
	if s == "" {
		return "", true
	}
	digits := strings.NewReplacer(" ", "", ".", "", "-", "", "(", "", ")", "", "\u00a0", "", "'", "").Replace(s)
	abroad := strings.HasPrefix(digits, "+") && !strings.HasPrefix(digits, "+84")
	digits = strings.TrimPrefix(digits, "+")
	if strings.Trim(digits, "0123456789") != "" {
		return "", false
	}
	switch {
	case abroad:
		return "+" + digits, len(digits) >= 8 && len(digits) <= 15 && digits[0] != '0'
	case strings.HasPrefix(digits, "84") && (len(digits) == 11 || len(digits) == 12):
		digits = digits[2:]
	case strings.HasPrefix(digits, "0"):
		digits = digits[1:]
	}
	if len(digits) < 9 || len(digits) > 10 || digits[0] == '0' {
		return "", false
	}
	return "+84" + digits, true
}

func role(s string) (people.Role, bool) {
	switch place.Fold(s) {
	case "", "thanh vien", "chu ho", "thanh vien to lien gia", "member":
		return people.Member, true
	case "to truong", "to truong to lien gia", "leader":
		return people.Leader, true
	case "to pho", "to pho to lien gia", "deputy":
		return people.Deputy, true
	}
	return people.Member, false
}

// write writes lines as a spreadsheet that [cells] and read understand.
func write(w io.Writer, lines []line) (err error) {
	f := excelize.NewFile()
	defer func() { err = errors.Join(err, f.Close()) }()
	const name = "Danh sách hộ"
	if err := f.SetSheetName("Sheet1", name); err != nil {
		return err
	}
	sw, err := f.NewStreamWriter(name)
	if err != nil {
		return err
	}
	if err := sw.SetColWidth(1, 11, 18); err != nil {
		return err
	}
	head := []any{}
	for _, x := range headings {
		if x.column != skip {
			head = append(head, x.title)
		}
	}
	if err := sw.SetRow("A1", head); err != nil {
		return err
	}
	for i, l := range lines {
		at, err := excelize.CoordinatesToCellName(1, i+2)
		if err != nil {
			return err
		}
		if err := sw.SetRow(at, l.row11()); err != nil {
			return err
		}
	}
	if err := sw.Flush(); err != nil {
		return err
	}
	return f.Write(w)
}

// row11 is l as text, so that no spreadsheet takes a telephone for a number, and
// nothing that begins with "=" for a formula.
func (l line) row11() []any {
	lat, lon := "", ""
	if l.placed {
		lat, lon = strconv.FormatFloat(l.lat, 'f', -1, 64), strconv.FormatFloat(l.lon, 'f', -1, 64)
	}
	tel := l.phone
	if rest, ok := strings.CutPrefix(tel, "+84"); ok {
		tel = "0" + rest
	}
	word := map[people.Role]string{people.Leader: "Tổ trưởng", people.Deputy: "Tổ phó"}[l.role]
	row := []any{}
	for _, s := range []string{string(l.group), l.groupName, l.neighbourhood, string(l.home), l.homeName, l.address, lat, lon, l.name, tel, word} {
		row = append(row, s)
	}
	return row
}
