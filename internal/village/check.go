package village

import (
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/keng-vn/keng/internal/dialect/dc09"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/signal"
)

// Dialects lists the words that a village file may use for the language of a device.
var Dialects = [...]string{"zigbee2mqtt", "tasmota", "esphome", "homeassistant", "json", "webhook", "dc09"}

func (c *reader) readFile(n *node) {
	f := c.fields(n, "village", "commune", "hubs", "groups")
	if n.kind != table {
		return
	}
	c.commune(f, n.line)
	for _, h := range c.items(f["hubs"], "hubs") {
		c.hub(h)
	}
	groups := c.items(f["groups"], "groups")
	if len(groups) == 0 {
		c.bad(n.line, "village.field_needed", "field", "groups")
	}
	for _, g := range groups { // all ids first, so that the second of two is the wrong one
		if v := g.get("id"); v != nil && v.kind == text {
			if id := place.GroupID(place.Tidy(v.text)); c.groups[id] == nil {
				c.groups[id] = g
			}
		}
	}
	for _, g := range groups {
		c.group(g)
	}
}

// get is the value of a field of a table, nil when there is none.
func (n *node) get(name string) *node {
	for _, f := range n.table {
		if f.name == name {
			return f.value
		}
	}
	return nil
}

func (c *reader) commune(f map[string]*node, line int) {
	code := c.needed(f, "commune", line)
	if code == "" {
		return
	}
	line = f["commune"].line
	u, ok := place.UnitOf(place.UnitCode(code))
	switch found := place.FindUnits(code); {
	case ok && u.Parent == "":
		c.bad(line, "village.commune_province", "code", code, "name", u.FullName)
	case ok:
		c.file.Commune = u.Code
	case len(found) > 0:
		c.bad(line, "village.commune_hint", "code", code, "hint", string(found[0].Code), "name", found[0].FullName)
	default:
		c.bad(line, "village.commune_unknown", "code", code)
	}
}

func (c *reader) hub(n *node) {
	f := c.fields(n, "hubs", "username", "password")
	h := Hub{Line: n.line}
	h.Username = c.id(f, "username", n.line)
	h.Password = c.password(f, n.line)
	if h.Username == "" {
		return
	}
	c.user(h.Username, f["username"].line)
	c.hubs[h.Username] = true
	c.file.Hubs = append(c.file.Hubs, h)
}

// safePassword is how long a machine's password should be, in letters: nobody types
// it, so nothing speaks for a short one.
const safePassword = 8

func (c *reader) password(f map[string]*node, line int) string {
	s := c.needed(f, "password", line)
	if s != "" && len(s) < safePassword {
		c.warn(f["password"].line, "village.password_short", "least", safePassword)
	}
	return s
}

func (c *reader) user(name string, line int) {
	if first, taken := c.users[name]; taken {
		c.bad(line, "village.username_twice", "username", name, "first", first)
		return
	}
	c.users[name] = line
}

var clock = regexp.MustCompile(`^([01]\d|2[0-3]):[0-5]\d$`)

func (c *reader) group(n *node) {
	f := c.fields(n, "groups", "id", "name", "neighbourhood", "homes", "adjoining", "all_calm", "plan")
	g := Group{Line: n.line, ID: place.GroupID(c.id(f, "id", n.line)), Name: c.needed(f, "name", n.line), Neighbourhood: c.text(f["neighbourhood"], "neighbourhood")}
	if first := c.groups[g.ID]; g.ID != "" && first != n {
		c.bad(f["id"].line, "village.id_twice", "id", string(g.ID), "first", first.line)
	}
	if strings.Trim(string(g.ID), "0123456789") == "" && g.ID != "" {
		c.bad(f["id"].line, "village.group_id_number", "id", string(g.ID))
	}
	if g.AllCalm = c.text(f["all_calm"], "all_calm"); g.AllCalm != "" && !clock.MatchString(g.AllCalm) {
		c.bad(f["all_calm"].line, "village.all_calm_bad", "value", g.AllCalm)
	}
	g.Adjoining = c.adjoining(f["adjoining"], g.ID)
	g.Plan = c.plan(f["plan"])
	homes := c.items(f["homes"], "homes")
	if len(homes) < c.rules.Least || len(homes) > c.rules.Most {
		c.warn(n.line, "village.group_size", "group", string(g.ID), "n", len(homes), "least", c.rules.Least, "most", c.rules.Most)
	}
	for _, h := range homes {
		g.Homes = append(g.Homes, c.home(h))
	}
	c.leaders(g)
	c.spread(g)
	c.file.Groups = append(c.file.Groups, g)
}

func (c *reader) adjoining(n *node, self place.GroupID) []place.GroupID {
	var ids []place.GroupID
	for _, v := range c.items(n, "adjoining") {
		id := place.GroupID(c.text(v, "adjoining"))
		switch {
		case id == "":
		case id == self:
			c.bad(v.line, "village.adjoining_self", "group", string(id))
		case slices.Contains(ids, id):
			c.warn(v.line, "village.adjoining_twice", "group", string(id))
		default:
			ids = append(ids, id)
		}
	}
	return ids
}

// plan takes the group's own alarm plan as JSON, whoever understands it.
func (c *reader) plan(n *node) string {
	if n == nil {
		return ""
	}
	if n.kind != table {
		c.bad(n.line, "village.want_table", "field", "plan")
		return ""
	}
	var b strings.Builder
	n.writeJSON(&b)
	if c.rules.Plan != nil {
		if err := c.rules.Plan(b.String()); err != nil {
			c.bad(n.line, "village.plan_bad", "says", err.Error())
		}
	}
	return b.String()
}

// leaders wants one leader; without one the group still rings.
func (c *reader) leaders(g Group) {
	first := 0
	for _, h := range g.Homes {
		for _, m := range h.Members {
			if m.Role != people.Leader {
				continue
			}
			if first != 0 {
				c.bad(m.Line, "village.leader_twice", "group", string(g.ID), "first", first)
			}
			first = m.Line
		}
	}
	if first == 0 && len(g.Homes) > 0 {
		c.warn(g.Line, "village.leader_missing", "group", string(g.ID))
	}
}

// farM is how far homes of one group usually lie apart at most, in metres.
const farM = 1000

// spread warns of homes that lie far from the first one with a place: a digit
// was lost, and responders would go astray.
func (c *reader) spread(g Group) {
	var from *Home
	for i := range g.Homes {
		h := &g.Homes[i]
		if !h.Placed {
			continue
		}
		if from == nil {
			from = h
			continue
		}
		if m := metres(*from, *h); m > farM {
			c.warn(h.Line, "village.place_far", "home", string(h.ID), "from", string(from.ID), "km", math.Round(m/100)/10)
		}
	}
}

// metres is how far apart two homes are, near enough over a village.
func metres(a, b Home) float64 {
	const degree = 111_200 // m of latitude
	dy := (a.Lat - b.Lat) * degree
	dx := (a.Lon - b.Lon) * degree * math.Cos(a.Lat*math.Pi/180)
	return math.Hypot(dx, dy)
}

func (c *reader) home(n *node) Home {
	f := c.fields(n, "homes", "id", "name", "address", "lat", "lon", "members", "devices")
	h := Home{Line: n.line, ID: place.HomeID(c.id(f, "id", n.line)), Name: c.needed(f, "name", n.line), Address: c.text(f["address"], "address")}
	c.once(c.homes, string(h.ID), f["id"])
	c.place(f, &h)
	for _, m := range c.items(f["members"], "members") {
		if m, ok := c.member(m, h.Members); ok {
			h.Members = append(h.Members, m)
		}
	}
	for _, d := range c.items(f["devices"], "devices") {
		h.Devices = append(h.Devices, c.readDevice(d, h.ID))
	}
	return h
}

// once says when an id stands a second time.
func (c *reader) once(seen map[string]int, id string, n *node) {
	if id == "" {
		return
	}
	if first, twice := seen[id]; twice {
		c.bad(n.line, "village.id_twice", "id", id, "first", first)
		return
	}
	seen[id] = n.line
}

// place reads lat and lon. Vietnam lies between 8 and 23.5 degrees north and 102
// and 110 east (islands aside), so two numbers that were swapped can be told.
func (c *reader) place(f map[string]*node, h *Home) {
	lat, hasLat := c.number(f["lat"], "lat")
	lon, hasLon := c.number(f["lon"], "lon")
	switch line := firstLine(f["lat"], f["lon"], h.Line); {
	case f["lat"] == nil && f["lon"] == nil:
	case f["lat"] == nil || f["lon"] == nil:
		c.bad(line, "village.place_half")
	case !hasLat || !hasLon: // told already
	case inVietnam(lon, lat):
		c.bad(line, "village.place_swapped", "lat", lat, "lon", lon)
	case math.Abs(lat) > 90 || math.Abs(lon) > 180:
		c.bad(line, "village.place_range", "lat", lat, "lon", lon)
	default:
		h.Lat, h.Lon, h.Placed = lat, lon, true
		if !inVietnam(lat, lon) {
			c.warn(line, "village.place_abroad", "lat", lat, "lon", lon)
		}
	}
}

func inVietnam(lat, lon float64) bool { return lat >= 8 && lat <= 23.5 && lon >= 102 && lon <= 110 }

func firstLine(a, b *node, or int) int {
	for _, n := range []*node{a, b} {
		if n != nil {
			return n.line
		}
	}
	return or
}

// e164 is a telephone number of ITU-T E.164: a plus, the country, at most 15 digits.
var e164 = regexp.MustCompile(`^\+[1-9]\d{6,14}$`)

func (c *reader) member(n *node, before []Member) (Member, bool) {
	f := c.fields(n, "members", "name", "phone", "role")
	m := Member{Line: n.line}
	m.Name, m.Role = c.needed(f, "name", n.line), people.Member
	if m.Name == "" {
		return m, false
	}
	for _, o := range before {
		if o.Name == m.Name {
			c.bad(f["name"].line, "village.member_twice", "name", m.Name, "first", o.Line)
			return m, false
		}
	}
	m.Phone = c.phone(f["phone"])
	if r := c.text(f["role"], "role"); r != "" {
		m.Role = people.Role(r)
		roles := []string{string(people.Leader), string(people.Deputy), string(people.Member)}
		if !slices.Contains(roles, r) {
			c.bad(f["role"].line, "village.word_unknown", "field", "role", "value", r, "words", strings.Join(roles, ", "))
		}
	}
	return m, true
}

// phone wants E.164, and shows how a number that was written the local way looks
// there. It does not mend it: a wrong guess would call a stranger at night.
func (c *reader) phone(n *node) string {
	s := c.text(n, "phone")
	if s == "" || e164.MatchString(s) {
		return s
	}
	digits := strings.NewReplacer(" ", "", ".", "", "-", "", "(", "", ")", "", "\u00a0", "").Replace(s)
	hint := "+84" + strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(digits, "+"), "84"), "0")
	if e164.MatchString(digits) {
		hint = digits
	}
	if e164.MatchString(hint) && len(hint) >= 11 {
		c.bad(n.line, "village.phone_hint", "phone", s, "hint", hint)
	} else {
		c.bad(n.line, "village.phone_bad", "phone", s)
	}
	return ""
}

func (c *reader) readDevice(n *node, home place.HomeID) Device {
	f := c.fields(n, "devices", "id", "kind", "dialect", "topic", "hub", "model", "username", "password", "secret", "armed", "category")
	d := Device{Line: n.line}
	d.ID, d.Home = signal.DeviceID(c.id(f, "id", n.line)), home
	c.once(c.device, string(d.ID), f["id"])
	d.Kind = signal.DeviceKind(c.word(f, "kind", n.line, kinds()))
	d.Dialect = c.word(f, "dialect", n.line, Dialects[:])
	d.Model, d.Secret, d.Armed = c.text(f["model"], "model"), c.text(f["secret"], "secret"), c.flag(f["armed"], "armed")
	if f["category"] != nil {
		d.Category = signal.Category(c.word(f, "category", n.line, categories()))
		if d.Kind != signal.Button && d.Category != "" {
			c.bad(f["category"].line, "village.category_of_button")
		}
	}
	d.Topic, d.Hub = c.text(f["topic"], "topic"), c.text(f["hub"], "hub")
	c.account(f, &d)
	c.wire(f, &d)
	return d
}

// categories are the dangers that a button may be for.
func categories() []string {
	words := make([]string, 0, len(signal.Categories))
	for _, k := range signal.Categories {
		words = append(words, string(k))
	}
	return words
}

func kinds() []string {
	words := make([]string, 0, len(signal.DeviceKinds))
	for _, k := range signal.DeviceKinds {
		words = append(words, string(k))
	}
	return words
}

// word is one of words.
func (c *reader) word(f map[string]*node, what string, line int, words []string) string {
	s := c.needed(f, what, line)
	if s == "" || slices.Contains(words, s) {
		return s
	}
	if hint := nearest(s, words); hint != "" {
		c.bad(f[what].line, "village.word_hint", "field", what, "value", s, "hint", hint)
	} else {
		c.bad(f[what].line, "village.word_unknown", "field", what, "value", s, "words", strings.Join(words, ", "))
	}
	return ""
}

// account reads a user name of the device's own, which needs a password.
func (c *reader) account(f map[string]*node, d *Device) {
	if f["username"] == nil {
		if f["password"] != nil {
			c.bad(f["password"].line, "village.account_half")
		}
		return
	}
	if d.Username = c.id(f, "username", d.Line); d.Username == "" {
		return
	}
	d.Password = c.password(f, d.Line)
	c.user(d.Username, f["username"].line)
}

// wire checks the way from the device to Keng: its hub or account, its topic.
func (c *reader) wire(f map[string]*node, d *Device) {
	panel, web := d.Dialect == dc09.Name, d.Dialect == "webhook"
	switch {
	case d.Hub != "" && !c.hubs[d.Hub]:
		c.bad(f["hub"].line, "village.hub_unknown", "hub", d.Hub)
	case d.Hub == "" && d.Username == "" && !panel:
		c.bad(d.Line, "village.hub_needed", "device", string(d.ID))
	}
	switch {
	case d.Topic == "" && !web:
		if f["topic"] == nil || f["topic"].kind == text {
			c.bad(d.Line, "village.topic_needed", "device", string(d.ID))
		}
		return
	case panel:
		c.panel(f, d)
	case strings.ContainsAny(d.Topic, "+#") || strings.HasPrefix(d.Topic, "$") || strings.HasPrefix(d.Topic, "/") || strings.HasSuffix(d.Topic, "/"):
		c.bad(f["topic"].line, "village.topic_bad", "topic", d.Topic)
	}
	if d.Topic == "" || d.Kind == "" {
		return
	}
	wire := strings.Join([]string{d.Hub, d.Username, d.Dialect, d.Topic, string(d.Kind)}, "\x00")
	if first, twice := c.wires[wire]; twice {
		c.bad(d.Line, "village.wire_twice", "topic", d.Topic, "kind", string(d.Kind), "first", first)
	} else {
		c.wires[wire] = d.Line
	}
}

func (c *reader) panel(f map[string]*node, d *Device) {
	if _, err := dc09.ParseAddress(d.Topic); err != nil {
		c.bad(f["topic"].line, "village.panel_bad", "says", err.Error())
	}
	if d.Secret == "" {
		return
	}
	if _, err := dc09.ParseKey(d.Secret); err != nil {
		c.bad(f["secret"].line, "village.panel_bad", "says", err.Error())
	}
}
