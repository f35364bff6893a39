package reach

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/notify"
	"github.com/keng-vn/keng/internal/engine/say"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// Enrol makes a browser of a one that rings. old is the endpoint that it had
// before, "" for none.
func (v *Service) Enrol(ctx context.Context, a people.Actor, p Phone, old string) (Phone, error) {
	const op = "reach.Enrol"
	if err := v.own(op, a, "reach.enrol"); err != nil {
		return Phone{}, err
	}
	if v.Key == "" {
		return Phone{}, fault.New(op, fault.Conflict, "reach.no_push")
	}
	_, badKeys := notify.ReadSubscriber(p.P256dh, p.Auth)
	if err := errors.Join(notify.CheckEndpoint(p.Endpoint, v.Trusted), badKeys); err != nil {
		return Phone{}, &fault.Error{Op: op, Kind: fault.Invalid, Key: "reach.bad_subscription", Err: err}
	}
	p.ID, p.Person, p.Made = phoneID(p.Endpoint), a.Person, v.Now()
	p.Label = norm.NFC.String(strings.TrimSpace(strings.Map(printable, p.Label)))
	if utf8.RuneCountInString(p.Label) > 40 {
		p.Label = string([]rune(p.Label)[:40])
	}
	if !slices.Contains(say.Langs[:], p.Lang) {
		p.Lang = say.Vietnamese
	}
	for _, had := range v.PhonesOf(a.Person) {
		if had.ID == p.ID {
			p.Made, p.Asked, p.Proven, p.Took = had.Made, had.Asked, had.Proven, had.Took
		}
	}
	if err := v.keep(ctx, p); err != nil {
		return Phone{}, err
	}
	if old != "" && phoneID(old) != p.ID {
		if err := v.drop(ctx, a.Person, phoneID(old)); err != nil {
			return Phone{}, err
		}
	}
	for all := v.PhonesOf(a.Person); len(all) > mostPhones; all = all[1:] {
		if err := v.drop(ctx, a.Person, all[0].ID); err != nil {
			return Phone{}, err
		}
	}
	if w := v.wishOf(a.Person); w.trouble != "" {
		w.trouble = ""
		if err := v.keepWish(ctx, a.Person, w); err != nil {
			return Phone{}, err
		}
	}
	v.changed(a.Person)
	return p, nil
}

func printable(r rune) rune {
	if r < ' ' || r == 0x7f {
		return -1
	}
	return r
}

// own refuses whoever is no person, and whoever may not do verb for himself.
func (v *Service) own(op string, a people.Actor, verb string) error {
	switch {
	case a.Nobody():
		return fault.New(op, fault.Unknown, "fault.sign_in")
	case a.Person == "" || !v.Rights.May(a, verb, people.Thing{Kind: "Phone", Owner: a.Person}):
		return fault.New(op, fault.Denied, "fault.denied")
	}
	return nil
}

// Drop forgets one of a's phones.
func (v *Service) Drop(ctx context.Context, a people.Actor, id string) error {
	if err := v.own("reach.Drop", a, "reach.enrol"); err != nil {
		return err
	}
	return v.drop(ctx, a.Person, id)
}

// Probe sends a test message to one of a's phones.
func (v *Service) Probe(ctx context.Context, a people.Actor, id string) (Phone, error) {
	const op = "reach.Probe"
	if err := v.own(op, a, "reach.enrol"); err != nil {
		return Phone{}, err
	}
	for _, p := range v.PhonesOf(a.Person) {
		if p.ID != id {
			continue
		}
		if since := v.Now().Sub(p.Asked); since >= 0 && since < probePause {
			return Phone{}, fault.New(op, fault.Busy, "reach.probe_soon")
		}
		return v.probe(ctx, p)
	}
	return Phone{}, fault.New(op, fault.NotFound, "reach.phone_unknown")
}

func (v *Service) probe(ctx context.Context, p Phone) (Phone, error) {
	p.Asked = v.Now()
	if err := v.keep(ctx, p); err != nil {
		return p, err
	}
	m := notify.Message{
		Key: key(p.Asked.Format("20060102T150405.000"), probing, notify.Push, p.Person, p.ID), Channel: notify.Push, Topic: "probe " + p.ID, Person: string(p.Person),
		To: p.Endpoint, Secret: p.P256dh + " " + p.Auth, Rank: 1, Until: p.Asked.Add(probeWithin),
	}
	m.Key = "probe" + strings.TrimPrefix(m.Key, "case")
	book := say.In(p.Lang)
	m.Body = letter{
		V: 1, ID: m.ID(), Kind: "probe", Title: book.Text("reach.probe", nil), Body: book.Text("reach.probe_body", nil), Lang: p.Lang, Tag: "probe", Path: pathOf(false),
		Receipt: v.sign(claim{toReceive, m.ID(), "probe/" + p.ID, p.Person, p.Asked.Add(receiveFor)}),
	}.text()
	v.Post.Post(m)
	v.changed(p.Person)
	return p, nil
}

// proven notes that a probe arrived. Only the first receipt of the newest counts.
func (v *Service) proven(ctx context.Context, who people.ID, id string) error {
	for _, p := range v.PhonesOf(who) {
		if p.ID != id || !p.Proven.Before(p.Asked) {
			continue
		}
		p.Proven = v.Now()
		p.Took = max(p.Proven.Sub(p.Asked), time.Millisecond)
		if err := v.keep(ctx, p); err != nil {
			return err
		}
		v.changed(who)
	}
	return nil
}

// look probes the phones that are due, in daytime, and tells of those whose probe
// did not arrive.
func (v *Service) look(ctx context.Context) {
	v.mu.Lock()
	stale := v.stale
	v.stale = false
	v.mu.Unlock()
	if stale {
		if err := v.Load(ctx); err != nil {
			v.Log.Error("phones were not read again", slog.Any("err", err))
		}
	}
	now := v.Now()
	hour := local(now).Hour()
	var due []Phone
	var late []people.ID
	v.mu.Lock()
	for who, all := range v.phones {
		for _, p := range all {
			waited := now.Sub(p.Asked)
			switch {
			case !p.Asked.IsZero() && p.Proven.Before(p.Asked) && waited > probeWithin && waited <= probeWithin+2*lookAgain:
				late = append(late, who)
			case hour >= 9 && hour < 17 && !p.Asked.IsZero() && waited > probeEvery && len(due) < 100:
				due = append(due, p)
			}
		}
	}
	v.mu.Unlock()
	for _, who := range late {
		v.changed(who)
	}
	for _, p := range due {
		if _, err := v.probe(ctx, p); err != nil {
			v.Log.Error("a phone was not probed", slog.Any("err", err))
			return
		}
	}
}

// Admit notes why a's phone cannot take push; "" takes it back.
func (v *Service) Admit(ctx context.Context, a people.Actor, t Trouble) error {
	const op = "reach.Admit"
	if err := v.own(op, a, "reach.enrol"); err != nil {
		return err
	}
	if !t.known() {
		return fault.New(op, fault.Invalid, "fault.invalid")
	}
	w := v.wishOf(a.Person)
	w.trouble = string(t)
	if err := v.keepWish(ctx, a.Person, w); err != nil {
		return err
	}
	v.changed(a.Person)
	return nil
}

// Wishes notes what a chose for what is no alarm.
func (v *Service) Wishes(ctx context.Context, a people.Actor, w Wish) error {
	if err := v.own("reach.Wishes", a, "reach.enrol"); err != nil {
		return err
	}
	w.trouble = v.wishOf(a.Person).trouble
	return v.keepWish(ctx, a.Person, w)
}

// Ready is what can be said of the phones of home h: the key of a sentence, "" when
// one of them rings, and whether that is known rather than not tried.
func (v *Service) Ready(h place.HomeID) (key string, known bool) {
	if v.Key == "" {
		return "", false
	}
	now := v.Now()
	v.mu.Lock()
	defer v.mu.Unlock()
	deaf, trouble := false, ""
	for _, person := range v.Folk.Home(h) {
		for _, p := range v.phones[person.ID] {
			switch p.State(now) {
			case Proven, Asking, New:
				return "", false
			case Deaf, Overdue:
				deaf = true
			}
		}
		if w := v.wishes[person.ID]; w.trouble != "" && trouble == "" {
			trouble = w.trouble
		}
	}
	if deaf || trouble != "" {
		return "home.phone_deaf", true // that person's own phone says why
	}
	return "", false
}
