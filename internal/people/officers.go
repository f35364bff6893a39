package people

import (
	"cmp"
	"slices"

	"github.com/keng-vn/keng/internal/place"
)

// Officers lists who holds role r for unit, by id.
func (b *Book) Officers(r Role, unit place.UnitCode) (all []Person) {
	for _, p := range b.now.Load().person {
		if unit != "" && p.Role == r && p.Scope.Unit == unit {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b Person) int { return cmp.Compare(a.ID, b.ID) })
	return all
}
