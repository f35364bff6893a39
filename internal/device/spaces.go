package device

import (
	"slices"

	"github.com/keng-vn/keng/internal/engine/broker"
)

// Spaces lists the topic spaces of every hub and device account, for a front
// that must say what it hears (a standing broker).
func (v *Service) Spaces() []broker.Space {
	spaces := make([]broker.Space, 0, len(v.now.Load().spaces))
	for name := range v.now.Load().spaces {
		spaces = append(spaces, name)
	}
	slices.Sort(spaces)
	return spaces
}
