package village

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Write writes f as a village file (YAML) that [Parse] reads back as f.
func (f File) Write(w io.Writer) error {
	o := bufio.NewWriter(w)
	line := func(indent int, format string, a ...any) {
		_, _ = fmt.Fprintf(o, strings.Repeat("  ", indent)+format+"\n", a...) // kept until Flush
	}
	line(0, "commune: %s", quote(string(f.Commune)))
	if len(f.Hubs) > 0 {
		line(0, "hubs:")
	}
	for _, h := range f.Hubs {
		line(1, "- {username: %s, password: %s}", quote(h.Username), quote(h.Password))
	}
	line(0, "groups:")
	for _, g := range f.Groups {
		writeGroup(line, g)
	}
	if err := o.Flush(); err != nil {
		return fmt.Errorf("write village file: %w", err)
	}
	return nil
}

type liner func(indent int, format string, a ...any)

func writeGroup(line liner, g Group) {
	line(1, "- id: %s", quote(string(g.ID)))
	line(2, "name: %s", quote(g.Name))
	optional(line, 2, "neighbourhood", g.Neighbourhood)
	optional(line, 2, "all_calm", g.AllCalm)
	if len(g.Adjoining) > 0 {
		var ids []string
		for _, id := range g.Adjoining {
			ids = append(ids, quote(string(id)))
		}
		line(2, "adjoining: [%s]", strings.Join(ids, ", "))
	}
	if g.Plan != "" {
		line(2, "plan: %s", g.Plan) // JSON is YAML
	}
	if len(g.Homes) > 0 {
		line(2, "homes:")
	}
	for _, h := range g.Homes {
		writeHome(line, h)
	}
}

func writeHome(line liner, h Home) {
	line(3, "- id: %s", quote(string(h.ID)))
	line(4, "name: %s", quote(h.Name))
	optional(line, 4, "address", h.Address)
	if h.Placed {
		line(4, "lat: %s", strconv.FormatFloat(h.Lat, 'f', -1, 64))
		line(4, "lon: %s", strconv.FormatFloat(h.Lon, 'f', -1, 64))
	}
	if len(h.Members) > 0 {
		line(4, "members:")
	}
	for _, m := range h.Members {
		line(5, "- {%s}", pairs("name", m.Name, "phone", m.Phone, "role", string(m.Role)))
	}
	if len(h.Devices) > 0 {
		line(4, "devices:")
	}
	for _, d := range h.Devices {
		armed := ""
		if d.Armed {
			armed = "true"
		}
		line(5, "- {%s}", pairs("id", string(d.ID), "kind", string(d.Kind), "dialect", d.Dialect, "topic", d.Topic, "hub", d.Hub,
			"model", d.Model, "username", d.Username, "password", d.Password, "secret", d.Secret, "armed", armed, "category", string(d.Category)))
	}
}

func optional(line liner, indent int, name, value string) {
	if value != "" {
		line(indent, "%s: %s", name, quote(value))
	}
}

// pairs writes names and values on one line, without the empty ones.
func pairs(nv ...string) string {
	var b strings.Builder
	for i := 0; i < len(nv); i += 2 {
		if nv[i+1] == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		b.WriteString(nv[i] + ": " + quote(nv[i+1]))
	}
	return b.String()
}

// quote writes s as a JSON string, which is also a YAML one; what needs no quotes
// in YAML goes without.
func quote(s string) string {
	if plain(s) {
		return s
	}
	return quoteJSON(s)
}

func quoteJSON(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string always can
	return strings.TrimSuffix(b.String(), "\n")
}

// plain reports whether s begins with a letter of ours and holds nothing that
// means something in YAML or JSON.
func plain(s string) bool {
	for i, r := range s {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || !strings.ContainsRune("0123456789_-/.", r)) {
			return false
		}
	}
	switch strings.ToLower(s) {
	case "", "y", "n", "yes", "no", "on", "off", "true", "false", "null":
		return false
	}
	return true
}
