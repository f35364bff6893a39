package app

import (
	"bytes"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/place"
)

// TestBackupOfARunningKengGoesOnElsewhere presses a button, backs up, and starts
// what was backed up on every engine: the alarm is open, tokens and invites work.
func TestBackupOfARunningKengGoesOnElsewhere(t *testing.T) {
	for _, from := range dsns(t) {
		t.Run(from.name, func(t *testing.T) {
			o := Options{Data: from.data, Database: from.url, MQTT: "127.0.0.1:0", HTTP: "127.0.0.1:0", Version: "v1"}
			a := alley(t, o)
			token := officerToken(t, a)
			invites, err := a.People.InviteHome(t.Context(), "g1-h1", "")
			if err != nil {
				t.Fatal(err)
			}
			connect(t, a.MQTTAddr(), asHub).tell("keng/button", `{"event":"press","id":"1"}`, false)
			id := open(t, a)[0].ID
			var b bytes.Buffer
			if head, _, err := Backup(t.Context(), o, &b); err != nil || head.Program != "v1" {
				t.Fatalf("%+v, %v", head, err)
			}
			for _, to := range dsns(t) {
				t.Run("into "+to.name, func(t *testing.T) {
					if to.data == "" { // for the key files
						if from.data != "" {
							if _, err := Restore(t.Context(), Options{Database: to.url}, bytes.NewReader(b.Bytes())); fault.KindOf(err) != fault.Invalid {
								t.Errorf("without a place for the keys: %v", err)
							}
						}
						to.data = filepath.Join(t.TempDir(), "keys")
					}
					there := Options{Data: to.data, Database: to.url, MQTT: "127.0.0.1:0", HTTP: "127.0.0.1:0"}
					got, err := Restore(t.Context(), there, bytes.NewReader(b.Bytes()))
					if err != nil || len(got.Journal.Wrong) > 0 || got.Journal.Incidents != 1 {
						t.Fatalf("%+v, %v", got.Journal, err)
					}
					if left, _ := filepath.Glob(filepath.Join(to.data, "*restoring*")); to.data != "" && len(left) > 0 {
						t.Errorf("left behind: %v", left)
					}
					if _, err := Restore(t.Context(), there, bytes.NewReader(b.Bytes())); fault.KindOf(err) != fault.Conflict {
						t.Errorf("restored over it: %v", err)
					}
					again := again(t, there)
					if list := open(t, again); len(list) != 1 || list[0].ID != id {
						t.Errorf("open: %+v", list)
					}
					if status, body := fetch(t, http.DefaultClient, "http://"+again.HTTPAddr(), token, "/api/v1/incidents/"+string(id)); status != http.StatusOK {
						t.Errorf("with the old token: %d %s", status, body)
					}
					if status := accept(t, again, invites[0].Path()); status != http.StatusSeeOther {
						t.Errorf("the invite: %d", status)
					}
				})
			}
		})
	}
}

// TestRestoreRefusesAFolderWithSomethingInIt and sweeps away only what a restore
// that was killed left.
func TestRestoreRefusesAFolderWithSomethingInIt(t *testing.T) {
	o := Options{Data: t.TempDir()}
	stop(t, alley(t, o))
	var b bytes.Buffer
	if _, _, err := Backup(t.Context(), o, &b); err != nil {
		t.Fatal(err)
	}
	for name, refused := range map[string]bool{"keng.db": true, "keng.key": true, "notes.txt": true, restoring: false, restoring + "-wal": false, "keng.key.restoring": false, "x.restoring": true} {
		there := t.TempDir()
		if err := os.WriteFile(filepath.Join(there, name), []byte("somebody's"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Restore(t.Context(), Options{Data: there}, bytes.NewReader(b.Bytes()))
		if got := fault.KindOf(err) == fault.Conflict; got != refused || !refused && err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if text, _ := os.ReadFile(filepath.Join(there, name)); refused && string(text) != "somebody's" {
			t.Errorf("%s was touched", name)
		}
	}
}

func TestBackupMakesNoDatabase(t *testing.T) {
	dir := t.TempDir()
	if _, _, err := Backup(t.Context(), Options{Data: dir}, &bytes.Buffer{}); fault.KindOf(err) != fault.NotFound {
		t.Error(err)
	}
	if made, _ := os.ReadDir(dir); len(made) > 0 {
		t.Errorf("made %v", made)
	}
}

// TestJournalThatWasChangedIsTold when it is restored.
func TestJournalThatWasChangedIsTold(t *testing.T) {
	o := Options{Data: t.TempDir(), MQTT: "127.0.0.1:0"}
	a := alley(t, o)
	connect(t, a.MQTTAddr(), asHub).tell("keng/button", `{"event":"press","id":"1"}`, false)
	if err := a.DB.Exec(t.Context(), `UPDATE alarm_event SET body = REPLACE(body, 'g1-h1', 'g1-h2')`); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, _, err := Backup(t.Context(), o, &b); err != nil {
		t.Fatal(err)
	}
	got, err := Restore(t.Context(), Options{Data: filepath.Join(t.TempDir(), "new")}, &b)
	if err != nil || len(got.Journal.Wrong) == 0 {
		t.Errorf("%+v, %v", got.Journal, err)
	}
}

// TestEveryFileOfTheDataIsBackedUpOrKnown: who adds a file to the data folder says
// whether a backup holds it.
func TestEveryFileOfTheDataIsBackedUpOrKnown(t *testing.T) {
	a := whole(t, func(o *Options) { o.HTTP = "127.0.0.1:0" })
	err := fs.WalkDir(os.DirFS(a.Data), ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == "." {
			return err
		}
		folder, _, _ := strings.Cut(p, "/")
		if !slices.Contains(kept(), p) && !slices.Contains(kept(), folder+"/") && !slices.Contains(passing(), p) {
			t.Errorf("%s is in the data folder: name it in kept (a backup holds it) or in passing", p)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(a.Data, "keng.db")); errors.Is(err, fs.ErrNotExist) {
		t.Error("there is no database: the test tested nothing")
	}
	if _, ok := a.Village.Directory().Group(place.GroupID("g1")); !ok {
		t.Error("there is no village: the test tested nothing")
	}
}
