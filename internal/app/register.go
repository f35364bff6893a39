package app

import (
	"context"
	"database/sql"

	"github.com/keng-vn/keng/internal/device"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/register"
)

// buildRegister makes the list of households.
func (a *App) buildRegister() {
	a.Register = &register.Service{DB: a.DB, Rights: people.Rights{}, Refresh: a.Village.Refresh, Changed: a.People.Changed, Wires: wires{}, Log: a.Audit, Now: a.Now}
}

// Wired implements register.Wires.
func (wires) Wired(ctx context.Context, tx *sql.Tx) (map[place.HomeID]bool, error) {
	all, err := device.Wiring(ctx, tx)
	at := map[place.HomeID]bool{}
	for _, d := range all {
		at[d.Home] = true
	}
	return at, err
}

// Unwired is a register without an app around it, for commands.
func Unwired() register.Wires { return wires{} }
