package app

import (
	"context"
	"database/sql"
	"net/http"
	"path/filepath"

	"github.com/keng-vn/keng/internal/engine/audit"
	"github.com/keng-vn/keng/internal/place"
)

// Files of the log of acts in the data folder.
const (
	LogKey        = "audit.key"        // signs; keep a copy in a safe place
	LogCheckpoint = "audit.checkpoint" // what was signed last
)

// openLog makes who signs the log of acts. Without a data folder there is no
// place for a key: acts are written all the same, and nobody can ask for proofs.
func (a *App) openLog() error {
	if a.Data == "" {
		return nil
	}
	name := a.LogName
	if name == "" {
		name = "main"
	}
	var err error
	a.Head, err = audit.NewHead(a.Audit, filepath.Join(a.Data, LogKey), filepath.Join(a.Data, LogCheckpoint),
		"keng/"+string(place.Province().Code)+"/"+name, a.Witnesses, a.Log)
	return err
}

// noteStart puts on record under which rules of "may they?" this Keng runs.
func (a *App) noteStart(ctx context.Context) {
	err := a.DB.Tx(ctx, func(tx *sql.Tx) error {
		_, err := a.Audit.Append(ctx, tx, audit.Act{Name: "keng.start", By: "machine/keng", On: "policy/" + a.law, Body: map[string]string{"version": a.Version}})
		return err
	})
	if err != nil && ctx.Err() == nil {
		a.Log.Error("the start is not on record", "err", err)
	}
}

// logRoutes serves the log of acts to everybody: it holds no content.
func (a *App) logRoutes() {
	if a.Head == nil {
		return
	}
	for _, r := range []struct {
		path, about string
		answer      func(http.ResponseWriter, *http.Request) error
	}{
		{"/log/checkpoint", "log of acts: its newest checkpoint, signed (C2SP tlog-checkpoint)", a.Head.ServeCheckpoint},
		{"/log/key", "log of acts: its public key", a.Head.ServeKey},
		{"/log/tile/{path...}", "log of acts: tiles and entries (C2SP tlog-tiles)", a.Head.ServeTile},
		{"/log/proof/{n}", "log of acts: the proof of one entry (C2SP tlog-proof)", a.Head.ServeProof},
		{"/log/consistency/{old}", "log of acts: the proof that it only grew", a.Head.ServeConsistency},
	} {
		a.Kit.Handle(http.MethodGet, r.path, r.about, r.answer)
	}
}
