package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/keng-vn/keng/internal/alarm"
	"github.com/keng-vn/keng/internal/cap"
	"github.com/keng-vn/keng/internal/chat"
	"github.com/keng-vn/keng/internal/device"
	"github.com/keng-vn/keng/internal/dialect/dc09"
	"github.com/keng-vn/keng/internal/duty"
	"github.com/keng-vn/keng/internal/engine/audit"
	"github.com/keng-vn/keng/internal/engine/broker"
	"github.com/keng-vn/keng/internal/engine/clock"
	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/notify"
	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/engine/web"
	"github.com/keng-vn/keng/internal/group"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/privacy"
	"github.com/keng-vn/keng/internal/reach"
	"github.com/keng-vn/keng/internal/register"
	"github.com/keng-vn/keng/internal/screen"
	"github.com/keng-vn/keng/internal/signin"
	bundles "github.com/keng-vn/keng/web"
)

// Options is everything an operator can choose. Addresses that are empty are
// not listened on; a port of 0 takes a free one.
type Options struct {
	Data      string // folder; "" for none, with Database
	Database  string // postgres://...; "" for keng.db in Data
	HTTP      string // "127.0.0.1:8080"
	MQTT      string // "127.0.0.1:1883"
	DC09      string // "127.0.0.1:12000": TCP and UDP
	Cert      string // PEM files for HTTPS and MQTTS; "" for neither
	Key       string
	KeyFile   string            // that seals notes of homes; "" for keng.key in Data
	Broker    string            // mqtts://user:pass@host: join a standing broker instead of listening
	Origin    string            // "https://keng.example.vn": the one address at which people open Keng; "" where that is this machine alone
	Province  *signin.Province  // the province's own sign-in; nil for none
	Outside   Outside           // push, SMS, voice, e-mail
	StyleURL  string            // of the map's base style
	Rules     place.Rules       // emergency numbers and the like; nil: those built in
	LogName   string            // of the log of acts: its origin is keng/<province>/<name>; "": main
	Witnesses []audit.Bystander // who cosign that log
	Version   string
	Demo      bool
	Cast      []people.Persona // the demo's one-click people
	Clock     *clock.Clock     // nil: the machine's
	Log       *slog.Logger
}

// App is a running, or runnable, Keng.
type App struct {
	Options
	DB        *store.DB
	Committer *store.Committer
	Now       func() time.Time // steady time
	Audit     *audit.Log       // who did what with whose data
	Head      *audit.Head      // who signs that log; nil without a data folder
	Village   *place.Watcher
	Book      *people.Book
	People    *people.Service
	Grants    *people.Grants
	SignIn    *signin.Service
	Devices   *device.Service
	Alarm     *alarm.Service
	Duty      *duty.Service
	Notify    *notify.Service
	Reach     *reach.Service
	Chat      *chat.Service
	CAP       *cap.Service
	Groups    *group.Service
	Register  *register.Service
	Screens   *screen.Service
	Privacy   *privacy.Service
	Kit       *web.Kit

	law      string // SHA-256 of the policies
	journal  *alarm.Book
	listener *broker.Listener
	joined   *broker.Joined
	dc09     *dc09.Server
	metrics  *prometheus.Registry
	jump     jump
	httpLn   net.Listener
	mqttLn   net.Listener
	dc09Ln   net.Listener
	hold     *store.Hold // the right to be the one that writes
	undo     []undo      // last started, first stopped
}

type undo struct {
	name string
	fn   func(context.Context) error
}

var errNoData = errors.New("say where the data is: --data DIR or --database postgres://...")

// dsn is where the database is.
func (o Options) dsn() string {
	if o.Database != "" {
		return o.Database
	}
	return filepath.Join(o.Data, "keng.db")
}

// migrations are the tables of every part.
func migrations() []fs.FS {
	return []fs.FS{audit.Migrations, place.Migrations, people.Migrations, signin.Migrations, device.SQL, alarm.Migrations, duty.Migrations, chat.Migrations, cap.Migrations, group.Migrations, register.Migrations, notify.Migrations, reach.Migrations, privacy.Migrations}
}

// Open opens the database that o names and brings its tables up to date.
func Open(ctx context.Context, o Options) (*store.DB, error) {
	if o.Database == "" && o.Data == "" {
		return nil, errNoData
	}
	db, err := store.Open(ctx, o.dsn())
	if err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx, migrations()...); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// OpenExisting is [Open] for commands that look after what is there: where there is
// no database it says so and makes none.
func OpenExisting(ctx context.Context, o Options) (*store.DB, error) {
	if o.Database != "" || o.Data == "" {
		return Open(ctx, o)
	}
	file := filepath.Join(o.Data, "keng.db")
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no database at %s: look whether --data is spelled right; keng import makes one", file)
	}
	return Open(ctx, o)
}

// New builds every part but listens to nothing yet.
func New(ctx context.Context, o Options) (*App, error) {
	a := &App{Options: o, metrics: prometheus.NewRegistry()}
	if a.Log == nil {
		a.Log = slog.New(slog.DiscardHandler)
	}
	if a.Rules == nil {
		a.Rules = place.BuiltInRules()
	}
	if a.Clock == nil {
		a.Clock = clock.New()
	}
	a.Now = a.Clock.Now
	if err := a.build(ctx); err != nil {
		return nil, errors.Join(err, a.Stop(context.WithoutCancel(ctx)))
	}
	return a, nil
}

func (a *App) build(ctx context.Context) error {
	var err error
	if a.law, err = people.CheckLaw(); err != nil {
		return err
	}
	db, err := Open(ctx, a.Options)
	if err != nil {
		return err
	}
	a.DB = db
	a.later("store", func(context.Context) error { return db.Close() })
	a.later("lock", func(context.Context) error { // after the last entry is written
		if a.hold == nil {
			return nil
		}
		return a.hold.Release()
	})
	a.Committer = store.NewCommitter(db, a.Log)
	a.later("committer", a.Committer.Close)
	a.Audit = audit.New(db, db.Engine == store.Postgres, a.Now)
	if err := a.openLog(); err != nil {
		return err
	}
	if a.Village, err = place.Watch(ctx, db, a.Log); err != nil {
		return err
	}
	if a.Book, err = people.OpenBook(ctx, db); err != nil {
		return err
	}
	if err := a.signIn(); err != nil {
		return err
	}
	a.giveRoles()
	if a.Devices, err = device.New(ctx, device.Config{DB: db, Journal: a.Committer, Dialects: dialects(), Places: a.Village.Directory(), Standing: a.Broker != "", Log: a.Log}); err != nil {
		return err
	}
	a.journal = &alarm.Book{DB: db, Commit: a.Committer}
	a.Alarm = &alarm.Service{
		Sirens: sirens{a.Devices}, Witness: sirens{a.Devices}, Journal: a.journal, Past: a.journal,
		Village: func() alarm.Village { return a.Village.Directory() }, Now: a.Now, Listen: ears{a},
		Rights: people.Rights{}, Names: a.Book, Log: a.Log,
	}
	if err := a.buildReach(); err != nil {
		return err
	}
	a.Duty = &duty.Service{DB: db, Rights: people.Rights{}, Alarms: unclaimed{a}, Folk: a.Book, Now: a.Now}
	if err := a.buildChat(); err != nil {
		return err
	}
	a.buildCAP()
	a.Screens = &screen.Service{
		Options: screen.Options{Rules: a.Rules, StyleURL: a.StyleURL, Demo: a.Demo, Version: a.Version},
		Alarms:  a.Alarm, Devices: ready{a.Devices, a.Reach.Ready}, Folk: a.Book, Rights: people.Rights{}, Directory: a.Village.Directory,
		Health: func(who people.Actor) any { return a.HealthFor(who) }, Bounds: bounds{db}, Now: a.Now, Still: a.still, Felt: a.People.Felt,
	}
	if err := a.buildGroups(); err != nil {
		return err
	}
	a.openPrivacy()
	a.buildRegister()
	a.Village.Listen(func(ctx context.Context, d *place.Directory) error {
		if err := a.Book.Reload(ctx); err != nil {
			return err
		}
		if err := a.Devices.Reload(ctx, d); err != nil {
			return err
		}
		a.hearHubs()
		if a.listener != nil {
			a.listener.Revoke(a.Devices.Still)
		}
		a.People.Changed()
		a.Screens.VillageChanged()
		return nil
	})
	return a.routes()
}

// routes collects what can be asked for over HTTP.
func (a *App) routes() error {
	a.Kit = web.New(web.Options{Log: a.Log, Version: a.Version, Secure: a.secure(), Connect: origins(a.StyleURL), Seen: a.visits()})
	a.Kit.Use(a.People.Gate(a.Kit))
	a.Kit.Use(a.Kit.Bound(asksAtMost()))
	a.Alarm.Routes(a.Kit, func() alarm.Groups { return a.Village.Directory() })
	a.Devices.Routes(a.Kit, people.Rights{})
	a.Duty.Routes(a.Kit)
	a.Reach.Routes(a.Kit)
	a.Privacy.Routes(a.Kit)
	a.Chat.Routes(a.Kit)
	a.CAP.Routes(a.Kit)
	a.Groups.Routes(a.Kit)
	a.Register.Routes(a.Kit)
	if err := a.People.Routes(a.Kit, a.Village.Directory, a.Cast); err != nil {
		return err
	}
	a.Grants.Routes(a.Kit, a.Book)
	if err := a.SignIn.Routes(a.Kit); err != nil {
		return err
	}
	if err := a.Screens.Routes(a.Kit, bundles.Files()); err != nil {
		return err
	}
	a.logRoutes()
	a.machineRoutes()
	return nil
}

// still reports whether r's session holds and its person is who he was. While the
// database cannot be asked, it does: a broken disk signs nobody out.
func (a *App) still(r *http.Request, was people.Actor) bool {
	now, err := a.People.Authenticate(r)
	if err != nil {
		return fault.KindOf(err) != fault.Unknown
	}
	return now == was
}

// origins is the origin of a base map, which pages may then fetch from.
func origins(styleURL string) []string {
	scheme, rest, ok := strings.Cut(styleURL, "://")
	if !ok {
		return nil
	}
	host, _, _ := strings.Cut(rest, "/")
	return []string{scheme + "://" + host}
}

func (a *App) later(name string, fn func(context.Context) error) {
	a.undo = append(a.undo, undo{name, fn})
}

// Start takes up the open incidents, then the devices, then the people, in that
// order: sirens come first. It returns when everything listens.
func (a *App) Start(ctx context.Context) error {
	var err error
	if a.hold, err = a.DB.Lock(ctx); err != nil {
		return err
	}
	if err := a.Alarm.Load(ctx, a.journal); err != nil {
		return err
	}
	if err := a.startFront(ctx); err != nil {
		return err
	}
	if err := a.startReach(ctx); err != nil {
		return err
	}
	a.run("alarm", func(ctx context.Context) { a.Alarm.Run(ctx) })
	a.run("all calm", func(ctx context.Context) { a.Alarm.KeepCalm(ctx, calmer{a}) })
	a.run("clock", func(ctx context.Context) { a.Clock.Watch(ctx, time.Second, a.clockMoved) })
	a.run("village", a.Village.Run)
	a.run("people", a.People.Run)
	a.run("privacy", a.Privacy.Run)
	a.run("groups", a.Groups.Run)
	a.run("register", a.Register.Run)
	if a.Head != nil {
		a.run("log of acts", a.Head.Run)
	}
	a.run("start on record", a.noteStart)
	a.run("chat", a.Chat.Run)
	a.run("roles", a.watchRoles)
	a.run("health", a.tellHealth)
	if err := a.startDC09(); err != nil {
		return err
	}
	return a.startHTTP()
}

// run starts a job that stops before what was started earlier.
func (a *App) run(name string, job func(context.Context)) {
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { job(ctx) })
	a.later(name, func(context.Context) error { stop(); wg.Wait(); return nil })
}

// startFront begins to hear and command devices. Alarm says first what every
// siren shall do, so that one that connects at once is told right.
func (a *App) startFront(ctx context.Context) error {
	log := a.Log.With(slog.String("room", "broker"))
	var front broker.Front
	switch {
	case a.Broker != "":
		j, err := broker.Join(a.Devices, broker.Standing{URL: a.Broker, ClientID: "keng-" + string(place.Province().Code), Spaces: a.Devices.Spaces(), Settings: broker.Settings{Log: log}})
		if err != nil {
			return err
		}
		a.joined, front = j, j
		a.later("broker", j.Close)
	default:
		a.listener = broker.Listen(a.Devices, broker.Settings{Log: log, ReceiveMax: 65_535}) // while the disk is stuck, a hub must still be heard
		front = a.listener
		a.later("broker", func(ctx context.Context) error {
			polite, cancel := context.WithTimeout(ctx, 1500*time.Millisecond)
			defer cancel()
			if err := a.listener.Close(polite); ctx.Err() != nil {
				return err
			}
			return nil // who was not answered in time sends again
		})
	}
	a.Devices.Join(device.Links{Front: front, Alarms: a.Alarm, Reports: reports{a.Alarm}, Told: told{a}, Panel: panel{a}})
	a.Alarm.Resume()
	a.Devices.Start()
	a.later("devices", a.Devices.Stop)
	if a.MQTT == "" || a.listener == nil {
		return nil
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", a.MQTT)
	if err != nil {
		return fmt.Errorf("listen for MQTT: %w", err)
	}
	a.mqttLn = ln
	return a.serveMQTT(ln)
}

func (a *App) serveMQTT(ln net.Listener) error {
	if a.Cert != "" {
		set, err := broker.TLS(a.Cert, a.Key)
		if err != nil {
			return fmt.Errorf("MQTT over TLS: %w", err)
		}
		ln = tls.NewListener(ln, set)
	}
	go func() { // the listener's Close waits for it
		if err := a.listener.Serve(ln); err != nil {
			a.Log.Error("MQTT stopped", slog.Any("err", err))
		}
	}()
	return nil
}

// hearHubs lets a standing broker's front hear hubs that were imported since.
func (a *App) hearHubs() {
	if a.joined != nil {
		for _, s := range a.Devices.Spaces() {
			a.joined.Hear(s)
		}
	}
}

func (a *App) startHTTP() error {
	if a.HTTP == "" {
		return nil
	}
	ln, err := net.Listen("tcp", a.HTTP)
	if err != nil {
		return fmt.Errorf("listen for HTTP: %w", err)
	}
	a.httpLn = ln
	if a.Cert != "" {
		set, err := broker.TLS(a.Cert, a.Key)
		if err != nil {
			return fmt.Errorf("HTTPS: %w", err)
		}
		set.NextProtos = []string{"h2", "http/1.1"}
		ln = tls.NewListener(ln, set)
	}
	srv := a.Kit.Server()
	srv.Handler = a.withMQTT(srv.Handler)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			a.Log.Error("HTTP stopped", slog.Any("err", err))
		}
	})
	a.later("http", func(ctx context.Context) error {
		a.Kit.Drain()
		polite, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		var err error
		if srv.Shutdown(polite) != nil { // somebody sent half a request, or none
			err = srv.Close()
		}
		wg.Wait()
		return err
	})
	return nil
}

// withMQTT puts MQTT over WebSocket beside the pages.
func (a *App) withMQTT(pages http.Handler) http.Handler {
	if a.listener == nil {
		return pages
	}
	mux := http.NewServeMux()
	mux.Handle("GET /mqtt", a.listener)
	mux.Handle("/", pages)
	return mux
}

// Lost is closed, once started, when another Keng may write to the same database:
// this one must end.
func (a *App) Lost() <-chan struct{} { return a.hold.Lost() }

// HTTPAddr is where people are listened to, once started.
func (a *App) HTTPAddr() string { return addr(a.httpLn) }

// MQTTAddr is where devices are listened to, once started.
func (a *App) MQTTAddr() string { return addr(a.mqttLn) }

func addr(ln net.Listener) string {
	if ln == nil {
		return ""
	}
	return ln.Addr().String()
}

// Stop ends everything, newest first, within ctx, and reports every failure.
// Sirens stay as they are: a restart must not silence an alarm.
func (a *App) Stop(ctx context.Context) error {
	var errs []error
	for _, u := range slices.Backward(a.undo) {
		if err := u.fn(ctx); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", u.name, err))
		}
	}
	a.undo = nil
	return errors.Join(errs...)
}
