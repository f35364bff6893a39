package app

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/keng-vn/keng/internal/alarm"
	"github.com/keng-vn/keng/internal/engine/backup"
	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/notify"
	"github.com/keng-vn/keng/internal/engine/seal"
	"github.com/keng-vn/keng/internal/engine/store"
)

// kept names what a backup holds beside the database: files of the data folder,
// and folders with all in them ("blobs/"). Whoever adds a file there adds its
// name here, or to passing.
func kept() []string {
	return []string{
		seal.File,      // opens what is sealed in the database
		LogKey,         // signs the checkpoints of the log of acts
		LogCheckpoint,  // the last of them
		notify.KeyFile, // who we are to push services
		"blobs/",       // pictures, voice notes
		"demo.txt",     // the data is a demo's: it must stay one
	}
}

// passing names what a backup leaves out on purpose: the database, which is in it
// row by row, and what is made anew.
func passing() []string {
	return []string{"keng.db", "keng.db-wal", "keng.db-shm", "keng.db.lock", LogCheckpoint, LogCheckpoint + ".part", LogKey + ".part", "lost+found"}
}

// Backup writes everything that o's Keng keeps to w, while it runs or not.
func Backup(ctx context.Context, o Options, w io.Writer) (h backup.Head, m backup.Manifest, err error) {
	if o.Database == "" {
		if o.Data == "" {
			return h, m, errNoData
		}
		if _, err := os.Stat(filepath.Join(o.Data, "keng.db")); err != nil { // opening it would make one
			return h, m, &fault.Error{Op: "app.Backup", Kind: fault.NotFound, Key: "backup.nothing_there", Err: err}
		}
	}
	db, err := store.Open(ctx, o.dsn()) // as it is: a newer program must not change it
	if err != nil {
		return h, m, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return backup.Write(ctx, w, backup.Source{DB: db, Kept: backup.Kept{Dir: o.Data, Holds: kept()}, Program: o.Version, Now: time.Now})
}

// Restored says what a restore brought back.
type Restored struct {
	Head     backup.Head
	Manifest backup.Manifest
	Journal  alarm.Verified
}

// Restore reads a backup into the empty place that o names: all of it or nothing.
// A journal whose chain is broken is restored all the same, for it may be the
// only one there is, and told.
func Restore(ctx context.Context, o Options, r io.Reader) (got Restored, err error) {
	if o.Data == "" && o.Database == "" {
		return got, errNoData
	}
	if err := emptyFolder(o.Data); err != nil {
		return got, err
	}
	files := &backup.Stage{Kept: backup.Kept{Dir: o.Data, Holds: kept()}}
	defer files.Drop()
	if o.Database != "" {
		if err := restoreInto(ctx, o.Database, r, files, &got); err != nil {
			return got, err
		}
		return got, files.Place()
	}
	if err := os.MkdirAll(o.Data, 0o700); err != nil {
		return got, err
	}
	tmp := filepath.Join(o.Data, restoring)
	defer func() {
		for _, end := range []string{"", "-wal", "-shm", ".lock"} {
			_ = os.Remove(tmp + end) // what is left of a restore that failed, or its second name
		}
	}()
	if err := restoreInto(ctx, tmp, r, files, &got); err != nil {
		return got, err
	}
	if err := files.Place(); err != nil {
		return got, err
	}
	return got, putInPlace(tmp, o.dsn())
}

// restoring is the name of a database that is being restored.
const restoring = "keng.db.restoring"

// restoreInto loads the backup into the empty database dsn and reads its journal.
func restoreInto(ctx context.Context, dsn string, r io.Reader, files *backup.Stage, got *Restored) (err error) {
	db, err := store.Open(ctx, dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	hold, err := db.Lock(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, hold.Release()) }()
	err = db.Tx(ctx, func(tx *sql.Tx) error {
		into := &backup.Into{Ctx: ctx, DB: db, Tx: tx, Migrations: migrations(), Files: files.Put}
		var err error
		if got.Head, got.Manifest, err = backup.Read(ctx, r, into); err != nil {
			return err
		}
		return into.Finish()
	})
	if err != nil {
		return err
	}
	got.Journal, err = (&alarm.Book{DB: db}).Verify(ctx)
	return err
}

// putInPlace gives the synced database its name, unless somebody made one meanwhile.
func putInPlace(tmp, name string) error {
	f, err := os.OpenFile(tmp, os.O_RDWR, 0o600) // #nosec G304 -- made by us
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(tmp, name); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return notEmpty(filepath.Dir(name), filepath.Base(name))
		}
		return err
	}
	d, err := os.Open(filepath.Dir(name)) // #nosec G304 -- the operator names it
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// emptyFolder refuses a folder with something in it. What a restore that was
// killed left behind, and that has not got its name, is swept away.
func emptyFolder(dir string) error {
	if dir == "" {
		return nil
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		switch name := e.Name(); {
		case name == "lost+found":
		case e.Type().IsRegular() && (strings.HasPrefix(name, restoring) || strings.HasSuffix(name, ".restoring") && slices.Contains(kept(), strings.TrimSuffix(name, ".restoring"))):
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				return err
			}
		default:
			return notEmpty(dir, name)
		}
	}
	return nil
}

func notEmpty(dir, name string) error {
	return &fault.Error{Op: "app.Restore", Kind: fault.Conflict, Key: "backup.folder_not_empty", Args: map[string]any{"folder": dir, "name": name}, Err: fmt.Errorf("%s is there", name)}
}
