package reach

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/keng-vn/keng/internal/engine/notify"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// useful is how long a call about an incident is worth making.
const useful = 5 * time.Minute

// call makes the calls of one step of the plan.
func (v *Service) call(c Case, t Target) {
	if now, ok := v.Alarms.Case(c.ID); ok {
		c = now // a step may have waited in the queue
	}
	if !c.Open {
		return
	}
	if c.Silent && t != Desk && t != Province { // a second lock on that door
		return
	}
	g, ok := v.Village().Group(c.Group)
	if !ok {
		return
	}
	switch t {
	case ByPush:
		v.mu.Lock()
		v.caseOf(c.ID).pushed = true
		v.mu.Unlock()
		v.follow(c)
	case BySMS:
		v.callHomes(c, g, notify.SMS, c.Unreached, atHome)
	case ByVoice:
		v.callHomes(c, g, notify.Voice, c.Unreached, atHome)
	case Leader:
		v.callPeople(c, few, leaders(g.ID, v.Folk.Group(g.ID)))
	case Adjacent:
		for _, id := range g.Adjoining {
			v.callPeople(c, nextDoor, leaders(id, v.Folk.Group(id)))
		}
	case Desk:
		v.callPeople(c, atDesk, v.Officers.Desk(g.Commune))
	case Province:
		v.callPeople(c, aboveDesk, v.Officers.Desk(unitAbove(g)))
	}
}

// leaders are those of all who lead group g now.
func leaders(g place.GroupID, all []people.Person) (led []people.Person) {
	for _, p := range all {
		leads := p.Scope.Group == g && (p.Role == people.Leader || p.Role == people.Deputy)
		for x := range p.Posts.All() {
			leads = leads || x.At.Group == g && (x.Role == people.Leader || x.Role == people.Deputy)
		}
		if leads {
			led = append(led, p)
		}
	}
	return led
}

// follow calls who must be called because of how c is now: every home once the
// doubt is over, everybody again when it spreads, and all who were called when it
// ends, so that no fire stands on a lock screen that is out.
func (v *Service) follow(c Case) {
	v.mu.Lock()
	k := v.caseOf(c.ID)
	pushed, all, again, over := k.pushed, k.all, k.spread, k.over
	switch {
	case !pushed || c.Silent:
	case !c.Open:
		k.over = true
	case !c.Waits:
		k.all = true
		k.spread = k.spread || c.Spreading
	}
	opened, ended := k.opened, k.ended
	k.opened, k.ended = true, !c.Open
	if !c.Open {
		v.forget()
	}
	v.mu.Unlock()
	if !opened || !c.Open && !ended {
		v.hook(c)
	}
	g, ok := v.Village().Group(c.Group)
	if !ok || !pushed || c.Silent {
		return
	}
	switch {
	case !c.Open && !over && c.Mode != Test: // a bell test ends by itself
		v.callOver(c, g)
	case !c.Open:
	case c.Waits:
		v.callHomes(c, g, notify.Push, originHomes(c), atHome)
	case !all:
		v.callHomes(c, g, notify.Push, c.Homes, atHome)
	}
	if c.Open && !c.Waits && c.Spreading && !again {
		v.callHomes(c, g, notify.Push, c.Homes, spread)
	}
}

// hook tells a program that a case opened or ended: what and where, never who. A
// hold-up is not told to programs.
func (v *Service) hook(c Case) {
	if v.Hook == "" || c.Silent {
		return
	}
	state := map[bool]string{true: "open", false: "closed"}[c.Open]
	body, err := json.Marshal(map[string]string{"incident": c.ID, "group": string(c.Group), "category": string(c.Category), "mode": string(c.Mode), "state": state, "cause": c.Cause})
	if err != nil { // strings always can be
		return
	}
	v.Post.Post(notify.Message{
		Key: "hook/" + c.ID + "/" + state, Channel: notify.Webhook, Topic: c.ID, To: v.Hook, Body: string(body), Rank: 1, Until: v.Now().Add(time.Hour),
	})
}

// forget drops what is remembered of cases of long ago. v.mu is held.
func (v *Service) forget() {
	for id, k := range v.cases {
		if v.Now().Sub(k.since) > 48*time.Hour {
			delete(v.cases, id)
		}
	}
}

func originHomes(c Case) (homes []place.HomeID) {
	for _, o := range c.Origins {
		if o.Home != "" && !slices.Contains(homes, o.Home) {
			homes = append(homes, o.Home)
		}
	}
	return homes
}

// callHomes calls the people of these homes by one channel. Whoever raised it is
// not told what he said, except that it spread.
func (v *Service) callHomes(c Case, g place.Group, via notify.Channel, homes []place.HomeID, s stage) {
	var all []notify.Message
	var none []place.HomeID
	lines := map[place.HomeID][]string{}
	for _, h := range homes {
		for _, p := range v.Folk.Home(h) {
			if s != spread && slices.ContainsFunc(c.Origins, func(o Origin) bool { return o.Person == p.ID }) {
				continue
			}
			for _, m := range v.messages(c, s, via, p) {
				all = append(all, m)
				lines[h] = append(lines[h], m.Key)
			}
		}
		if len(lines[h]) == 0 {
			none = append(none, h)
		}
	}
	v.Post.Post(all...)
	for h, keys := range lines {
		v.expect(c, line{h, via}, keys)
	}
	for _, h := range none {
		v.Alarms.Reached(g.ID, h, c.ID, string(via), NoWay)
	}
}

// callPeople calls these people by push and SMS at once.
func (v *Service) callPeople(c Case, s stage, who []people.Person) {
	var all []notify.Message
	for _, p := range who {
		all = append(all, v.messages(c, s, notify.Push, p)...)
		all = append(all, v.messages(c, s, notify.SMS, p)...)
	}
	v.Post.Post(all...)
}

// callOver tells those who were called by push that it is over. The newer message
// of the same topic also takes the place of one that still waits for a phone.
func (v *Service) callOver(c Case, g place.Group) {
	var all []notify.Message
	for _, p := range v.Folk.Group(g.ID) {
		all = append(all, v.messages(c, over, notify.Push, p)...)
	}
	v.Post.Post(all...)
}

// messages is what p is told about c at a stage by one channel: one for each of
// his phones by push, one by SMS or voice if his number is known.
func (v *Service) messages(c Case, s stage, via notify.Channel, p people.Person) (all []notify.Message) {
	if !v.Post.Has(via) {
		return nil
	}
	now := v.Now()
	m := notify.Message{Channel: via, Topic: c.ID, Person: string(p.ID), Until: now.Add(useful)}
	if c.Mode != Live {
		m.Rank = 1
	}
	if s == over {
		m.Rank = 1
	}
	if via != notify.Push {
		if p.Phone == "" {
			return nil
		}
		m.Key = key(c.ID, s, via, p.ID, "")
		m.To, m.Body = p.Phone, v.spoken(c, s, v.langOf(p.ID), s == atHome)
		return []notify.Message{m}
	}
	for _, phone := range v.PhonesOf(p.ID) {
		m.Key = key(c.ID, s, via, p.ID, phone.ID)
		m.To, m.Secret = phone.Endpoint, phone.P256dh+" "+phone.Auth
		m.Body = v.letter(c, s, p, phone, m.ID()).text()
		all = append(all, m)
	}
	return all
}

// key is person, channel and stage in one word; a phone stands behind its person.
func key(about string, s stage, via notify.Channel, p people.ID, phone string) string {
	return strings.TrimRight(strings.Join([]string{"case", about, string(s), string(via), string(p), phone}, "/"), "/")
}

func (v *Service) letter(c Case, s stage, p people.Person, phone Phone, id string) letter {
	w := v.said(c, s, phone.Lang)
	l := letter{
		V: 1, ID: id, Kind: kindOf(c, s), Title: w.Title, Body: w.Body, Lang: phone.Lang, Tag: c.ID, Path: pathOf(p.Home == ""), Incident: c.ID,
		Receipt: v.sign(claim{toReceive, id, c.ID, p.ID, v.Now().Add(receiveFor)}),
	}
	if p.Home != "" && (s == atHome || s == spread) && c.Mode != Test {
		l.Person, l.Answer, l.Actions = string(p.ID), v.sign(claim{toAnswer, id, c.ID, p.ID, v.Now().Add(answerFor)}), actions(phone.Lang)
	}
	return l
}

// expect remembers which messages call a home, and tells how far they got.
func (v *Service) expect(c Case, l line, keys []string) {
	v.mu.Lock()
	k := v.caseOf(c.ID)
	if k.homes[l] == nil {
		k.homes[l] = map[string]notify.State{}
	}
	for _, key := range keys {
		if s := v.Post.State(key); k.homes[l][key] == "" || s.Done() {
			k.homes[l][key] = s
		}
	}
	v.mu.Unlock()
	v.report(c.ID, c.Group, l)
}

// noted takes what became of a message.
func (v *Service) noted(ctx context.Context, m notify.Message, s notify.State) {
	f := strings.Split(m.Key, "/")
	if s == notify.Gone {
		v.gone(ctx, f[len(f)-1])
	}
	if len(f) < 5 || f[0] != "case" || stage(f[2]) != atHome {
		return
	}
	p, ok := v.Folk.Person(people.ID(m.Person))
	if !ok || p.Home == "" {
		return
	}
	l := line{p.Home, m.Channel}
	v.mu.Lock()
	k := v.caseOf(m.Topic)
	if k.homes[l] == nil {
		k.homes[l] = map[string]notify.State{}
	}
	k.homes[l][m.Key] = s
	v.mu.Unlock()
	v.report(m.Topic, p.Scope.Group, l)
}

// report tells the roll-call how far the calls to a home got by one way, when that
// is news.
func (v *Service) report(id string, g place.GroupID, l line) {
	v.mu.Lock()
	k := v.caseOf(id)
	d := summary(k.homes[l])
	news := d != "" && k.told[l] != d
	k.told[l] = d
	v.mu.Unlock()
	if news {
		v.Alarms.Reached(g, l.home, id, string(l.via), d)
	}
}

// summary is the best of the messages to a home, "" while none has left.
func summary(all map[string]notify.State) Delivery {
	failed, left := 0, 0
	for _, s := range all {
		switch s {
		case notify.Accepted:
			return TakenOn
		case notify.Failed, notify.Gone:
			failed++
		case notify.Sent:
			left++
		}
	}
	switch {
	case left > 0:
		return Calling
	case failed > 0 && failed == len(all):
		return NotTaken
	}
	return ""
}

// Wanted reports whether a message is still worth sending: a home that has it need
// not be called by other means, and what is over calls nobody.
func (v *Service) Wanted(m notify.Message) bool {
	f := strings.Split(m.Key, "/")
	if len(f) < 5 || f[0] != "case" || stage(f[2]) == over {
		return true
	}
	c, ok := v.Alarms.Case(m.Topic)
	if !ok {
		return true // it is not known why not
	}
	if !c.Open {
		return false
	}
	if m.Channel != notify.SMS && m.Channel != notify.Voice || stage(f[2]) != atHome {
		return true
	}
	p, known := v.Folk.Person(people.ID(m.Person))
	return known && slices.Contains(c.Unreached, p.Home)
}

// gone forgets a phone whose push service says that it is no more.
func (v *Service) gone(ctx context.Context, phone string) {
	v.mu.Lock()
	who, ok := v.owner[phone]
	v.mu.Unlock()
	if !ok {
		return
	}
	if err := v.drop(ctx, who, phone); err != nil {
		v.Log.Error("a phone that is gone was not forgotten", slog.Any("err", err))
	}
}
