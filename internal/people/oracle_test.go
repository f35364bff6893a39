package people

import (
	"slices"

	"github.com/keng-vn/keng/internal/place"
)

// oracle says who may do what, in plain Go, from what Keng promises and not from the
// policies: who stands where, who is rung, who answers for whom. It knows nothing of
// Cedar, of questions or of levels, and works out places by itself.
type oracle struct {
	a  Actor
	on Thing
}

// here reports whether s is a place in which the thing lies.
func (o oracle) here(s place.Scope) bool {
	g, unit := o.on.Group, o.on.Unit
	if g.Commune != "" {
		unit = g.Commune
	}
	province := map[place.UnitCode]place.UnitCode{"04792": "25", "04795": "25", "25": "25"}[unit]
	switch {
	case s.Group != "":
		return s.Group == g.ID
	case s.Neighbourhood != "":
		return s.Unit == unit && s.Neighbourhood == g.Neighbourhood
	}
	return s.Unit != "" && (s.Unit == unit || s.Unit == province)
}

// is reports whether he holds one of roles for where the thing lies.
func (o oracle) is(roles ...Role) bool {
	if o.on.Kind == "Home" && !o.listed() {
		return false
	}
	if slices.Contains(roles, Member) && o.a.Home != "" && o.a.Group != "" && o.here(place.Scope{Group: o.a.Group}) {
		return true
	}
	for _, p := range o.a.Held() {
		if p.Role != Member && slices.Contains(roles, p.Role) && o.here(p.At) {
			return true
		}
	}
	return false
}

// ever reports whether he holds one of roles anywhere at all.
func (o oracle) ever(roles ...Role) bool {
	return slices.ContainsFunc(o.a.Held(), func(p Post) bool { return slices.Contains(roles, p.Role) })
}

func (o oracle) listed() bool {
	return slices.ContainsFunc(o.on.Group.Homes, func(h place.Home) bool { return h.ID == o.on.Home })
}

func (o oracle) person() bool { return o.a.Person != "" }

func (o oracle) own() bool { return o.a.Home != "" && o.on.Home == o.a.Home && o.is(Member) }

func (o oracle) flag(name string) bool { b, _ := o.on.Attrs[name].(bool); return b }

func (o oracle) word(name string) string { s, _ := o.on.Attrs[name].(string); return s }

func (o oracle) mine() bool { return o.on.Owner != "" && o.on.Owner == o.a.Person }

func (o oracle) proposed() bool {
	id, _ := o.on.Attrs["proposer"].(ID)
	return id != "" && id == o.a.Person
}

func (o oracle) began() bool {
	homes, _ := o.on.Attrs["origins"].([]place.HomeID)
	return o.a.Home != "" && slices.Contains(homes, o.a.Home) && o.is(Member)
}

// leadsNextDoor reports whether he leads a group that adjoins the thing's.
func (o oracle) leadsNextDoor() bool {
	return slices.ContainsFunc(o.a.Held(), func(p Post) bool {
		return (p.Role == Leader || p.Role == Deputy) && p.At.Group != "" && slices.Contains(o.on.Group.Adjoining, p.At.Group) && p.At.Group != o.on.Group.ID
	})
}

var (
	serving = []Role{Head, Team, Mediator, Elder, Desk, Steering}
	above   = []Role{Chief, Viewer, Auditor, Admin}
	seated  = []Role{Desk, Chief, Steering, Viewer, Auditor, Admin}
)

// second reports whether he may be the second person of a grant.
func (o oracle) second() bool {
	switch r := Role(o.word("role")); {
	case slices.Contains(serving, r):
		return o.is(Chief) || o.flag("as_chief") && o.is(Desk)
	case slices.Contains(above, r):
		return o.is(Chief)
	}
	return false
}

// answers by verb.
var answers = map[string]func(oracle) bool{
	"place.see":     func(o oracle) bool { return o.is(Member, Leader, Deputy, Head, Team, Desk, Chief, Auditor, Admin) },
	"people.names":  func(o oracle) bool { return o.is(Member, Leader, Deputy, Head, Team, Desk, Chief, Auditor) },
	"people.phones": func(o oracle) bool { return o.is(Member, Leader, Deputy, Desk, Chief) },
	"people.invite": func(o oracle) bool { return o.is(Leader, Deputy) },

	"people.see_grant": func(o oracle) bool {
		ofGroup := o.word("role") == "leader" || o.word("role") == "deputy"
		return o.person() && o.mine() || o.is(Desk, Chief, Auditor) || ofGroup && o.is(Member, Leader, Deputy, Head)
	},
	"people.propose": func(o oracle) bool {
		if !o.person() || o.mine() {
			return false
		}
		r := Role(o.word("role"))
		return slices.Contains(serving, r) && o.is(Desk, Chief) || slices.Contains(above, r) && o.is(Chief)
	},
	"people.confirm": func(o oracle) bool {
		return o.person() && o.word("state") == "proposed" && !o.mine() && !o.proposed() && o.second()
	},
	"people.refuse": func(o oracle) bool {
		return o.person() && o.word("state") == "proposed" && (o.mine() || o.proposed() || o.second())
	},
	"people.end": func(o oracle) bool {
		ofGroup := o.word("role") == "leader" || o.word("role") == "deputy"
		return o.person() && o.word("state") == "held" && !ofGroup && (o.mine() || o.is(Chief))
	},

	"alarm.raise":       alarmActs,
	"alarm.answer_for":  alarmActs,
	"alarm.acknowledge": alarmActs,
	"alarm.respond":     alarmActs,
	"alarm.note":        alarmActs,
	"alarm.answer":      oracle.own,
	"alarm.silence_home": func(o oracle) bool {
		return o.own() || o.is(Leader, Deputy, Desk, Chief)
	},
	"alarm.silence": func(o oracle) bool { return o.is(Leader, Deputy, Desk, Chief) },
	"alarm.name":    func(o oracle) bool { return o.began() || o.is(Leader, Deputy, Desk, Chief) },
	"alarm.drill":   func(o oracle) bool { return o.is(Leader, Deputy) },
	"alarm.hold_up": func(o oracle) bool { return o.is(Desk, Chief, Auditor) },
	"alarm.see": func(o oracle) bool {
		if o.flag("silent") {
			return o.is(Desk, Chief, Auditor)
		}
		return o.is(Member, Leader, Deputy, Head, Team, Desk, Chief, Auditor, Admin) || o.flag("called") && o.leadsNextDoor()
	},
	"alarm.close": func(o oracle) bool {
		switch o.word("cause") {
		case "mistaken_alarm", "nuisance":
			return o.is(Member, Leader, Deputy, Desk, Chief)
		case "real", "test", "drill", "unknown", "duplicate":
			return o.is(Leader, Deputy, Desk, Chief)
		case "false_report": // an accusation
			return o.is(Desk, Chief)
		}
		return false
	},

	"device.see":    func(o oracle) bool { return o.is(Leader, Deputy, Desk, Chief, Auditor) },
	"device.bypass": func(o oracle) bool { return o.is(Leader, Deputy) },

	"duty.hand_over": func(o oracle) bool { return o.is(Desk) },
	"duty.plan":      func(o oracle) bool { return o.is(Desk, Chief) },
	"duty.read":      func(o oracle) bool { return o.is(Desk, Chief, Auditor) },

	"screen.health":  func(o oracle) bool { return o.ever(Leader, Deputy, Desk, Chief, Auditor, Admin) },
	"screen.console": func(o oracle) bool { return o.ever(seated...) },
	"screen.phone":   func(o oracle) bool { return o.a.Home != "" || !o.ever(seated...) },

	"cap.read": func(o oracle) bool { return !o.person() && o.is(Desk, Chief, Steering, Auditor) },
	"cap.warn": func(o oracle) bool { return !o.person() && o.is(Desk, Chief) },

	"chat.read":     chatGroup,
	"chat.post":     chatGroup,
	"chat.announce": func(o oracle) bool { return o.is(Leader, Deputy) },
	"chat.count":    func(o oracle) bool { return o.is(Leader, Deputy) },
	"chat.watch":    chatIncident,
	"chat.reply":    chatIncident,
	"chat.take":     func(o oracle) bool { return !o.flag("bulletin") && o.person() && o.mine() },
	"chat.remove":   func(o oracle) bool { return !o.flag("bulletin") && o.is(Leader, Deputy) },
	"chat.notify":   func(o oracle) bool { return o.is(Desk, Chief) },
	"chat.withdraw": func(o oracle) bool { return o.is(Desk, Chief) },
	"chat.notices":  func(o oracle) bool { return o.is(Desk, Chief, Auditor) },

	"group.found":          func(o oracle) bool { return o.person() && o.flag("invited") && o.a.Home == "" },
	"group.invite_founder": func(o oracle) bool { return o.is(Desk, Chief) },
	"group.see_inside":     chatGroup,
	"register.import":      func(o oracle) bool { return o.is(Desk, Chief) },
	"register.export":      func(o oracle) bool { return o.person() && o.is(Desk, Chief) },
	"group.change":         groupLead,
	"group.charter":        groupLead,
	"group.neighbour":      groupLead,
	"group.gear":           func(o oracle) bool { return groupLead(o) || o.ownHome() },
	"group.home":           func(o oracle) bool { return groupLead(o) || o.ownHome() },
	"group.invite":         func(o oracle) bool { return groupLead(o) || o.ownHome() },
	"group.home_leave":     func(o oracle) bool { return groupLead(o) || o.ownHome() },
	"group.term":           func(o oracle) bool { return o.is(Leader, Head, Chief) },
	"group.sign":           oracle.ownHome,
	"group.skill":          oracle.ownHome,
	"group.note_write":     oracle.ownHome,
	"group.note_read":      oracle.ownHome,
	"group.leave":          oracle.ownHome,
	"group.note_open": func(o oracle) bool {
		if !o.person() || !o.flag("open") || !o.flag("live") {
			return false
		}
		return o.is(Desk) || !o.flag("silent") && (o.is(Leader) || o.flag("coming") && o.is(Member))
	},

	"privacy.queue":  func(o oracle) bool { return o.is(Desk, Chief, Auditor) },
	"privacy.answer": func(o oracle) bool { return o.person() && o.is(Desk, Chief) },

	"reach.enrol": func(o oracle) bool { return o.person() && o.mine() },
}

func alarmActs(o oracle) bool { return o.is(Member, Leader, Deputy, Head, Team, Desk, Chief) }

func chatGroup(o oracle) bool { return o.is(Member, Leader, Deputy) }

func groupLead(o oracle) bool { return o.is(Leader, Deputy) }

func chatIncident(o oracle) bool { return o.flag("open") && o.flag("live") && o.is(Desk, Chief) }

func (o oracle) ownHome() bool { return o.on.Kind == "Home" && o.person() && o.own() }
