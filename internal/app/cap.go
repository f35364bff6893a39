package app

import (
	"context"
	"time"

	"github.com/keng-vn/keng/internal/alarm"
	"github.com/keng-vn/keng/internal/cap"
	"github.com/keng-vn/keng/internal/chat"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// buildCAP makes what speaks the Common Alerting Protocol.
func (a *App) buildCAP() {
	a.CAP = &cap.Service{DB: a.DB, Village: a.Village.Directory, Rights: people.Rights{}, Source: lives{a}, Board: board{a.Chat}, Now: a.Now}
}

// lives shows incidents to programs that speak CAP: what happened, nobody's name.
type lives struct{ a *App }

// mostLives bounds a feed.
const mostLives = 500

// Lives implements cap.Source.
func (l lives) Lives(ctx context.Context, who people.Actor, groups []place.Group, since time.Time) ([]cap.Life, error) {
	views, err := l.a.Alarm.List(ctx, who, groups, alarm.Which{State: "all", Since: since, Limit: mostLives})
	if err != nil {
		return nil, err
	}
	byID := map[place.GroupID]place.Group{}
	for _, g := range groups {
		byID[g.ID] = g
	}
	all := make([]cap.Life, 0, len(views))
	for _, v := range views {
		all = append(all, lifeOf(v, byID[v.Group]))
	}
	return all, nil
}

// Life implements cap.Source.
func (l lives) Life(ctx context.Context, who people.Actor, id string) (cap.Life, bool, error) {
	i, err := l.a.Alarm.Find(ctx, alarm.ID(id))
	if err != nil || i == nil || !l.a.Alarm.MaySee(who, i) {
		return cap.Life{}, false, err
	}
	g, _ := l.a.Village.Directory().Group(i.Group)
	return lifeOf(l.a.Alarm.ViewFor(who, g, i), g), true, nil
}

func lifeOf(v alarm.IncidentView, g place.Group) cap.Life {
	l := cap.Life{ID: string(v.ID), Code: v.Code, Group: g, Mode: string(v.Mode), Silent: v.Silent}
	for _, e := range v.Timeline {
		danger, _ := e.Args["category"].(string)
		l.Steps = append(l.Steps, cap.Step{At: e.At, Key: e.Key, Category: danger})
	}
	return l
}

// board shows warnings in the groups' channels.
type board struct{ v *chat.Service }

// Show implements cap.Board.
func (b board) Show(ctx context.Context, w cap.Warning) error {
	return b.v.Warn(ctx, chat.Bulletin{ID: chat.NoticeID(w.ID), Kind: chat.Warning, Unit: w.Unit, Groups: w.Groups, Title: w.Title, Text: w.Text, Level: w.Level, Expires: w.Expires, By: w.By})
}

// Recall implements cap.Board.
func (b board) Recall(ctx context.Context, id string) error {
	return b.v.Recall(ctx, chat.NoticeID(id))
}
