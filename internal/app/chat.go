package app

import (
	"context"
	"path/filepath"

	"github.com/keng-vn/keng/internal/alarm"
	"github.com/keng-vn/keng/internal/chat"
	"github.com/keng-vn/keng/internal/engine/blob"
	"github.com/keng-vn/keng/internal/engine/say"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/reach"
)

// largestBlob bounds one file of the group's channel, in bytes, after it was cleaned.
const largestBlob = 8 << 20

// buildChat makes the groups' channel. Without a data folder it carries words only.
func (a *App) buildChat() error {
	a.Chat = &chat.Service{
		DB: a.DB, Village: a.Village.Directory, Rights: people.Rights{}, Audit: a.Audit,
		Cases: cases{a}, Folk: a.Book, Told: gossip{a}, Announcer: crier{a}, Rules: a.Rules, Now: a.Now, Log: a.Log,
	}
	if a.Data == "" {
		return nil
	}
	var err error
	a.Chat.Files, err = blob.Open(filepath.Join(a.Data, "blobs"), "chat", largestBlob)
	return err
}

// cases shows incidents to chat.
type cases struct{ a *App }

// Case implements chat.Cases.
func (c cases) Case(ctx context.Context, id string) (chat.Case, error) {
	i, err := c.a.Alarm.Find(ctx, alarm.ID(id))
	if err != nil || i == nil {
		return chat.Case{}, err
	}
	return caseOf(i), nil
}

// Ringing implements chat.Cases: of several, the one that was opened last.
func (c cases) Ringing(g place.GroupID) (last chat.Case) {
	for _, i := range c.a.Alarm.Live(g) {
		if string(i.ID) > last.ID {
			last = caseOf(i)
		}
	}
	return last
}

func caseOf(i *alarm.Incident) chat.Case {
	return chat.Case{ID: string(i.ID), Group: i.Group, Live: i.Mode == alarm.Live, Silent: i.Silent, Open: i.Open()}
}

// crier brings announcements, notices and warnings to telephones that are shut.
type crier struct{ a *App }

// Announce implements chat.Announcer.
func (c crier) Announce(g place.GroupID, k chat.Kind, message chat.ID, title, text string) {
	if c.a.Reach == nil {
		return
	}
	n := reach.Notice{Key: "chat/" + string(message), Topic: string(message), Kind: "notice", Title: title, Body: text, Path: "/"}
	if n.Title == "" {
		n.Title = say.In(say.Vietnamese).Text("chat.announced", nil)
	}
	for _, p := range c.a.Book.Group(g) {
		n.People = append(n.People, p.ID)
	}
	c.a.Reach.Notify(context.Background(), n)
}

// gossip tells screens that there is something new to ask for.
type gossip struct{ a *App }

// Changed implements chat.Told.
func (g gossip) Changed(h chat.Hint) {
	var c chat.Case
	if h.Incident != "" {
		c, _ = cases(g).Case(context.Background(), h.Incident) // an incident that cannot be read calls nobody
	}
	g.a.Screens.Hint("chat", string(h.Group), string(h.ID), h.Rev, func(who people.Actor) bool { return g.a.Chat.Hears(who, h, c) })
}
