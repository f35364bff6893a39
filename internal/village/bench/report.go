package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"time"
)

// Report is everything that was measured.
type Report struct {
	Command    string    `json:"command"`
	Began      time.Time `json:"began"`
	Machine    Machine   `json:"machine"`
	LoadBefore float64   `json:"load_average_before"`
	Quick      bool      `json:"quick"`
	Idle       int       `json:"idle_devices"`
	Groups     int       `json:"groups"`
	Rate       float64   `json:"presses_per_second"`
	Seconds    float64   `json:"seconds"`
	Floors     []Floor   `json:"floors"` // before each run
	Systems    []Result  `json:"systems"`
	Goals      []Goal    `json:"goals"`
}

// Result is one system's.
type Result struct {
	Name    string  `json:"name"`
	About   string  `json:"about"`
	Version string  `json:"version"`
	Missing string  `json:"missing,omitempty"` // why it was not measured
	Runs    []Run   `json:"runs"`
	Pooled  *Spread `json:"pooled_press_to_7th_siren,omitempty"` // steady presses of all valid runs together
}

// Goal is something to reach, and whether it was.
type Goal struct {
	Text    string  `json:"text"`
	Value   float64 `json:"value"`
	Unit    string  `json:"unit"` // "x", "KB"...
	Limit   float64 `json:"limit"`
	Least   bool    `json:"at_least"` // Limit is a lower bound
	Known   bool    `json:"known"`    // false when a valid run that it needs is lacking
	Reached bool    `json:"reached"`
}

// metric is one number of a run.
type metric struct {
	key  string // in verdicts and tests
	text string
	unit string
	of   func(Run) float64 // NaN when there is none
}

// metrics lists the numbers of the table, by part.
func metrics() []struct {
	part string
	list []metric
} {
	const mb = 1 << 20
	return []struct {
		part string
		list []metric
	}{
		{"steady", []metric{
			{"ring.p50", "press to 7th siren, p50", "ms", func(r Run) float64 { return r.Steady.Ring.P50 }},
			{"ring.p99", "press to 7th siren, p99", "ms", func(r Run) float64 { return r.Steady.Ring.P99 }},
			{"ring.p99.9", "press to 7th siren, p99.9", "ms", func(r Run) float64 { return r.Steady.Ring.P999 }},
			{"ring.max", "press to 7th siren, slowest", "ms", func(r Run) float64 { return r.Steady.Ring.Max }},
			{"first.p50", "press to 1st siren, p50", "ms", func(r Run) float64 { return r.Steady.First.P50 }},
			{"ack.p50", "press to PUBACK, p50", "ms", func(r Run) float64 { return r.Steady.Ack.P50 }},
			{"ack.p99", "press to PUBACK, p99", "ms", func(r Run) float64 { return r.Steady.Ack.P99 }},
			{"desk.p50", "press to duty desk's screen, p50", "ms", func(r Run) float64 { return ofDesk(r, func(s Spread) float64 { return s.P50 }) }},
			{"desk.p99", "press to duty desk's screen, p99", "ms", func(r Run) float64 { return ofDesk(r, func(s Spread) float64 { return s.P99 }) }},
			{"cpu", "server's processor time", "% of one", func(r Run) float64 { return r.Steady.CPU }},
			{"repeats", "commands repeated", "", func(r Run) float64 { return float64(r.Steady.Repeats) }},
			{"late.p99", "bench sent late, p99", "ms", func(r Run) float64 { return r.Steady.Late.P99 }},
		}},
		{"storm", []metric{
			{"storm.first", "every group has its first siren", "ms", func(r Run) float64 { return r.Storm.LastFirst }},
			{"storm.last", "every siren of every group", "ms", func(r Run) float64 { return r.Storm.LastRing }},
			{"storm.ack", "last PUBACK", "ms", func(r Run) float64 { return r.Storm.LastAck }},
			{"storm.p50", "press to 7th siren, p50", "ms", func(r Run) float64 { return r.Storm.Ring.P50 }},
			{"storm.sent", "sending all presses took", "ms", func(r Run) float64 { return r.Storm.Sent }},
			{"storm.early", "repeats before all had their first", "", func(r Run) float64 { return float64(r.Storm.Early) }},
		}},
		{"memory", []metric{
			{"mem.empty", "knowing nobody", "MB", func(r Run) float64 { return some(r.Memory.Empty) / mb }},
			{"mem.before", "nobody connected", "MB", func(r Run) float64 { return some(r.Memory.Before) / mb }},
			{"mem.after", "idle devices connected", "MB", func(r Run) float64 { return some(r.Memory.After) / mb }},
			{"mem.full", "groups connected too", "MB", func(r Run) float64 { return some(r.Memory.Full) / mb }},
			{"mem.idle", "for each idle device", "KB", func(r Run) float64 { return r.Memory.PerIdle / 1024 }},
			{"mem.known", "the same with what is known of it", "KB", known},
		}},
		{"reconnect", []metric{
			{"back", "all idle devices are back after", "s", func(r Run) float64 { return r.Reconnect.Seconds }},
			{"middle", "alarm when half are back, 7th siren", "ms", func(r Run) float64 { return r.Reconnect.Middle }},
			{"during.p50", "alarms meanwhile, 7th siren, p50", "ms", func(r Run) float64 { return r.Reconnect.Ring.P50 }},
			{"during.max", "alarms meanwhile, 7th siren, slowest", "ms", func(r Run) float64 { return r.Reconnect.Ring.Max }},
		}},
	}
}

func ofDesk(r Run, f func(Spread) float64) float64 {
	if r.Steady.Desk == nil {
		return math.NaN()
	}
	return f(*r.Steady.Desk)
}

// some is a count of bytes, NaN when it is not known.
func some(bytes int64) float64 {
	if bytes == 0 {
		return math.NaN()
	}
	return float64(bytes)
}

// known is the memory of an idle device with the registry's share, in KB: what a
// Keng of the whole village has more than one that knows nobody, by device.
func known(r Run) float64 {
	if r.Memory.Empty == 0 || r.Memory.PerIdle == 0 {
		return math.NaN()
	}
	idle := float64(r.Memory.After-r.Memory.Before) / r.Memory.PerIdle
	return float64(r.Memory.After-r.Memory.Empty) / idle / 1024
}

// metricOf finds a metric by its key.
func metricOf(key string) metric {
	for _, p := range metrics() {
		for _, m := range p.list {
			if m.key == key {
				return m
			}
		}
	}
	return metric{key: key, of: func(Run) float64 { return math.NaN() }}
}

// take adds a run of system name.
func (rep *Report) take(name string, r Run) {
	for i := range rep.Systems {
		if rep.Systems[i].Name == name {
			rep.Systems[i].Runs = append(rep.Systems[i].Runs, r)
		}
	}
}

// result is a system's, nil when it was not wanted.
func (rep *Report) result(name string) *Result {
	for i := range rep.Systems {
		if rep.Systems[i].Name == name {
			return &rep.Systems[i]
		}
	}
	return nil
}

// valid are the runs without faults.
func (r *Result) valid() []Run {
	if r == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(r.Runs), func(x Run) bool { return len(x.Faults) > 0 })
}

// values are the numbers of metric m in the valid runs, in their order.
func (r *Result) values(m metric) (list []float64) {
	for _, run := range r.valid() {
		if v := m.of(run); !math.IsNaN(v) {
			list = append(list, v)
		}
	}
	return list
}

func (rep *Report) median(system, key string) float64 {
	return median(rep.result(system).values(metricOf(key)))
}

// conclude pools and judges.
func (rep *Report) conclude() {
	for i := range rep.Systems {
		r := &rep.Systems[i]
		var all []time.Duration
		for _, run := range r.valid() {
			all = append(all, run.Steady.last...)
		}
		if len(all) > 0 {
			s := spread(all)
			r.Pooled = &s
		}
	}
	rep.Goals = rep.judge()
}

// judge holds the medians against the goals.
func (rep *Report) judge() []Goal {
	const keng = "keng"
	p50 := rep.median(keng, "ring.p50")
	goals := []Goal{
		{Text: "p50 within twice raw Mosquitto's", Value: p50 / rep.median("raw-mosquitto", "ring.p50"), Unit: "x", Limit: 2},
		{Text: "p50 at least twice as fast as Node-RED set up well", Value: rep.median("node-red", "ring.p50") / p50, Unit: "x", Limit: 2, Least: true},
		{Text: "memory for each idle device", Value: rep.median(keng, "mem.idle"), Unit: " KB", Limit: 12},
		{Text: "all groups at once: every siren commanded within", Value: rep.median(keng, "storm.last") / 1000, Unit: " s", Limit: 2},
		{Text: "repeats before every group's first alarm", Value: rep.worst(keng, "storm.early"), Limit: 0},
		{Text: "all idle devices back within", Value: rep.median(keng, "back"), Unit: " s", Limit: 30},
		{Text: "slowest alarm while they come back", Value: rep.worst(keng, "during.max") / 1000, Unit: " s", Limit: 1},
	}
	for i := range goals {
		g := &goals[i]
		if g.Known = !math.IsNaN(g.Value); !g.Known {
			g.Value = 0 // JSON has no NaN
			continue
		}
		g.Reached = g.Value <= g.Limit
		if g.Least {
			g.Reached = g.Value >= g.Limit
		}
	}
	return goals
}

// worst is the largest value of all valid runs, NaN when there are none.
func (rep *Report) worst(system, key string) float64 {
	list := rep.result(system).values(metricOf(key))
	if len(list) == 0 {
		return math.NaN()
	}
	return slices.Max(list)
}

// Valid reports whether every system that was wanted was measured without a fault.
func (rep *Report) Valid() bool {
	for _, r := range rep.Systems {
		if r.Missing == "" && len(r.valid()) != len(r.Runs) || len(r.Runs) == 0 && r.Missing == "" {
			return false
		}
	}
	return true
}

// WriteJSON writes everything, for programs.
func (rep *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	if err := e.Encode(rep); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}
