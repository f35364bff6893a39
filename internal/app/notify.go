package app

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/keng-vn/keng/internal/alarm"
	"github.com/keng-vn/keng/internal/chat"
	"github.com/keng-vn/keng/internal/engine/notify"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/reach"
)

// Outside is how people outside are reached: what an operator may set.
type Outside struct {
	PushKey     string // PEM file; "" for vapid.key in the data folder
	PushPrivate bool   // push services at private addresses and without https: tests, closed networks
	Contact     string // whom a push service may write to: mailto: or https:
	SMS, Voice  string // URLs of gateways
	Secret      []byte // shared with the gateways
	Webhook     string // URL of a program that hears of alarms
}

// contact is where push services find out what Keng is, when no operator is named.
const contact = "https://github.com/keng-vn/keng"

// buildReach makes what calls people outside.
func (a *App) buildReach() error {
	o := notify.Options{
		DB: a.DB, Journal: a.Committer, Now: a.Now, Log: a.Log.With("room", "notify"), PushNear: a.Outside.PushPrivate, Plain: reach.Plain,
		SMS: notify.Gateway{URL: a.Outside.SMS, Secret: a.Outside.Secret}, Voice: notify.Gateway{URL: a.Outside.Voice, Secret: a.Outside.Secret},
		Wanted: func(m notify.Message) bool { return a.Reach.Wanted(m) },
		Told:   func(m notify.Message, s notify.State) { a.Reach.Told(m, s) },
	}
	if a.Outside.SMS+a.Outside.Voice+a.Outside.Webhook != "" && len(a.Outside.Secret) < 16 {
		return errors.New("gateways and webhooks need a shared secret of at least 16 bytes: set KENG_GATEWAY_SECRET or KENG_GATEWAY_SECRET_FILE")
	}
	if a.Outside.Webhook != "" {
		o.HookSecret = a.Outside.Secret
	}
	key, err := a.pushKey()
	if err != nil {
		return err
	}
	a.Reach = &reach.Service{
		DB: a.DB, Alarms: calls{a}, Folk: a.Book, Officers: calls{a}, Village: func() reach.Village { return a.Village.Directory() }, Rights: people.Rights{},
		Actor: a.actor, Trusted: a.Outside.PushPrivate, Hook: a.Outside.Webhook, Now: a.Now, Log: a.Log.With("room", "reach"),
		Readier: func(g place.GroupID) { a.Screens.GroupChanged(g) },
	}
	if a.Outside.SMS != "" || a.Outside.Voice != "" {
		a.Reach.Gateway = a.Outside.Secret
	}
	if key != nil {
		o.Push, a.Reach.Key = key, key.Public()
		if a.Reach.Secret, err = key.Derive("tokens of push messages"); err != nil {
			return fmt.Errorf("push key: %w", err)
		}
	}
	a.Notify = notify.New(o)
	a.Reach.Post = a.Notify
	before := a.People.Renewed // a new phone: the old one rings no more
	a.People.Renewed = func(ctx context.Context, tx *sql.Tx, id people.ID) error {
		if before != nil {
			if err := before(ctx, tx, id); err != nil {
				return err
			}
		}
		return a.Reach.Renewed(ctx, tx, id)
	}
	return nil
}

// pushKey is the key of this Keng, nil when there is no place to keep one.
func (a *App) pushKey() (*notify.Key, error) {
	file := a.Outside.PushKey
	switch {
	case file == "" && a.Data == "":
		a.Log.Warn("no push messages: say where the key is kept, --push-key FILE or --data DIR")
		return nil, nil
	case file == "":
		if err := os.MkdirAll(a.Data, 0o700); err != nil {
			return nil, fmt.Errorf("make data folder: %w", err)
		}
		file = filepath.Join(a.Data, notify.KeyFile)
	}
	subject := a.Outside.Contact
	if subject == "" {
		subject = contact
	}
	return notify.OpenKey(file, subject)
}

// startReach takes up the calls that were not finished. The open incidents say
// again whom they called.
func (a *App) startReach(ctx context.Context) error {
	if err := a.Reach.Load(ctx); err != nil {
		return err
	}
	a.Chat.Announcer = announcer{a}
	a.run("reach", a.Reach.Run)
	if err := a.Notify.Start(ctx); err != nil {
		return err
	}
	a.later("notify", a.Notify.Close)
	return nil
}

// actor is who somebody is now, without a session of his.
func (a *App) actor(id people.ID) (people.Actor, bool) {
	p, ok := a.Book.Person(id)
	return people.Actor{Person: p.ID, Name: p.Name, Role: p.Role, Home: p.Home, Group: p.Scope.Group, Scope: p.Scope, Posts: p.Posts}, ok
}

// announcer brings what is announced to a group to the phones of its people.
type announcer struct{ a *App }

// Announce implements chat.Announcer.
func (n announcer) Announce(g place.GroupID, _ chat.Kind, message chat.ID, title, text string) {
	group, ok := n.a.Village.Directory().Group(g)
	if !ok {
		return
	}
	if title == "" {
		title = group.Name
	}
	told := reach.Notice{Key: string(message), Topic: "notice " + string(g), Kind: "notice", Title: title, Body: text, Path: "/"}
	for _, p := range n.a.Book.Group(g) {
		told.People = append(told.People, p.ID)
	}
	n.a.Reach.Notify(context.Background(), told)
}

// calls is the alarm slice as slice reach needs it.
type calls struct{ a *App }

// Case implements reach.Alarms.
func (c calls) Case(id string) (reach.Case, bool) {
	i, err := c.a.Alarm.Find(context.Background(), alarm.ID(id))
	if err != nil || i == nil {
		return reach.Case{}, false
	}
	return callOf(i), true
}

// Answer implements reach.Alarms.
func (c calls) Answer(ctx context.Context, who people.Actor, id, answer, key string) error {
	_, err := c.a.Alarm.Answer(ctx, alarm.Act{By: who, Key: key}, alarm.ID(id), "", alarm.Answer(answer), 0, "")
	return err
}

// Receive implements reach.Alarms.
func (c calls) Receive(ctx context.Context, who people.Actor, id string) error {
	_, err := c.a.Alarm.Receive(ctx, alarm.Act{By: who}, alarm.ID(id))
	return err
}

// Reached implements reach.Alarms.
func (c calls) Reached(g place.GroupID, h place.HomeID, id, via string, d reach.Delivery) {
	c.a.Alarm.Phone(g, h, alarm.ID(id), alarm.Via(via), alarm.Delivery(d))
}

// Desk implements reach.Officers.
func (c calls) Desk(unit place.UnitCode) []people.Person {
	return c.a.Book.Officers(people.Desk, unit)
}

func callOf(i *alarm.Incident) reach.Case {
	c := reach.Case{
		ID: string(i.ID), Group: i.Group, Mode: reach.Mode(i.Mode), Category: i.Category, Silent: i.Silent, Open: i.Open(), Waits: i.Condition == alarm.PreAlarm,
		Spreading: i.Spreading, Unreached: i.Unreached(),
	}
	if i.Closed != nil {
		c.Cause = string(i.Closed.Cause)
	}
	for _, o := range i.Origins {
		c.Origins = append(c.Origins, reach.Origin{Home: o.Home, Person: o.Person})
	}
	for _, r := range i.Homes {
		c.Homes = append(c.Homes, r.Home)
	}
	if c.Waits {
		c.Unreached = slices.DeleteFunc(c.Unreached, func(h place.HomeID) bool { return !i.OriginHome(h) })
	}
	return c
}
