package drive

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/signal"
)

// TestDriveNeverForgetsASiren plays random orders, losses and words of one siren
// and checks after each that it is due when it must be.
func TestDriveNeverForgetsASiren(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := Drive{confirms: rapid.Bool().Draw(rt, "confirms")}
		now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
		lasts := time.Duration(rapid.SampledFrom([]int{1, 3, 10, 30, 60, 180}).Draw(rt, "lasts")) * time.Second
		send := func() {
			reached := rapid.IntRange(0, 3).Draw(rt, "reached") > 0
			d.Commanded(reached, lasts, now)
			if reached && rapid.Bool().Draw(rt, "acked") {
				d.Acked(d.number)
			}
		}
		for range rapid.IntRange(1, 60).Draw(rt, "n") {
			now = now.Add(time.Duration(rapid.IntRange(0, 7000).Draw(rt, "ms")) * time.Millisecond)
			switch rapid.SampledFrom([]string{"on", "off", "sounding", "quiet", "contact", "ack", "time", "time", "time"}).Draw(rt, "what") {
			case "on":
				p := rapid.SampledFrom([]dialect.Pattern{dialect.AlarmPattern, dialect.OriginPattern}).Draw(rt, "pattern")
				if d.Follow(Order{true, p}, time.Time{}, "i", now) {
					send()
				}
			case "off":
				if d.Follow(Order{}, time.Time{}, "", now) {
					send()
				}
			case "sounding":
				d.Hear(signal.Sounding, now)
			case "quiet":
				d.Hear(signal.Quiet, now)
			case "contact":
				if d.Contact(now) {
					send()
				}
			case "ack":
				if d.reached {
					d.Acked(d.number)
				}
			}
			for at := d.Next(); !at.IsZero() && !at.After(now); at = d.Next() { // the driver is never late by much
				if d.want.Sounding && d.Settled() {
					d.tries = 0
				}
				send()
			}
			next := d.Next()
			switch {
			case d.want.Sounding && next.IsZero():
				rt.Fatalf("a sounding siren is never told again: %+v", d)
			case d.want.Sounding && !d.Settled() && next.After(d.sent.Add(5*time.Second)):
				rt.Fatalf("an unconfirmed siren waits %s: %+v", next.Sub(d.sent), d)
			case d.want.Sounding && d.Settled() && !next.Before(d.sent.Add(d.lasts)):
				rt.Fatalf("a siren falls silent: %+v", d)
			case !d.want.Sounding && d.heard == signal.Sounding && next.IsZero() && d.tries < enoughStops:
				rt.Fatalf("a siren sounds for no reason and nobody minds: %+v", d)
			case !d.want.Sounding && d.heard == signal.Sounding && !next.IsZero() && next.Sub(now) > max(Tolerated, 5*time.Second):
				rt.Fatalf("a siren sounds on for %s: %+v", next.Sub(now), d)
			case !d.want.Sounding && d.reached && !d.acked && d.heard != signal.Quiet && !d.sent.IsZero() && next.IsZero():
				rt.Fatalf("a stop that was not acknowledged is not repeated: %+v", d)
			case !d.met && !d.want.Sounding && d.heard != signal.Sounding && d.reached:
				rt.Fatalf("reached but never met: %+v", d)
			}
		}
	})
}
