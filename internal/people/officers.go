package people

import "github.com/keng-vn/keng/internal/place"

// Officers lists who holds role r for unit now, by id.
func (b *Book) Officers(r Role, unit place.UnitCode) (held []Person) {
	if unit == "" {
		return nil
	}
	for _, p := range b.everybody() {
		holds := p.Role == r && p.Scope == place.Scope{Unit: unit}
		for x := range p.Posts.All() {
			holds = holds || x.Role == r && x.At == place.Scope{Unit: unit}
		}
		if holds {
			held = append(held, p)
		}
	}
	return held
}
