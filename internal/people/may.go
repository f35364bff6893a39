package people

import "github.com/keng-vn/keng/internal/place"

// Rights says who may do what. The text of the policies (internal/engine/policy)
// decides; the methods here only say which verb is meant, and of what. Slices that
// ask declare the few methods they need. The zero Rights is the law of this build.
type Rights struct{ of *law }

func (r Rights) law() *law {
	if r.of != nil {
		return r.of
	}
	return builtIn()
}

// over asks about group g itself.
func (r Rights) over(a Actor, verb string, g place.Group) bool {
	return g.ID != "" && r.May(a, verb, Thing{Kind: "Area", Group: g})
}

// at asks about home h of g.
func (r Rights) at(a Actor, verb string, g place.Group, h place.HomeID) bool {
	return g.ID != "" && h != "" && r.May(a, verb, Thing{Kind: "Home", Group: g, Home: h})
}

// machine asks about Keng itself.
func (r Rights) machine(a Actor, verb string) bool { return r.May(a, verb, Thing{Kind: "Machine"}) }

// Groups keeps those of groups to which a may do verb.
func (r Rights) Groups(a Actor, verb string, groups []place.Group) []place.Group {
	var kept []place.Group
	for _, g := range groups {
		if r.over(a, verb, g) {
			kept = append(kept, g)
		}
	}
	return kept
}

// MaySee reports whether a may know that g and its incidents exist.
func (r Rights) MaySee(a Actor, g place.Group) bool { return r.over(a, "place.see", g) }

// MaySeeNames reports whether a may read names, addresses and persons of g. An
// admin sees ids, times and states only.
func (r Rights) MaySeeNames(a Actor, g place.Group) bool { return r.over(a, "people.names", g) }

// MaySeePhones reports whether a may read telephone numbers of g's homes: its
// own neighbours and who has to call them. An auditor calls nobody.
func (r Rights) MaySeePhones(a Actor, g place.Group) bool { return r.over(a, "people.phones", g) }

// MaySeeSilent reports whether a may know of hold-ups of g: not the neighbours,
// who could be seen to react.
func (r Rights) MaySeeSilent(a Actor, g place.Group) bool { return r.over(a, "alarm.hold_up", g) }

// MayRaise reports whether a may strike the gong for home h of g. Every resident
// may for every home: who sees smoke next door must be able to say whose it is.
// Who did it is on record.
func (r Rights) MayRaise(a Actor, g place.Group, h place.HomeID) bool {
	return r.at(a, "alarm.raise", g, h)
}

// MayAnswer reports whether a may answer the roll-call for home h as his own.
func (r Rights) MayAnswer(a Actor, g place.Group, h place.HomeID) bool {
	return r.at(a, "alarm.answer", g, h)
}

// MayAnswerFor reports whether a may answer on behalf of home h, which is marked
// as such: whoever stands at the neighbour's gate.
func (r Rights) MayAnswerFor(a Actor, g place.Group, h place.HomeID) bool {
	return r.at(a, "alarm.answer_for", g, h)
}

// MayAcknowledge reports whether a may take an incident of g. It quiets nothing.
func (r Rights) MayAcknowledge(a Actor, g place.Group) bool { return r.over(a, "alarm.acknowledge", g) }

// MayName reports whether a may say which danger an incident of g is, beside
// the home where it began.
func (r Rights) MayName(a Actor, g place.Group) bool {
	return g.ID != "" && r.May(a, "alarm.name", Thing{Kind: "Incident", Group: g, Attrs: map[string]any{"silent": false, "called": false, "origins": []place.HomeID{}}})
}

// MayRespond reports whether a may say that somebody is on the spot, or that it
// is under control.
func (r Rights) MayRespond(a Actor, g place.Group) bool { return r.over(a, "alarm.respond", g) }

// MayNote reports whether a may write into an incident's timeline.
func (r Rights) MayNote(a Actor, g place.Group) bool { return r.over(a, "alarm.note", g) }

// MaySilenceHome reports whether a may rest the siren of home h for a while.
func (r Rights) MaySilenceHome(a Actor, g place.Group, h place.HomeID) bool {
	return r.at(a, "alarm.silence_home", g, h)
}

// MaySilenceGroup reports whether a may rest all sirens of g for a while.
func (r Rights) MaySilenceGroup(a Actor, g place.Group) bool { return r.over(a, "alarm.silence", g) }

// MayClose reports whether a may close an incident of g with that cause. A
// member may only say that it was a mistake or a nuisance, which needs his home
// to be the origin, or a second home: slice alarm decides that. A false report
// is an accusation that only the duty desk may write.
func (r Rights) MayClose(a Actor, g place.Group, cause string) bool {
	return g.ID != "" && r.May(a, "alarm.close", Thing{Kind: "Closing", Group: g, Attrs: map[string]any{"cause": cause}})
}

// MayDrill reports whether a may begin a drill or a bell test of g: those who
// stand beside the sirens.
func (r Rights) MayDrill(a Actor, g place.Group) bool { return r.over(a, "alarm.drill", g) }

// MayBypass reports whether a may take a device of g out of service for a while.
func (r Rights) MayBypass(a Actor, g place.Group) bool { return r.over(a, "device.bypass", g) }

// MaySeeDevices reports whether a may see the equipment of g, and what was found
// or not understood.
func (r Rights) MaySeeDevices(a Actor, g place.Group) bool { return r.over(a, "device.see", g) }

// MayInvite reports whether a may make invites for g's residents.
func (r Rights) MayInvite(a Actor, g place.Group) bool { return r.over(a, "people.invite", g) }

// MaySeeHealth reports whether a may see how Keng itself is.
func (r Rights) MaySeeHealth(a Actor) bool { return r.machine(a, "screen.health") }

// MayHandover reports whether a may leave a note for the next shift of his unit.
func (r Rights) MayHandover(a Actor) bool { return r.unit(a, "duty.hand_over") }

// MayReadHandovers reports whether a may read the notes of his unit.
func (r Rights) MayReadHandovers(a Actor) bool { return r.unit(a, "duty.read") }

// unit asks about the unit for which a holds his main role.
func (r Rights) unit(a Actor, verb string) bool {
	return a.Scope.Unit != "" && r.May(a, verb, Thing{Kind: "Area", Unit: a.Scope.Unit})
}

// MayConsole reports whether the officers' page is a's.
func (r Rights) MayConsole(a Actor) bool { return r.machine(a, "screen.console") }

// MayPhone reports whether the residents' page is a's.
func (r Rights) MayPhone(a Actor) bool { return r.machine(a, "screen.phone") }
