package bench

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// widths of the table, in characters.
const (
	labelWidth = 44
	cellWidth  = 25
)

// WriteTable writes the report for people.
func (rep *Report) WriteTable(w io.Writer) error {
	var b strings.Builder
	rep.writeHead(&b)
	rep.writeMedians(&b)
	rep.writeRuns(&b)
	rep.writeFaults(&b)
	rep.writeGoals(&b)
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	return nil
}

func (rep *Report) writeHead(b *strings.Builder) {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(b, "%-10s %s\n", name, fmt.Sprintf(format, args...))
	}
	if rep.Quick {
		b.WriteString("A TRIAL OF THE BENCH ITSELF: THESE NUMBERS MEAN NOTHING\n")
	}
	line("command", "%s", rep.Command)
	line("began", "%s", rep.Began.Format("2006-01-02 15:04 UTC"))
	line("machine", "%s", rep.Machine)
	line("work", "%d idle devices; %d groups with 7 sirens and a button, each its own TCP connection; %.4g presses/s for %.4g s, QoS 1 in and out", rep.Idle, rep.Groups, rep.Rate, rep.Seconds)
	for _, r := range rep.Systems {
		says := r.Version
		if r.Missing != "" {
			says = "MISSING, NOT MEASURED: " + r.Missing
		}
		line(r.Name, "%s (%s)", r.About, says)
	}
	sync, syncWorst, trip := rep.floor()
	line("floor", "200 B + fdatasync p50 %s, p99 %s ms; TCP there and back p50 %s ms", number(sync), number(syncWorst), number(trip))
	low, high := rep.loads()
	line("load", "average before %.1f, after each run %.1f to %.1f", rep.LoadBefore, low, high)
	if why := rep.noise(); why != "" {
		line("", "THE MACHINE WAS NOT QUIET: %s", why)
	}
}

// floor is the medians over the runs: p50 and p99 of the disk, p50 of loopback.
func (rep *Report) floor() (sync, syncWorst, trip float64) {
	var a, b, c []float64
	for _, f := range rep.Floors {
		a, b, c = append(a, f.Sync.P50), append(b, f.Sync.P99), append(c, f.TCP.P50)
	}
	return median(a), median(b), median(c)
}

func (rep *Report) loads() (low, high float64) {
	var all []float64
	for _, r := range rep.Systems {
		for _, run := range r.Runs {
			all = append(all, run.Load)
		}
	}
	if len(all) == 0 {
		return 0, 0
	}
	return slices.Min(all), slices.Max(all)
}

// noise is why the numbers are not to be quoted, or "".
func (rep *Report) noise() string {
	var why []string
	if limit := float64(rep.Machine.Cores) / 4; rep.LoadBefore > limit {
		why = append(why, fmt.Sprintf("before it began %.1f wanted to run, more than %.2g", rep.LoadBefore, limit))
	}
	if _, worst, _ := rep.floor(); worst > 2 {
		why = append(why, fmt.Sprintf("fdatasync took %s ms at p99, more than 2", number(worst)))
	}
	return strings.Join(why, "; ")
}

func (rep *Report) writeMedians(b *strings.Builder) {
	runs := 0
	for _, r := range rep.Systems {
		runs = max(runs, len(r.Runs))
	}
	fmt.Fprintf(b, "\n%-*s", labelWidth, "median (lowest to highest of "+count(runs, "run)", "runs)"))
	for _, r := range rep.Systems {
		fmt.Fprintf(b, "%*s", cellWidth, r.Name)
	}
	b.WriteString("\n")
	for _, p := range metrics() {
		fmt.Fprintf(b, "%s\n", p.part)
		for _, m := range p.list {
			rep.writeMetric(b, m)
		}
	}
	fmt.Fprintf(b, "%-*s", labelWidth, "all runs together, p99.9, ms")
	for _, r := range rep.Systems {
		cell := "-"
		if r.Pooled != nil {
			cell = fmt.Sprintf("%s of %d", number(r.Pooled.P999), r.Pooled.N)
		}
		fmt.Fprintf(b, "%*s", cellWidth, cell)
	}
	b.WriteString("\n")
}

func (rep *Report) writeMetric(b *strings.Builder, m metric) {
	label := m.text
	if m.unit != "" {
		label += ", " + m.unit
	}
	fmt.Fprintf(b, "  %-*s", labelWidth-2, label)
	for i := range rep.Systems {
		fmt.Fprintf(b, "%*s", cellWidth, cell(rep.Systems[i].values(m)))
	}
	b.WriteString("\n")
}

// cell is a median with its range.
func cell(values []float64) string {
	switch len(values) {
	case 0:
		return "-"
	case 1:
		return number(values[0])
	}
	return fmt.Sprintf("%s (%s to %s)", number(median(values)), number(slices.Min(values)), number(slices.Max(values)))
}

// number writes v with about three digits.
func number(v float64) string {
	switch a := math.Abs(v); {
	case math.IsNaN(v):
		return "-"
	case v == math.Trunc(v), a >= 100:
		return fmt.Sprintf("%.0f", v)
	case a >= 10:
		return fmt.Sprintf("%.1f", v)
	case a >= 1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3f", v)
}

// writeRuns writes the most important numbers run by run.
func (rep *Report) writeRuns(b *strings.Builder) {
	b.WriteString("\neach run, valid ones only\n")
	for _, key := range [...]string{"ring.p50", "ring.p99", "ack.p50", "storm.last", "mem.idle", "back"} {
		m := metricOf(key)
		fmt.Fprintf(b, "  %s, %s\n", m.text, m.unit)
		for i := range rep.Systems {
			var cells []string
			for _, v := range rep.Systems[i].values(m) {
				cells = append(cells, number(v))
			}
			fmt.Fprintf(b, "    %-24s %s\n", rep.Systems[i].Name, strings.Join(cells, "  "))
		}
	}
}

func (rep *Report) writeFaults(b *strings.Builder) {
	for _, r := range rep.Systems {
		for _, run := range r.Runs {
			for _, f := range run.Faults {
				fmt.Fprintf(b, "\nINVALID: run %d of %s: %s", run.Run, r.Name, f)
			}
		}
	}
	if rep.Valid() {
		b.WriteString("\nevery press rang each of its 7 sirens and was acknowledged; Keng has one incident for each press, and after closing every siren was told to stop")
	}
	b.WriteString("\n\n")
}

func (rep *Report) writeGoals(b *strings.Builder) {
	for _, g := range rep.Goals {
		bound := "at most"
		if g.Least {
			bound = "at least"
		}
		verdict := "MISSED"
		switch {
		case !g.Known:
			fmt.Fprintf(b, "unknown  %s (%s %s%s): a valid run is lacking\n", g.Text, bound, number(g.Limit), g.Unit)
			continue
		case g.Reached:
			verdict = "reached"
		}
		fmt.Fprintf(b, "%-8s %s: %s%s (%s %s%s)\n", verdict, g.Text, number(g.Value), g.Unit, bound, number(g.Limit), g.Unit)
	}
}
