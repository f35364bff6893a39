package chat

import (
	"bytes"

	"github.com/keng-vn/keng/internal/engine/fault"
)

// clean is a voice note with nothing in it but sound: WebM (Opus), as Chromium and
// Firefox record it, or MP4, as Safari does. What is neither, holds a picture, or
// has something behind its end, is refused. The bytes of from are overwritten.
func clean(op string, from []byte) (media string, seconds int, err error) {
	var tenths int64
	switch {
	case bytes.HasPrefix(from, []byte{0x1a, 0x45, 0xdf, 0xa3}):
		media = "audio/webm"
		tenths, err = cleanWebM(from)
	case len(from) > 12 && string(from[4:8]) == "ftyp":
		media = "audio/mp4"
		tenths, err = cleanMP4(from)
	default:
		err = errNoVoice
	}
	if err != nil {
		return "", 0, &fault.Error{Op: op, Kind: fault.Invalid, Key: "chat.voice_broken", Err: err}
	}
	if tenths > voiceSeconds*10+20 { // a recorder stops a moment late
		return "", 0, &fault.Error{Op: op, Kind: fault.Invalid, Key: "chat.voice_too_long", Args: map[string]any{"n": voiceSeconds}}
	}
	return media, min(voiceSeconds, int((tenths+9)/10)), nil
}
