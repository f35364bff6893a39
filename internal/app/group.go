package app

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/keng-vn/keng/internal/alarm"
	"github.com/keng-vn/keng/internal/device"
	"github.com/keng-vn/keng/internal/engine/say"
	"github.com/keng-vn/keng/internal/engine/seal"
	"github.com/keng-vn/keng/internal/group"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/reach"
	"github.com/keng-vn/keng/internal/signal"
)

// buildGroups makes the group slice and finds the key that seals its notes.
func (a *App) buildGroups() error {
	box, err := a.box()
	if err != nil {
		return err
	}
	a.Groups = &group.Service{
		DB: a.DB, Box: box, Rules: a.Rules, Rights: people.Rights{}, Village: a.Village, Folk: a.Book, People: a.People,
		Alarms: emergencies{a}, Wires: wires{}, Log: a.Audit, Tell: reminders{a}, Left: a.left, Note: a.Log, Now: a.Now,
	}
	return nil
}

// box opens with the key file. Without a folder and without a file there is no
// key, and no note can be written.
func (a *App) box() (seal.Box, error) {
	file := a.KeyFile
	if file == "" {
		if a.Data == "" {
			return seal.Box{}, nil
		}
		file = filepath.Join(a.Data, seal.File)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return seal.Box{}, fmt.Errorf("make folder of the key: %w", err)
	}
	return seal.Load(file)
}

// left drops the telephones of who left a group.
func (a *App) left(ctx context.Context, who ...people.ID) {
	for _, id := range who {
		if err := a.Reach.Forget(ctx, id); err != nil {
			a.Log.Error("phones of who left are still there", "err", err)
		}
	}
}

// reminders reach people by push, as each of them chose.
type reminders struct{ a *App }

// Remind implements group.Teller.
func (r reminders) Remind(ctx context.Context, to []people.ID, key string, args map[string]any) {
	b := say.In(say.Vietnamese)
	if args["label"] == "" {
		args["label"] = b.Text("group.gear_some", nil)
	}
	r.a.Reach.Notify(ctx, reach.Notice{
		Key: fmt.Sprint(key, args["label"], r.a.Now().Unix()/86400), Topic: "gear", Kind: "notice",
		Title: b.Text("group.gear_title", nil), Body: b.Text(key, args), Path: "/", People: to,
	})
}

// emergencies shows incidents to notes.
type emergencies struct{ a *App }

// Emergency implements group.Alarms.
func (e emergencies) Emergency(ctx context.Context, id string) (group.Emergency, bool, error) {
	i, err := e.a.Alarm.Find(ctx, alarm.ID(id))
	if err != nil || i == nil {
		return group.Emergency{}, false, err
	}
	x := group.Emergency{Group: i.Group, Open: i.Open(), Live: i.Mode == alarm.Live && i.Condition != alarm.PreAlarm, Silent: i.Silent}
	for _, r := range i.Homes {
		for _, p := range r.People {
			if p.Answer == alarm.Coming && !p.OnBehalf {
				x.Coming = append(x.Coming, p.Person)
			}
		}
	}
	return x, true, nil
}

// Loud implements group.Alarms.
func (e emergencies) Loud(g place.GroupID) bool { return len(e.a.Alarm.Live(g)) > 0 }

// wires takes devices out.
type wires struct{}

// Unwire implements group.Wires.
func (wires) Unwire(ctx context.Context, tx *sql.Tx, homes []place.HomeID) error {
	all, err := device.Wiring(ctx, tx)
	if err != nil {
		return err
	}
	var ids []signal.DeviceID
	for _, d := range all {
		if slices.Contains(homes, d.Home) {
			ids = append(ids, d.ID)
		}
	}
	_, err = device.Remove(ctx, tx, ids, nil)
	return err
}
