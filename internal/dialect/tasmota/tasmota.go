package tasmota

import (
	"strconv"
	"strings"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/signal"
)

// Name is the word in a village file.
const Name = "tasmota"

// Dialect speaks Tasmota. The zero value is ready for use.
type Dialect struct{}

// Name implements [dialect.Dialect].
func (Dialect) Name() string { return Name }

// wholeParts is how many buttons and inputs a device without a named part is
// listened to on topics of their own (SetOption4 1). RESULT carries all of them.
const wholeParts = 4

// Topics implements [dialect.Dialect].
func (Dialect) Topics(d dialect.Device) []string {
	a := parseAddress(d.Topic)
	l := layoutOf(d, a.topic)
	topics := []string{l.stat + "RESULT", l.tele + "RESULT", l.tele + "LWT", l.tele + "STATE", l.tele + "SENSOR"}
	for _, s := range ownTopics(d.Kind, a) {
		topics = append(topics, l.stat+s)
	}
	if a.part == code {
		topics = append(topics, l.tele+"RFRECEIVED")
	}
	return topics
}

// ownTopics lists the last levels of the topics of d's part alone.
func ownTopics(k signal.DeviceKind, a address) []string {
	switch {
	case isRelay(k) && a.n <= 1:
		return []string{"POWER", "POWER1"}
	case isRelay(k):
		return []string{"POWER" + strconv.Itoa(a.n)}
	case a.part == button:
		return []string{"BUTTON" + strconv.Itoa(a.n)}
	case a.part == input:
		return []string{"SWITCH" + strconv.Itoa(a.n)}
	case a.part != whole:
		return nil
	}
	var s []string
	for n := range wholeParts {
		s = append(s, "BUTTON"+strconv.Itoa(n+1), "SWITCH"+strconv.Itoa(n+1))
	}
	return s
}

// isRelay reports whether a device of kind k is a relay that Keng switches.
func isRelay(k signal.DeviceKind) bool { return k == signal.Siren || k == signal.Lamp }

// Confirms implements [dialect.Dialect]: a relay reports its state after every command.
func (Dialect) Confirms(d dialect.Device) bool { return isRelay(d.Kind) }

// Decode implements [dialect.Dialect].
func (Dialect) Decode(d dialect.Device, m dialect.Message) ([]dialect.Reading, error) {
	if len(m.Payload) == 0 { // a retained value withdrawn
		return nil, nil
	}
	a := parseAddress(d.Topic)
	l := layoutOf(d, a.topic)
	if m.Topic == l.tele+"LWT" {
		return l.presence(string(m.Payload))
	}
	s := speech{Device: d, address: a, layout: l}
	if tail, ok := strings.CutPrefix(m.Topic, l.stat); ok {
		return s.stat(tail, m.Payload)
	}
	if tail, ok := strings.CutPrefix(m.Topic, l.tele); ok {
		s.telemetry = tail == "STATE" || tail == "SENSOR"
		return s.object(m.Payload, tail)
	}
	return nil, nil
}

// presence reads the LWT.
func (l layout) presence(payload string) ([]dialect.Reading, error) {
	r := dialect.Reading{Property: "LWT", Level: true, Value: payload}
	switch payload {
	case l.online:
		r.Kind = signal.Online
	case l.offline:
		r.Kind = signal.Offline
	default:
		return nil, strange("LWT", payload)
	}
	return []dialect.Reading{r}, nil
}
