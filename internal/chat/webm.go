package chat

import (
	"errors"
	"math"
)

// errNoVoice is a file that is not a voice note and nothing else.
var errNoVoice = errors.New("not a voice note")

// Elements of WebM that a voice note is made of (RFC 8794, RFC 9559). What is not
// listed is blanked out where it may stand, or the file is refused.
const (
	ebmlHeader    = 0x1a45dfa3
	docType       = 0x4282
	segment       = 0x18538067
	info          = 0x1549a966
	timescale     = 0x2ad7b1
	infoDuration  = 0x4489
	tracks        = 0x1654ae6b
	trackEntry    = 0xae
	trackType     = 0x83
	codecID       = 0x86
	cluster       = 0x1f43b675
	clusterTime   = 0xe7
	simpleBlock   = 0xa3
	blockGroup    = 0xa0
	block         = 0xa1
	voidElement   = 0xec
	trackAudio    = 2
	mostElements  = 100_000
	unknownLength = -1
)

// keepIn lists, for each element that holds others, which of them are kept as they
// are. Numbers that say how the sound is coded stay; names, titles, dates, tags,
// attachments, chapters and the recorder's own name go.
var keepIn = map[uint64]map[uint64]bool{
	ebmlHeader: {docType: true, 0x4286: true, 0x42f7: true, 0x42f2: true, 0x42f3: true, 0x4287: true, 0x4285: true},
	segment:    {info: true, tracks: true, cluster: true, 0x1c53bb6b: true /* Cues */, 0x114d9b74: true /* SeekHead */},
	info:       {timescale: true, infoDuration: true},
	tracks:     {trackEntry: true},
	trackEntry: {
		0xd7: true, 0x73c5: true, trackType: true, codecID: true, 0x63a2: true, 0x56aa: true, 0x56bb: true, 0x9c: true, 0xb9: true, 0x88: true,
		0x55aa: true, 0x23e383: true, 0xe1: true, 0x22b59c: true, 0x22b59d: true,
	},
	cluster:    {clusterTime: true, simpleBlock: true, blockGroup: true, 0xa7: true, 0xab: true},
	blockGroup: {block: true, 0x9b: true, 0x75a2: true, 0xfb: true},
}

// webm is a WebM file that is being cleaned in place.
type webm struct {
	b      []byte
	left   int   // elements that may still come
	scale  int64 // nanoseconds of one tick
	base   int64 // ticks of the cluster
	last   int64 // ticks of the newest block
	audio  int   // tracks
	opus   bool
	format string
}

func cleanWebM(b []byte) (tenths int64, err error) {
	w := &webm{b: b, left: mostElements, scale: 1_000_000}
	at := 0
	for _, want := range []uint64{ebmlHeader, segment} {
		id, body, length, err := w.head(at, len(b))
		if err != nil || id != want {
			return 0, errNoVoice
		}
		end := body + length
		if length == unknownLength {
			if want != segment {
				return 0, errNoVoice
			}
			end = len(b)
		}
		if at, err = w.inside(id, body, end, false); err != nil {
			return 0, err
		}
	}
	if at != len(b) || w.format != "webm" || w.audio != 1 || !w.opus || w.last < 0 {
		return 0, errNoVoice // something behind the end, a film, or silence
	}
	return w.last * w.scale / 100_000_000, nil
}

// vint reads a number of variable length; a size keeps no marker bit.
func (w *webm) vint(at, end int, marker bool) (v uint64, n int, err error) {
	if at >= end {
		return 0, 0, errNoVoice
	}
	first := w.b[at]
	n = 1
	for mask := byte(0x80); n <= 8 && first&mask == 0; mask >>= 1 {
		n++
	}
	if n > 8 || at+n > end || marker && n > 4 {
		return 0, 0, errNoVoice
	}
	v = uint64(first)
	if !marker {
		v &= 0xff >> n
	}
	ones := !marker && v == 0xff>>n
	for _, x := range w.b[at+1 : at+n] {
		v = v<<8 | uint64(x)
		ones = ones && x == 0xff
	}
	if ones {
		v = math.MaxUint64
	}
	return v, n, nil
}

// head reads an element's name and where its body lies.
func (w *webm) head(at, end int) (id uint64, body, length int, err error) {
	id, n, err := w.vint(at, end, true)
	if err != nil {
		return 0, 0, 0, err
	}
	size, k, err := w.vint(at+n, end, false)
	if err != nil {
		return 0, 0, 0, err
	}
	body = at + n + k
	if size == math.MaxUint64 {
		return id, body, unknownLength, nil
	}
	if size > uint64(end-body) { // #nosec G115 -- end is behind body
		return 0, 0, 0, errNoVoice
	}
	return id, body, int(size), nil // #nosec G115 -- at most the file
}

// inside cleans the elements of parent, and returns where they end. open is
// whether the parent's length is not known: then it ends before what its own
// parent may hold.
func (w *webm) inside(parent uint64, at, end int, open bool) (int, error) {
	for at < end {
		if w.left--; w.left < 0 {
			return at, errNoVoice
		}
		id, body, length, err := w.head(at, end)
		if err != nil {
			return at, err
		}
		if open && !keepIn[parent][id] && id != voidElement && keepIn[segment][id] {
			return at, nil
		}
		if length == unknownLength && id != cluster {
			return at, errNoVoice
		}
		next := body + length
		switch {
		case keepIn[id] != nil && keepIn[parent][id]:
			stop := next
			if length == unknownLength {
				stop = end
			}
			if next, err = w.inside(id, body, stop, length == unknownLength); err != nil {
				return at, err
			}
		case keepIn[parent][id]:
			if err := w.note(parent, id, body, next); err != nil {
				return at, err
			}
		default:
			if err := w.blank(at, next); err != nil {
				return at, err
			}
		}
		at = next
	}
	return at, nil
}

// note remembers what the judgement needs.
func (w *webm) note(parent, id uint64, body, next int) error {
	value := w.b[body:next]
	number := func() (n int64) {
		for _, x := range value {
			n = n<<8 | int64(x)
		}
		return n
	}
	switch {
	case parent == ebmlHeader && id == docType:
		w.format = string(value)
	case parent == info && id == timescale:
		if w.scale = number(); len(value) > 4 || w.scale <= 0 || w.scale > 1_000_000_000 {
			return errNoVoice
		}
	case parent == trackEntry && id == trackType:
		if number() != trackAudio {
			return errNoVoice
		}
		w.audio++
	case parent == trackEntry && id == codecID:
		w.opus = string(value) == "A_OPUS"
	case parent == cluster && id == clusterTime:
		if w.base = number(); len(value) > 5 || w.base < 0 {
			return errNoVoice
		}
	case id == simpleBlock || id == block:
		if len(value) < 4 {
			return errNoVoice
		}
		_, n, err := w.vint(body, next, false)
		if err != nil || n+3 > len(value) {
			return errNoVoice
		}
		w.last = max(w.last, w.base+int64(int16(uint16(value[n])<<8|uint16(value[n+1])))) // #nosec G115 -- a signed number of 16 bits
	}
	return nil
}

// blank makes one element from at to next that says nothing.
func (w *webm) blank(at, next int) error {
	total := next - at
	clear(w.b[at:next])
	w.b[at] = voidElement
	switch body := total - 2; {
	case total < 2:
		return errNoVoice
	case body < 0x7f:
		w.b[at+1] = 0x80 | byte(body) // #nosec G115 -- below 127
	default:
		if total < 9 {
			return errNoVoice
		}
		body = total - 9 // a size of 8 bytes
		w.b[at+1] = 0x01
		for k := range 7 {
			w.b[at+8-k] = byte(body >> (8 * k)) // #nosec G115 -- one byte of it
		}
	}
	return nil
}
