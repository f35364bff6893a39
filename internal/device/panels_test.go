package device

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/dialect/dc09"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/signal"
)

var _ dc09.Handler = Panels{}

// zone is a device behind panel 12ab.
func zone(id string, home place.HomeID, k signal.DeviceKind, topic string) NewDevice {
	return NewDevice{ID: signal.DeviceID(id), Home: home, Kind: k, Dialect: "dc09", Topic: topic}
}

func TestPanelReportsForItsZones(t *testing.T) {
	r := bare(Config{}, zone("z5", "h1", signal.Smoke, "12AB/05"), zone("z6", "h1", signal.Motion, "12AB/6"), zone("p", "h1", signal.Hub, "12ab"), zone("q", "h2", signal.Hub, "77"))
	fa := dialect.Reading{Kind: signal.Alarm, Category: signal.Fire, Property: "fire/05", Seq: "0001-x"}
	for _, c := range []struct {
		name          string
		account, zone string
		reading       dialect.Reading
		rings         []string
	}{
		{"fire in a zone", "12ab", "5", fa, []string{"z5 fire"}},
		{"sent again", "12AB", "05", fa, []string{"z5 fire"}},
		{"burglar in a zone: the panel is what arms", "12ab", "006", dialect.Reading{Kind: signal.Alarm, Category: signal.Intrusion, Property: "b", Seq: "2"}, []string{"z6 intrusion"}},
		{"a zone that nobody wired is the panel's own", "12ab", "9", dialect.Reading{Kind: signal.Alarm, Category: signal.Fire, Property: "f", Seq: "3"}, []string{"p fire"}},
		{"panic of the whole account", "12ab", "", dialect.Reading{Kind: signal.Alarm, Category: signal.HoldUp, Property: "h", Seq: "4"}, []string{"p holdup"}},
		{"a sign of life", "12ab", "", dialect.Reading{Kind: signal.Heartbeat, Seq: "5"}, nil},
		{"an account that nobody wired", "99", "1", fa, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			safe := 0
			r.Panels().Signal(c.account, c.zone, c.reading, "raw", func(ok bool) {
				if ok {
					safe++
				}
			})
			var got []string
			for _, s := range r.alarms.take() {
				got = append(got, string(s.Device)+" "+string(s.Category))
			}
			if safe != 1 || !slices.Equal(got, c.rings) {
				t.Errorf("safe %d, rang %v, want %v", safe, got, c.rings)
			}
		})
	}
	for _, id := range []signal.DeviceID{"z5", "z6", "p"} {
		if s := r.status(id); s == Offline || s == Faulty {
			t.Errorf("%s is %s although its panel lives", id, s)
		}
	}
}

func TestPanelIsAcknowledgedWhenItsReportIsOnDisk(t *testing.T) {
	r := bare(Config{}, zone("z5", "h1", signal.Smoke, "12AB/05"))
	r.alarms.slow = true
	safe := false
	fa := dialect.Reading{Kind: signal.Alarm, Category: signal.Fire, Property: "fire/05", Seq: "1"}
	r.Panels().Signal("12AB", "05", fa, "raw", func(ok bool) { safe = ok })
	if safe {
		t.Fatal("before it was on disk")
	}
	r.alarms.release()
	if !safe {
		t.Fatal("not after it was")
	}
}

func TestRestoreOfAPanelsAlarmIsPassedOn(t *testing.T) {
	r := bare(Config{}, zone("z5", "h1", signal.Smoke, "12AB/05"))
	for _, rd := range []dialect.Reading{
		{Kind: signal.Alarm, Category: signal.Fire, Property: "fire/05", Seq: "1"},
		{Kind: signal.Restore, Category: signal.Fire, Property: "fire/05", Seq: "2", Level: true},
		{Kind: signal.Alarm, Category: signal.Fire, Property: "fire/05", Seq: "3"},
		{Kind: signal.Restore, Category: signal.Fire, Property: "fire/05", Seq: "4", Level: true},
	} {
		r.Panels().Signal("12AB", "05", rd, "raw", func(bool) {})
	}
	var kinds []signal.Kind
	for _, s := range r.alarms.take() {
		kinds = append(kinds, s.Kind)
	}
	if want := []signal.Kind{alarm, restore, alarm, restore}; !slices.Equal(kinds, want) {
		t.Errorf("signals %v", kinds)
	}
}

func TestUnwiredZoneWithoutAPanelDeviceIsShown(t *testing.T) {
	r := bare(Config{}, zone("z5", "h1", signal.Smoke, "12AB/05"))
	r.Panels().Signal("12AB", "9", dialect.Reading{Kind: signal.Alarm, Category: signal.Fire}, "the frame", func(bool) {})
	r.Panels().Strange("12ab", "garbage", errors.New("not readable"))
	r.Panels().Strange("99", "garbage", errors.New("not readable"))
	if got := r.alarms.take(); len(got) > 0 {
		t.Errorf("rang %+v", got)
	}
	_, unknown := r.Strangers("g1")
	if len(unknown) != 2 {
		t.Errorf("unknown %+v", unknown)
	}
}

func TestKeysOfPanels(t *testing.T) {
	sealed, bad := zone("a", "h1", signal.Smoke, "1/1"), zone("c", "h1", signal.Smoke, "3/1")
	sealed.Secret, bad.Secret = "000102030405060708090a0b0c0d0e0f", "x"
	r := bare(Config{}, sealed, zone("a2", "h1", signal.Smoke, "1/2"), zone("b", "h1", signal.Smoke, "2/1"), bad)
	for _, c := range []struct {
		account string
		key     int
		known   bool
	}{{"1", 16, true}, {"2", 0, true}, {"3", 0, false}, {"4", 0, false}} {
		if key, known := r.Panels().Key(c.account); len(key) != c.key || known != c.known {
			t.Errorf("account %s: %d bytes, %v", c.account, len(key), known)
		}
	}
}

// TestPanelThroughItsReceiver sends a frame through the real receiver.
func TestPanelThroughItsReceiver(t *testing.T) {
	r := bare(Config{}, zone("z5", "h1", signal.Smoke, "1234/05"))
	s := &dc09.Server{Handler: r.Panels(), Keys: r.Panels().Key, Strange: r.Panels().Strange, Wait: time.Second}
	answer := exchange(t, s, "\n"+frame(`"SIA-DCS"0001L0#1234[#1234|NFA05]`)+"\r")
	if got := r.alarms.take(); len(got) != 1 || got[0].Device != "z5" || got[0].Category != signal.Fire {
		t.Errorf("signals %+v", got)
	}
	if !slices.Contains([]string{"ACK"}, answer) {
		t.Errorf("answered %q", answer)
	}
}
