package chat

import (
	"encoding/binary"
	"slices"
)

// Boxes of MP4 that a voice note is made of (ISO/IEC 14496-12). Every other box is
// made a "free" one and its content zeroed: user data, metadata, locations.
var (
	holdBoxes = []string{"moov", "trak", "mdia", "minf", "stbl", "dinf", "mvex", "moof", "traf", "edts"}
	keepBoxes = []string{
		"ftyp", "styp", "mvhd", "tkhd", "mdhd", "hdlr", "smhd", "dref", "stsd", "stts", "stsc", "stsz", "stz2", "stco", "co64", "ctts", "stss", "sgpd", "sbgp",
		"elst", "trex", "mehd", "mfhd", "tfhd", "tfdt", "trun", "mdat", "free", "skip", "sidx",
	}
)

const mostBoxes = 10_000

// mp4 is an MP4 file that is being cleaned in place.
type mp4 struct {
	b      []byte
	left   int
	scale  int64 // ticks of a second of the sound
	length int64 // ticks
	base   int64 // ticks at which the fragment begins
	usual  int64 // ticks of a sample, where nothing else is said
	this   int64 // the same, in this fragment
	audio  int
	sound  bool // there is an mdat
}

func cleanMP4(b []byte) (tenths int64, err error) {
	m := &mp4{b: b, left: mostBoxes}
	if err := m.inside(0, len(b), 0); err != nil {
		return 0, err
	}
	if m.audio != 1 || !m.sound || m.scale <= 0 {
		return 0, errNoVoice
	}
	return m.length * 10 / m.scale, nil
}

func (m *mp4) inside(at, end, depth int) error {
	for at < end {
		if m.left--; m.left < 0 || depth > 8 || end-at < 8 {
			return errNoVoice
		}
		size, body := int64(binary.BigEndian.Uint32(m.b[at:])), at+8
		kind := string(m.b[at+4 : at+8])
		switch {
		case size == 1 && end-at >= 16:
			size, body = int64(binary.BigEndian.Uint64(m.b[at+8:])), at+16 // #nosec G115 -- a negative one is refused below
		case size == 0 && depth == 0: // to the end of the file
			size = int64(end - at)
		}
		if size < int64(body-at) || size > int64(end-at) {
			return errNoVoice
		}
		next := at + int(size)
		switch {
		case slices.Contains(holdBoxes, kind):
			if err := m.inside(body, next, depth+1); err != nil {
				return err
			}
		case kind == "free" || kind == "skip":
			clear(m.b[body:next])
		case slices.Contains(keepBoxes, kind):
			if err := m.box(kind, m.b[body:next]); err != nil {
				return err
			}
		default:
			copy(m.b[at+4:], "free")
			clear(m.b[body:next])
		}
		at = next
	}
	return nil
}

// box reads what the judgement needs and takes dates and names out.
func (m *mp4) box(kind string, v []byte) error {
	switch kind {
	case "mdat":
		m.sound = true
	case "mvhd", "tkhd":
		return undate(v)
	case "mdhd":
		if err := undate(v); err != nil {
			return err
		}
		at, wide := 12, 4
		if v[0] == 1 {
			at, wide = 20, 8
		}
		if len(v) < at+4+wide {
			return errNoVoice
		}
		m.scale = int64(binary.BigEndian.Uint32(v[at:]))
		if wide == 4 {
			m.grow(uint64(binary.BigEndian.Uint32(v[at+4:])))
		} else {
			m.grow(binary.BigEndian.Uint64(v[at+4:]))
		}
	case "hdlr":
		if len(v) < 24 {
			return errNoVoice
		}
		if string(v[8:12]) != "soun" {
			return errNoVoice // a film, a place, a text
		}
		m.audio++
		clear(v[12:]) // reserved, and the recorder's own name for it
	case "dref":
		if len(v) < 20 || string(v[12:16]) != "url " || v[19]&1 == 0 {
			return errNoVoice // the sound lies somewhere else
		}
		clear(v[20:])
	case "stsd":
		return m.coded(v)
	case "trex":
		if len(v) < 24 {
			return errNoVoice
		}
		m.usual = int64(binary.BigEndian.Uint32(v[12:]))
	case "tfhd":
		return m.fragment(v)
	case "tfdt":
		switch {
		case len(v) >= 12 && v[0] == 1:
			m.base = m.grow(binary.BigEndian.Uint64(v[4:]))
		case len(v) >= 8 && v[0] == 0:
			m.base = m.grow(uint64(binary.BigEndian.Uint32(v[4:])))
		default:
			return errNoVoice
		}
	case "trun":
		return m.run(v)
	}
	return nil
}

// coded cleans the description of how the sound is coded: AAC or Opus.
func (m *mp4) coded(v []byte) error {
	const entry, inside = 8, 8 + 36 // one entry, and where its own boxes begin
	if len(v) < inside || binary.BigEndian.Uint32(v[4:]) != 1 {
		return errNoVoice
	}
	if kind := string(v[entry+4 : entry+8]); kind != "mp4a" && kind != "Opus" {
		return errNoVoice
	}
	at := inside
	if version := binary.BigEndian.Uint16(v[entry+16:]); version == 1 {
		at += 16
	} else if version > 1 {
		return errNoVoice
	}
	for at+8 <= len(v) {
		size := int64(binary.BigEndian.Uint32(v[at:]))
		if size < 8 || size > int64(len(v)-at) {
			return errNoVoice
		}
		next := at + int(size)
		if !slices.Contains([]string{"esds", "dOps", "btrt", "chan", "wave"}, string(v[at+4:at+8])) {
			copy(v[at+4:], "free")
			clear(v[at+8 : next])
		}
		at = next
	}
	clear(v[min(at, len(v)):])
	return nil
}

// fragment reads how long a sample of a fragment is.
func (m *mp4) fragment(v []byte) error {
	if len(v) < 8 {
		return errNoVoice
	}
	flags, at := binary.BigEndian.Uint32(v)&0xffffff, 8
	if flags&1 != 0 {
		at += 8
	}
	if flags&2 != 0 {
		at += 4
	}
	m.this = m.usual
	if flags&8 != 0 {
		if len(v) < at+4 {
			return errNoVoice
		}
		m.this = int64(binary.BigEndian.Uint32(v[at:]))
	}
	return nil
}

// run adds the samples of a run to its fragment.
func (m *mp4) run(v []byte) error {
	if len(v) < 8 {
		return errNoVoice
	}
	flags, at, n := binary.BigEndian.Uint32(v)&0xffffff, 8, int64(binary.BigEndian.Uint32(v[4:]))
	for _, bit := range []uint32{1, 4} {
		if flags&bit != 0 {
			at += 4
		}
	}
	each := 0
	for _, bit := range []uint32{0x100, 0x200, 0x400, 0x800} {
		if flags&bit != 0 {
			each += 4
		}
	}
	if at > len(v) || n > 1<<20 || n*int64(each) > int64(len(v)-at) {
		return errNoVoice
	}
	if flags&0x100 == 0 {
		m.base += n * m.this
	} else {
		for k := range n {
			m.base += int64(binary.BigEndian.Uint32(v[at+int(k)*each:]))
		}
	}
	m.grow(uint64(m.base)) // #nosec G115 -- never negative
	return nil
}

// grow notes how far the sound goes. All ones is "not known".
func (m *mp4) grow(ticks uint64) int64 {
	if ticks >= 1<<40 || ticks == 0xffffffff {
		return 0
	}
	m.length = max(m.length, int64(ticks))
	return int64(ticks)
}

// undate zeroes when something was made and changed.
func undate(v []byte) error {
	n := 12
	if len(v) > 0 && v[0] == 1 {
		n = 20
	}
	if len(v) < n+8 {
		return errNoVoice
	}
	clear(v[4:n])
	return nil
}
