package device

import (
	"strings"
	"time"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/dialect/dc09"
	"github.com/keng-vn/keng/internal/signal"
)

// panelDevice is one device behind an alarm panel.
type panelDevice struct {
	dc09.Address
	*wired
}

// addPanel takes a device of dialect dc09 into the accounts it reports under.
func (r *registry) addPanel(d *wired) {
	a, err := dc09.ParseAddress(d.Topic)
	if err != nil {
		return // an import refuses it
	}
	r.panels[a.Account] = append(r.panels[a.Account], panelDevice{a, d})
}

// Panels lets alarm panels report to the devices of their account. It is a
// [dc09.Handler]; Key and Strange fill the other fields of a [dc09.Server].
type Panels struct{ v *Service }

// Panels returns the face that a DC-09 receiver talks to.
func (v *Service) Panels() Panels { return Panels{v} }

// Key tells whether an account is known and which key it must use.
func (p Panels) Key(account string) ([]byte, bool) {
	list := p.v.now.Load().panels[strings.ToUpper(account)]
	for _, d := range list {
		if d.Secret == "" {
			continue
		}
		if key, err := dc09.ParseKey(d.Secret); err == nil {
			return key, true
		}
		return nil, false // a key that cannot be read is none to accept plain text for
	}
	return nil, len(list) > 0
}

// Strange counts what a receiver could not understand, for the leaders of the
// groups where that account is, if it is one.
func (p Panels) Strange(account, raw string, why error) {
	for _, d := range p.v.now.Load().panels[strings.ToUpper(account)] {
		p.v.counts.undecodable.Add(1)
		p.v.unknown(d.strangers(), account, []byte(raw), why.Error(), time.Now())
		return
	}
	p.v.counts.unknown.Add(1)
}

// strangers is under which name the unknown messages beside d are kept: its hub,
// or its panel's account; "" for none.
func (d *wired) strangers() string {
	if d.space != "" || d.Dialect != panelDialect {
		return string(d.space)
	}
	account, _, _ := strings.Cut(d.Topic, "/")
	return panelDialect + " " + strings.ToUpper(account)
}

// Signal implements [dc09.Handler].
func (p Panels) Signal(account, zone string, r dialect.Reading, raw string, done func(ok bool)) {
	v, now := p.v, time.Now()
	owed := owe(func() { done(true) })
	defer owed.pay()
	v.counts.messages.Add(1)
	list := v.now.Load().panels[strings.ToUpper(account)]
	meant := covering(list, account, zone, r)
	if len(meant) == 0 && len(list) > 0 {
		v.unknown(list[0].strangers(), account+"/"+zone, []byte(raw), "device.zone_unknown", now)
	}
	rs := []dialect.Reading{r}
	for _, d := range meant {
		f := d.facts(dialect.Message{}, now)
		f.Hash = hashOf(rs)
		v.take(d, rs, f, now, owed)
	}
}

// covering lists the devices that a report is about: those of its zone, else
// those of the whole account. A sign of life is everybody's. A danger of the
// whole account without a device for it is the first one's: it must ring.
func covering(list []panelDevice, account, zone string, r dialect.Reading) []*wired {
	var exact, whole, all []*wired
	for _, d := range list {
		all = append(all, d.wired)
		switch {
		case d.Zone == "":
			whole = append(whole, d.wired)
		case d.Covers(account, zone):
			exact = append(exact, d.wired)
		}
	}
	switch {
	case r.Kind == signal.Heartbeat:
		return all
	case len(exact) > 0:
		return exact
	case len(whole) == 0 && zone == "" && len(all) > 0:
		return all[:1]
	}
	return whole
}
