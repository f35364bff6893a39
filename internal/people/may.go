package people

import (
	"slices"

	"github.com/keng-vn/keng/internal/place"
)

// Rights says who may do what, at this stage of Keng. It has no state. Slices
// that ask declare the few methods they need.
//
// A member is asked about his own group only; a leader, a deputy, the desk and
// an auditor about what their scope covers. Acknowledge, silence and close are
// three acts with three rights. An auditor reads and never acts; an admin knows
// that there are groups and incidents and nothing of anybody.
type Rights struct{}

// holds reports whether one of roles is a's, over g.
func holds(a Actor, g place.Group, roles ...Role) bool {
	if a.Nobody() || g.ID == "" || !slices.Contains(roles, a.Role) {
		return false
	}
	if a.Role == Member {
		return a.Group == g.ID && a.Home != ""
	}
	return a.Scope.Covers(g, place.ParentOf(g.Commune))
}

// acts reports whether a is one of those who act for g: its residents, whoever
// holds a role for it, and the duty desk.
func acts(a Actor, g place.Group) bool { return holds(a, g, Member, Leader, Deputy, Desk) }

// leads reports whether a answers for g: leader, deputy, duty desk.
func leads(a Actor, g place.Group) bool { return holds(a, g, Leader, Deputy, Desk) }

// in reports whether home h is one of g's.
func in(g place.Group, h place.HomeID) bool {
	return slices.ContainsFunc(g.Homes, func(x place.Home) bool { return x.ID == h })
}

// own reports whether a lives in home h of g.
func own(a Actor, g place.Group, h place.HomeID) bool {
	return h != "" && a.Home == h && in(g, h) && holds(a, g, Member, Leader, Deputy)
}

// MaySee reports whether a may know that g and its incidents exist.
func (Rights) MaySee(a Actor, g place.Group) bool {
	return acts(a, g) || holds(a, g, Auditor, Admin)
}

// MaySeeNames reports whether a may read names, addresses and persons of g. An
// admin sees ids, times and states only.
func (Rights) MaySeeNames(a Actor, g place.Group) bool {
	return acts(a, g) || holds(a, g, Auditor)
}

// MaySeePhones reports whether a may read telephone numbers of g's homes: its
// own neighbours and who has to call them. An auditor calls nobody.
func (Rights) MaySeePhones(a Actor, g place.Group) bool { return acts(a, g) }

// MaySeeSilent reports whether a may know of hold-ups of g: not the neighbours,
// who could be seen to react.
func (Rights) MaySeeSilent(a Actor, g place.Group) bool { return holds(a, g, Desk, Auditor) }

// MayRaise reports whether a may strike the gong for home h of g. Every resident
// may for every home: who sees smoke next door must be able to say whose it is.
// Who did it is on record.
func (Rights) MayRaise(a Actor, g place.Group, h place.HomeID) bool { return in(g, h) && acts(a, g) }

// MayAnswer reports whether a may answer the roll-call for home h as his own.
func (Rights) MayAnswer(a Actor, g place.Group, h place.HomeID) bool { return own(a, g, h) }

// MayAnswerFor reports whether a may answer on behalf of home h, which is marked
// as such: whoever stands at the neighbour's gate.
func (Rights) MayAnswerFor(a Actor, g place.Group, h place.HomeID) bool {
	return in(g, h) && acts(a, g)
}

// MayAcknowledge reports whether a may take an incident of g. It quiets nothing.
func (Rights) MayAcknowledge(a Actor, g place.Group) bool { return acts(a, g) }

// MayName reports whether a may say which danger an incident of g is, beside
// the home where it began.
func (Rights) MayName(a Actor, g place.Group) bool { return leads(a, g) }

// MayRespond reports whether a may say that somebody is on the spot, or that it
// is under control.
func (Rights) MayRespond(a Actor, g place.Group) bool { return acts(a, g) }

// MayNote reports whether a may write into an incident's timeline.
func (Rights) MayNote(a Actor, g place.Group) bool { return acts(a, g) }

// MaySilenceHome reports whether a may rest the siren of home h for a while.
func (Rights) MaySilenceHome(a Actor, g place.Group, h place.HomeID) bool {
	return own(a, g, h) || in(g, h) && leads(a, g)
}

// MaySilenceGroup reports whether a may rest all sirens of g for a while.
func (Rights) MaySilenceGroup(a Actor, g place.Group) bool { return leads(a, g) }

// MayClose reports whether a may close an incident of g with that cause. A
// member may only say that it was a mistake or a nuisance, which needs his home
// to be the origin, or a second home: slice alarm decides that. A false report
// is an accusation that only the duty desk may write.
func (Rights) MayClose(a Actor, g place.Group, cause string) bool {
	switch cause {
	case "mistaken_alarm", "nuisance":
		return acts(a, g)
	case "real", "test", "drill", "unknown", "duplicate":
		return leads(a, g)
	case "false_report":
		return holds(a, g, Desk)
	}
	return false
}

// MayDrill reports whether a may begin a drill or a bell test of g: those who
// stand beside the sirens.
func (Rights) MayDrill(a Actor, g place.Group) bool { return holds(a, g, Leader, Deputy) }

// MayBypass reports whether a may take a device of g out of service for a while.
func (Rights) MayBypass(a Actor, g place.Group) bool { return holds(a, g, Leader, Deputy) }

// MaySeeDevices reports whether a may see the equipment of g, and what was found
// or not understood.
func (Rights) MaySeeDevices(a Actor, g place.Group) bool { return leads(a, g) || holds(a, g, Auditor) }

// MayInvite reports whether a may make invites for g's residents.
func (Rights) MayInvite(a Actor, g place.Group) bool { return holds(a, g, Leader, Deputy) }

// MaySeeHealth reports whether a may see how Keng itself is.
func (Rights) MaySeeHealth(a Actor) bool {
	return !a.Nobody() && slices.Contains([]Role{Leader, Deputy, Desk, Auditor, Admin}, a.Role)
}

// MayHandover reports whether a may leave a note for the next shift of his unit.
func (Rights) MayHandover(a Actor) bool { return !a.Nobody() && a.Role == Desk && a.Scope.Unit != "" }

// MayReadHandovers reports whether a may read the notes of his unit.
func (Rights) MayReadHandovers(a Actor) bool {
	return !a.Nobody() && (a.Role == Desk || a.Role == Auditor) && a.Scope.Unit != ""
}
