package broker

import "strings"

// tree holds values by topic level: subscriptions with wildcards by filter, or
// retained messages by topic. The zero tree is empty. Not safe for concurrent
// use; its space has the lock.
type tree[V any] struct {
	kids map[string]*tree[V]
	val  V
	full bool // val is set
}

// at returns the place of path and makes the way to it.
func (t *tree[V]) at(path string) *tree[V] {
	for more := true; more; {
		var level string
		level, path, more = strings.Cut(path, "/")
		kid := t.kids[level]
		if kid == nil {
			if t.kids == nil {
				t.kids = make(map[string]*tree[V], 1)
			}
			kid = new(tree[V])
			t.kids[strings.Clone(level)] = kid
		}
		t = kid
	}
	return t
}

// find returns the place of path, or nil.
func (t *tree[V]) find(path string) *tree[V] {
	for more := true; more && t != nil; {
		var level string
		level, path, more = strings.Cut(path, "/")
		t = t.kids[level]
	}
	return t
}

func (t *tree[V]) put(path string, v V) {
	n := t.at(path)
	n.val, n.full = v, true
}

// drop removes the value of path and the branches that bear nothing any more.
func (t *tree[V]) drop(path string) {
	level, rest, more := strings.Cut(path, "/")
	kid := t.kids[level]
	if kid == nil {
		return
	}
	if more {
		kid.drop(rest)
	} else {
		var zero V
		kid.val, kid.full = zero, false
	}
	if !kid.full && len(kid.kids) == 0 {
		delete(t.kids, level)
	}
}

// hearing appends the values of all filters in t that match topic. A wildcard
// in the first level does not match a topic that begins with $ (§4.7.2).
func (t *tree[V]) hearing(topic string, dst []V) []V {
	if strings.HasPrefix(topic, "$") {
		level, rest, more := strings.Cut(topic, "/")
		return t.kids[level].descend(rest, more, dst)
	}
	return t.descend(topic, true, dst)
}

// descend appends what matches below t: topic is what is left of it, and more
// whether anything is left.
func (t *tree[V]) descend(topic string, more bool, dst []V) []V {
	if t == nil {
		return dst
	}
	if deep := t.kids["#"]; deep != nil && deep.full {
		dst = append(dst, deep.val)
	}
	if !more {
		if t.full {
			dst = append(dst, t.val)
		}
		return dst
	}
	level, rest, more := strings.Cut(topic, "/")
	dst = t.kids[level].descend(rest, more, dst)
	return t.kids["+"].descend(rest, more, dst)
}

// matching appends the values of all topics in t that filter matches.
func (t *tree[V]) matching(filter string, dst []V) []V {
	level, rest, more := strings.Cut(filter, "/")
	if level != "+" && level != "#" {
		return t.kids[level].under(rest, more, dst)
	}
	for name, kid := range t.kids {
		switch {
		case strings.HasPrefix(name, "$"):
		case level == "#":
			dst = kid.all(dst)
		default:
			dst = kid.under(rest, more, dst)
		}
	}
	return dst
}

func (t *tree[V]) under(filter string, more bool, dst []V) []V {
	if t == nil {
		return dst
	}
	if !more {
		if t.full {
			dst = append(dst, t.val)
		}
		return dst
	}
	if filter == "#" {
		return t.all(dst)
	}
	level, rest, more := strings.Cut(filter, "/")
	if level != "+" {
		return t.kids[level].under(rest, more, dst)
	}
	for _, kid := range t.kids {
		dst = kid.under(rest, more, dst)
	}
	return dst
}

// all appends the value of t and those of everything below it.
func (t *tree[V]) all(dst []V) []V {
	if t.full {
		dst = append(dst, t.val)
	}
	for _, kid := range t.kids {
		dst = kid.all(dst)
	}
	return dst
}
