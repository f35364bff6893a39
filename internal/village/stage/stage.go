package stage

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/keng-vn/keng/internal/alarm"
	"github.com/keng-vn/keng/internal/app"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/signal"
	"github.com/keng-vn/keng/internal/village"
	"github.com/keng-vn/keng/internal/village/radio"
	"github.com/keng-vn/keng/internal/village/sim"
)

// Options is how a stage is set. The village is always [village.TanHoa].
type Options struct {
	Data       string       // an empty folder
	Demo       bool         // say on the screens that it is a demo
	Boundaries io.Reader    // GeoJSON of the units; nil for none
	Log        *slog.Logger // nil for silence
	Outside    app.Outside  // how people are called; nobody by default
}

// Stage is a running Keng with its village.
type Stage struct {
	Door  *Door
	Sim   *sim.Village
	Cast  []people.Persona // who can sign in at /demo/as/KEY
	token string           // a program's, of the ward's desk

	mu   sync.Mutex // of app
	app  *app.App
	o    app.Options
	file village.File

	stop context.CancelFunc // of the devices
	wg   sync.WaitGroup
}

// Open sets a stage and returns when every device of the village is there.
func Open(ctx context.Context, o Options) (*Stage, error) {
	s := &Stage{file: village.TanHoa(), o: app.Options{Data: o.Data, Demo: o.Demo, Log: o.Log, HTTP: "127.0.0.1:0", MQTT: "127.0.0.1:0", Version: "stage", Outside: o.Outside}}
	if s.o.Log == nil {
		s.o.Log = slog.New(slog.DiscardHandler)
	}
	if err := s.people(ctx, o.Boundaries); err != nil {
		return nil, err
	}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.Close(ctx))
	}
	return s, nil
}

// people imports the village into the empty folder and lets its people in.
func (s *Stage) people(ctx context.Context, boundaries io.Reader) (err error) {
	db, err := app.Open(ctx, s.o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	who := people.New(db, s.o.Log, func() time.Time { return time.Now().UTC().Truncate(time.Millisecond) })
	if s.Cast, err = village.Demo(ctx, db, who); err != nil {
		return err
	}
	s.o.Cast = s.Cast
	if boundaries != nil {
		if _, err := place.ImportBoundaries(ctx, db, boundaries); err != nil {
			return fmt.Errorf("import boundaries: %w", err)
		}
	}
	s.token, err = who.CreateToken(ctx, people.Desk, place.Scope{Unit: s.file.Commune}, "tổng đài")
	return err
}

func (s *Stage) open(ctx context.Context) error {
	if err := s.start(ctx); err != nil {
		return err
	}
	door, err := NewDoor(s.app.HTTPAddr())
	if err != nil {
		return err
	}
	s.Door = door
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.Sim, s.stop = sim.New(s.file, sim.Options{Addr: s.app.MQTTAddr()}), stop
	s.wg.Go(func() { s.Sim.Run(life) })
	return s.Await(ctx, "every device is there", s.everyDevice)
}

// start starts Keng where it stopped: the same folder, the same MQTT address.
func (s *Stage) start(ctx context.Context) error {
	a, err := app.New(ctx, s.o)
	if err != nil {
		return err
	}
	if err := a.Start(ctx); err != nil {
		return errors.Join(err, a.Stop(ctx))
	}
	s.o.MQTT = a.MQTTAddr()
	s.mu.Lock()
	s.app = a
	s.mu.Unlock()
	return nil
}

// stopped is how long Keng has to end.
const stopped = 5 * time.Second

func (s *Stage) end(ctx context.Context) error {
	a := s.App()
	if a == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopped)
	defer cancel()
	return a.Stop(ctx)
}

// Restart stops Keng as SIGTERM does, starts it again and returns when the hubs are
// back. The door stays; behind it nobody answers meanwhile.
func (s *Stage) Restart(ctx context.Context) error {
	if err := s.end(ctx); err != nil {
		return err
	}
	if err := s.start(ctx); err != nil {
		return err
	}
	s.Door.Lead(s.App().HTTPAddr())
	return s.Await(ctx, "every hub is back", func() (bool, string) {
		n := s.Sim.Connected()
		return n == len(s.file.Hubs), fmt.Sprintf("%d of %d hubs are there", n, len(s.file.Hubs))
	})
}

// Close ends everything and waits for it.
func (s *Stage) Close(ctx context.Context) error {
	if s.stop != nil {
		s.stop()
		s.wg.Wait()
	}
	err := s.end(ctx)
	if s.Door != nil {
		s.Door.Release()
		s.Door.Shut()
	}
	return err
}

// App is Keng as it runs now.
func (s *Stage) App() *app.App {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.app
}

// URL is where browsers go.
func (s *Stage) URL() string { return s.Door.URL() }

func (s *Stage) everyDevice() (bool, string) {
	there, all := 0, 0
	for _, g := range s.file.Groups {
		for _, h := range s.App().Devices.Homes(g.ID) {
			all++
			if h.State != "red" && h.Siren && h.Button {
				there++
			}
		}
	}
	return there == all, fmt.Sprintf("%d of %d homes are ready", there, all)
}

// Invite makes an invite for somebody of home h and returns its path.
func (s *Stage) Invite(ctx context.Context, h place.HomeID, name string) (string, error) {
	list, err := s.App().People.InviteHome(ctx, h, name)
	if err != nil {
		return "", err
	}
	return list[0].Path(), nil
}

// Incidents are all incidents of the last 24 hours as a program at the ward's desk
// sees them, oldest first.
func (s *Stage) Incidents(ctx context.Context) ([]alarm.IncidentView, error) {
	var list []alarm.IncidentView
	if err := s.Ask(ctx, http.MethodGet, "/api/v1/incidents?state=all&mode=all", nil, &list); err != nil {
		return nil, err
	}
	slices.SortFunc(list, func(a, b alarm.IncidentView) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return list, nil
}

// Ask asks Keng as a program at the ward's desk does. body, if not nil, is sent as
// JSON; the answer is read into into, if that is not nil.
func (s *Stage) Ask(ctx context.Context, method, path string, body, into any) error {
	var sent io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		sent = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://"+s.App().HTTPAddr()+path, sent)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if resp.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, answer)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, into)
}

// Prove lets every home but those in except press its button, so that buttons and
// sirens have shown that they work, and ends those alarms as a test.
func (s *Stage) Prove(ctx context.Context, except ...place.HomeID) error {
	for _, g := range s.file.Groups {
		for _, h := range g.Homes {
			if !slices.Contains(except, h.ID) {
				s.Sim.Press(h.ID, signal.Button)
			}
		}
		if err := s.AwaitSirens(ctx, g.ID, len(g.Homes)); err != nil {
			return err
		}
	}
	list, err := s.Incidents(ctx)
	if err != nil {
		return err
	}
	for _, i := range list {
		if err := s.Ask(ctx, http.MethodPost, "/api/v1/incidents/"+string(i.ID)+"/close", map[string]string{"cause": "test", "note": ""}, nil); err != nil {
			return err
		}
	}
	for _, g := range s.file.Groups {
		if err := s.AwaitSirens(ctx, g.ID, 0); err != nil {
			return err
		}
	}
	return nil
}

// Sirens are the sirens of group g that sound now, as the devices themselves say.
func (s *Stage) Sirens(g place.GroupID) []signal.DeviceID {
	return slices.DeleteFunc(s.Sim.Sounding(), func(id signal.DeviceID) bool { return !strings.HasPrefix(string(id), string(g)+"-") })
}

// AwaitSirens waits until exactly n sirens of group g sound.
func (s *Stage) AwaitSirens(ctx context.Context, g place.GroupID, n int) error {
	return s.Await(ctx, fmt.Sprintf("%d sirens of %s sound", n, g), func() (bool, string) {
		on := s.Sirens(g)
		return len(on) == n, fmt.Sprintf("%d sound: %v", len(on), on)
	})
}

// Say lets the hub of that name publish a message.
func (s *Stage) Say(ctx context.Context, hub, topic, payload string) error {
	i := slices.IndexFunc(s.file.Hubs, func(h village.Hub) bool { return h.Username == hub })
	if i < 0 {
		return fmt.Errorf("no hub %s in the village", hub)
	}
	acked := make(chan struct{}, 1)
	c, err := radio.Dial(ctx, radio.Options{
		Addr: s.App().MQTTAddr(), ClientID: "stage-" + hub, User: hub, Password: s.file.Hubs[i].Password,
		Acked: func(uint16) { acked <- struct{}{} },
	})
	if err != nil {
		return err
	}
	defer c.Cut()
	if _, err := c.Publish(radio.Message{Topic: topic, Payload: []byte(payload), QoS: 1}); err != nil {
		return err
	}
	select {
	case <-acked:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%s was not acknowledged: %w", topic, ctx.Err())
	}
}

// The longest that something may take to come true, and how often it is looked at.
const (
	patience = 15 * time.Second
	look     = 5 * time.Millisecond
)

// Await looks again and again until ok says yes. When it waited in vain, the error
// says what was expected and what there was instead.
func (s *Stage) Await(ctx context.Context, what string, ok func() (bool, string)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		yes, instead := ok()
		if yes {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("waited in vain until %s: %s", what, instead)
		}
	}
}
