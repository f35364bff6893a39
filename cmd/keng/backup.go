package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/keng-vn/keng/internal/app"
	"github.com/keng-vn/keng/internal/engine/backup"
	"github.com/keng-vn/keng/internal/engine/say"
)

// many is a flag that may be given more than once.
type many []string

// String implements [flag.Value].
func (m *many) String() string { return strings.Join(*m, " ") }

// Set implements [flag.Value].
func (m *many) Set(s string) error {
	*m = append(*m, s)
	return nil
}

// dataFlags fills o with where the data is.
func dataFlags(fs *flag.FlagSet, e env, o *app.Options) {
	fs.StringVar(&o.Data, "data", e.or("KENG_DATA", ""), "`folder` of the data (KENG_DATA)")
	fs.StringVar(&o.Database, "database", e.or("KENG_DATABASE", ""), "postgres:// `URL` (KENG_DATABASE)")
}

// backupData writes a backup of a Keng that runs, or that does not.
func backupData(ctx context.Context, e env, args []string) error {
	fs := flags(e, "backup", "--data DIR [--to RECIPIENT] FILE|DIR   or   keng backup --new-key FILE")
	o := app.Options{Version: version}
	dataFlags(fs, e, &o)
	var to many
	fs.Var(&to, "to", "age `recipient` (age1...), or a file of them, who alone can open the backup; may be repeated")
	key := fs.String("new-key", "", "make a key for --to in this `file` and end")
	lang := fs.String("lang", e.or("KENG_LANG", "vi"), "language of what is said, vi or en (KENG_LANG)")
	words, err := parse(fs, args)
	if err != nil {
		return err
	}
	tell := teller(e, *lang)
	if *key != "" {
		recipient, err := backup.NewKey(*key)
		if err != nil {
			return said(err)
		}
		return tell("backup.key_made", map[string]any{"name": *key}, recipient)
	}
	if len(words) != 1 {
		fs.Usage()
		return errUsage
	}
	recipients, err := backup.Recipients(to)
	if err != nil {
		return said(err)
	}
	name := words[0]
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		end := ".keng"
		if len(to) > 0 {
			end += ".age"
		}
		name = filepath.Join(name, "keng-"+time.Now().UTC().Format("20060102-150405Z")+end)
	}
	sum := sha256.New()
	var size count
	var man backup.Manifest
	err = backup.Create(name, recipients, func(w io.Writer) (err error) {
		_, man, err = app.Backup(ctx, o, w)
		return err
	}, sum, &size)
	if err != nil {
		return said(err)
	}
	said := counted(man)
	said["name"], said["bytes"], said["sum"] = name, int64(size), hex.EncodeToString(sum.Sum(nil))
	if err := tell("backup.done", said); err != nil || len(to) > 0 {
		return err
	}
	_, err = fmt.Fprintln(e.err, say.In(say.Lang(*lang)).Text("backup.plain", nil))
	return err
}

// count counts bytes.
type count int64

// Write implements [io.Writer].
func (c *count) Write(b []byte) (int, error) {
	*c += count(len(b))
	return len(b), nil
}

// teller says sentences to the operator, each on a line of its own, and then
// what else there is.
func teller(e env, lang string) func(key string, args map[string]any, more ...string) error {
	return func(key string, args map[string]any, more ...string) error {
		_, err := fmt.Fprintln(e.out, strings.Join(append([]string{say.In(say.Lang(lang)).Text(key, args)}, more...), "\n"))
		return err
	}
}

// counted is what m holds, for a sentence.
func counted(m backup.Manifest) map[string]any {
	rows, tables, files := int64(0), m.Rows(), 0
	for _, n := range tables {
		rows += n
	}
	for _, p := range m.Parts {
		if strings.HasPrefix(p.Name, "file/") {
			files++
		}
	}
	return map[string]any{"rows": rows, "tables": len(tables), "files": files}
}

// restore reads a backup into an empty place, or only checks it.
func restore(ctx context.Context, e env, args []string) error {
	fs := flags(e, "restore", "--data DIR [--identity FILE] FILE   or   keng restore --check FILE   (FILE - reads standard input)")
	var o app.Options
	dataFlags(fs, e, &o)
	keys := fs.String("identity", "", "`file` with the key that opens an encrypted backup")
	check := fs.Bool("check", false, "read all of it, restore nothing")
	lang := fs.String("lang", e.or("KENG_LANG", "vi"), "language of what is said, vi or en (KENG_LANG)")
	words, err := parse(fs, args)
	if err != nil {
		return err
	}
	if len(words) != 1 {
		fs.Usage()
		return errUsage
	}
	in, err := open(words[0])
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	plain, err := backup.Open(in, *keys)
	if err != nil {
		return said(err)
	}
	tell := teller(e, *lang)
	if *check {
		head, man, err := backup.Read(ctx, plain, nil)
		if err != nil {
			return said(err)
		}
		args := counted(man)
		args["made"], args["program"] = head.Made.Format(time.RFC3339), head.Program
		return tell("backup.good", args)
	}
	got, err := app.Restore(ctx, o, plain)
	if err != nil {
		return said(err)
	}
	about := counted(got.Manifest)
	about["made"], about["journal"] = got.Head.Made.Format(time.RFC3339), got.Journal.String()
	if err := tell("backup.restored", about); err != nil {
		return err
	}
	if err := auditData(ctx, e.with(map[string]string{"KENG_DATA": o.Data, "KENG_DATABASE": o.Database}), nil); err != nil {
		return fmt.Errorf("%s (%w)", say.In(say.Lang(*lang)).Text("backup.journal_wrong", nil), err)
	}
	return nil
}

// with is e with other variables.
func (e env) with(vars map[string]string) env {
	getenv := e.getenv
	e.getenv = func(name string) string {
		if v, ok := vars[name]; ok {
			return v
		}
		return getenv(name)
	}
	return e
}
