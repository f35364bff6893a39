package zigbee2mqtt

import (
	"strconv"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/signal"
)

// companions are the settings that go along with the form, before or after the
// trigger. After it come max_duration, which only bounds a sound that must not
// wait for it, and countdown, which counts from the state it finds.
func companions(main *expose, known abilities, k signal.DeviceKind, w dialect.Want) (before, after body) {
	for i := range known {
		e := &known[i]
		if e == main || !e.writable() || e.Property == "" {
			continue
		}
		b := bag(split(e.Property))
		v, ok := companion(b, e, k, w)
		switch {
		case !ok:
		case b.has("max") || b.has("countdown"):
			after = append(after, field{e.Property, v})
		default:
			before = append(before, field{e.Property, v})
		}
	}
	return before, after
}

// companion is what setting e is set to for w; false when it is none of the
// settings of a siren.
func companion(b bag, e *expose, k signal.DeviceKind, w dialect.Want) (any, bool) {
	switch {
	case e.group == "composite" || e.group == "climate":
		return nil, false
	case e.Type == "numeric" && isDuration(b):
		return inUnit(e, w.Duration), true
	case k == signal.Lamp:
		return lampCompanion(b, e)
	case isVolume(b) && e.Type == "numeric":
		return volume(e, loud(w.Pattern)), true
	case isVolume(b) && e.Type == "enum" && len(e.Values) > 0:
		return strength(e, loud(w.Pattern)), true
	case isMelody(b) && e.Type == "enum" && len(e.Values) > 0:
		return melody(e, loud(w.Pattern)), true
	case isManner(b) && e.Type == "enum" && manner(e, loud(w.Pattern)) != "":
		return manner(e, loud(w.Pattern)), true
	case e.Type == "binary" && b.has("enable") && b.any("sound", "siren", "light") && b.within("alarm", "siren", "sound", "light", "enable"):
		return onValue(e), true
	case e.Type == "binary" && k == signal.Siren && isMuffler(b):
		return offValue(e), true
	}
	return nil, false
}

// lampCompanion: a lamp shines as bright as it can.
func lampCompanion(b bag, e *expose) (any, bool) {
	if e.Type == "numeric" && e.group == "light" && b.has("brightness") && len(b) == 1 && e.Max != nil {
		return *e.Max, true
	}
	return nil, false
}

// isDuration: how long the siren or relay stays on.
func isDuration(b bag) bool {
	switch {
	case b.has("duration"):
	case b.has("time") && b.any("alarm", "siren", "ring", "warning", "buzzer", "on"):
	case b.any("countdown"):
	default:
		return false
	}
	return b.within("duration", "alarm", "siren", "max", "warning", "time", "light", "ring", "sound", "on", "countdown", "timer", "strobe", "buzzer")
}

func isVolume(b bag) bool {
	return b.has("volume") && b.within("volume", "alarm", "siren", "level", "sound", "buzzer", "speaker", "warning")
}

func isMelody(b bag) bool {
	return (b.any("melody", "ringtone", "tune", "tone", "ring") || (b.has("sound") && b.has("type"))) &&
		b.within("melody", "ringtone", "tune", "tone", "ring", "alarm", "siren", "sound", "type")
}

// isManner: whether the siren sounds, flashes or both.
func isManner(b bag) bool {
	return b.any("mode", "type", "behaviour", "behavior") && b.within("mode", "type", "behaviour", "behavior", "alarm", "siren", "alert")
}

// isMuffler: a switch that keeps the siren from being heard.
func isMuffler(b bag) bool {
	return (b.any("muffling", "mute", "muted") && len(b) == 1) || (b.has("silent") && b.has("mode") && len(b) == 2)
}

// manner is sound and light for an alarm, sound alone for a drill; "" when the
// enum does not choose between them.
func manner(e *expose, isLoud bool) string {
	both, sound, light := "", "", false
	for _, w := range e.words() {
		b := bag(split(w))
		hasSound, hasLight := b.any("sound", "siren"), b.any("light", "led", "flash", "strobe")
		switch {
		case hasSound && hasLight && both == "":
			both = w
		case hasSound && sound == "":
			sound = w
		case hasLight:
			light = true
		}
	}
	switch {
	case both == "" && !light:
		return ""
	case both != "" && (isLoud || sound == ""):
		return both
	}
	return sound
}

// melody is one that sounds like danger for an alarm, and another for a drill.
func melody(e *expose, isLoud bool) string {
	if best := bestValue(e, melodyWeight); isLoud && best != "" {
		return best
	}
	soft := bestValue(e, func(b bag) int { return bonus(b.any("door", "chime", "bell", "doorbell", "soft", "beep", "chirp"), 1) })
	if !isLoud && soft != "" {
		return soft
	}
	audible := audibles(e)
	if isLoud {
		return audible[0]
	}
	return audible[len(audible)-1]
}

func melodyWeight(b bag) int {
	switch {
	case isStop(b):
		return 0
	case b.any("emergency", "evacuation"):
		return 3
	case b.any("siren", "alarm", "fire", "warning"):
		return 2
	}
	return 0
}

// audibles are the values that can be heard; all of them if that is none.
func audibles(e *expose) []string {
	var list []string
	for _, w := range e.words() {
		if !isStop(bag(split(w))) {
			list = append(list, w)
		}
	}
	if len(list) == 0 {
		return e.words()
	}
	return list
}

// strength is the loudest value of an enum of levels, or its softest audible one.
func strength(e *expose, isLoud bool) string {
	list := audibles(e)
	best, top := list[0], grade(list[0], 0)
	for i, w := range list {
		if n := grade(w, i); (isLoud && n > top) || (!isLoud && n < top) {
			best, top = w, n
		}
	}
	return best
}

// grade ranks a level in words or figures; unknown words keep their order.
func grade(w string, place int) float64 {
	if n, err := strconv.ParseFloat(w, 64); err == nil {
		return n
	}
	b := bag(split(w))
	switch {
	case b.any("max", "maximum", "very", "loudest", "extreme"):
		return 50
	case b.any("high", "loud", "strong"):
		return 40
	case b.any("medium", "middle", "mid", "normal"):
		return 30
	case b.any("low", "reduced", "soft", "weak"):
		return 20
	case b.any("min", "minimum", "lowest"):
		return 10
	}
	return float64(place)
}

// volume is the loudest of a numeric volume, or a fifth of it for a drill: the
// lowest would be silence.
func volume(e *expose, isLoud bool) float64 {
	low, high := 0.0, 100.0
	if e.Min != nil {
		low = *e.Min
	}
	if e.Max != nil {
		high = *e.Max
	}
	if isLoud {
		return clamp(e, high)
	}
	return clamp(e, max(1, float64(int(low+(high-low)/5))))
}
