package place

import (
	"cmp"
	"slices"
	"strings"
)

// Directory is who lives where, as it stood at one version of the village. It
// never changes; the slices it hands out are shared and must not be changed.
type Directory struct {
	version int64
	list    []Group // by id, numbers in their natural order
	index   map[GroupID]int
	home    map[HomeID]at
}

type at struct{ group, home int }

// NewDirectory makes a directory of groups. A group that another one calls
// adjoining is adjoining to it too; adjoining groups that do not exist are left out.
func NewDirectory(version int64, groups []Group) *Directory {
	d := &Directory{version: version, list: slices.Clone(groups), index: map[GroupID]int{}, home: map[HomeID]at{}}
	slices.SortFunc(d.list, func(a, b Group) int { return natural(string(a.ID), string(b.ID)) })
	for i, g := range d.list {
		d.index[g.ID] = i
		for j, h := range g.Homes {
			d.home[h.ID] = at{i, j}
		}
	}
	d.join()
	return d
}

// join makes adjoining a relation of both sides, without itself, sorted.
func (d *Directory) join() {
	near := make([]map[GroupID]bool, len(d.list))
	for i := range near {
		near[i] = map[GroupID]bool{}
	}
	for i, g := range d.list {
		for _, o := range g.Adjoining {
			if j, ok := d.index[o]; ok && j != i {
				near[i][o], near[j][g.ID] = true, true
			}
		}
	}
	for i := range d.list {
		ids := make([]GroupID, 0, len(near[i]))
		for o := range near[i] {
			ids = append(ids, o)
		}
		slices.SortFunc(ids, func(a, b GroupID) int { return natural(string(a), string(b)) })
		d.list[i].Adjoining = ids
	}
}

// Version is the version of the village that d shows.
func (d *Directory) Version() int64 { return d.version }

// Groups lists all groups, by id.
func (d *Directory) Groups() []Group { return d.list }

// Group returns one group with its homes in street order.
func (d *Directory) Group(id GroupID) (Group, bool) {
	i, ok := d.index[id]
	if !ok {
		return Group{}, false
	}
	return d.list[i], true
}

// Home returns one home.
func (d *Directory) Home(id HomeID) (Home, bool) {
	p, ok := d.home[id]
	if !ok {
		return Home{}, false
	}
	return d.list[p.group].Homes[p.home], true
}

// GroupOf returns the group of a home.
func (d *Directory) GroupOf(id HomeID) (Group, bool) {
	p, ok := d.home[id]
	if !ok {
		return Group{}, false
	}
	return d.list[p.group], true
}

// In lists the groups that s covers, by id.
func (d *Directory) In(s Scope) []Group {
	if s.Group != "" {
		if g, ok := d.Group(s.Group); ok {
			return []Group{g}
		}
		return nil
	}
	var in []Group
	for _, g := range d.list {
		if s.Covers(g, ParentOf(g.Commune)) {
			in = append(in, g)
		}
	}
	return in
}

// natural compares ids so that g2 stands before g10.
func natural(a, b string) int {
	for a != "" && b != "" {
		da, db := digits(a), digits(b)
		if da > 0 && db > 0 {
			x, y := strings.TrimLeft(a[:da], "0"), strings.TrimLeft(b[:db], "0")
			if c := cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y), cmp.Compare(da, db)); c != 0 {
				return c
			}
			a, b = a[da:], b[db:]
			continue
		}
		if a[0] != b[0] {
			return cmp.Compare(a[0], b[0])
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Compare(len(a), len(b))
}

// digits is how many digits s begins with.
func digits(s string) int { return len(s) - len(strings.TrimLeft(s, "0123456789")) }
