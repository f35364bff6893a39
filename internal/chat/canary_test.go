package chat

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/keng-vn/keng/internal/engine/fault"
)

// canary stands in everything that must not reach a neighbour.
const canary = "CANARY-20.8402-105.3371"

func picture(w, h int) image.Image {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetRGBA(x, y, color.RGBA{uint8(x), uint8(y), 120, 255})
		}
	}
	return m
}

// segmentOf is a JPEG segment.
func segmentOf(marker byte, text string) []byte {
	b := []byte{0xff, marker, 0, 0}
	binary.BigEndian.PutUint16(b[2:], uint16(len(text)+2))
	return append(b, text...)
}

// canaryJPEG is a picture as telephones make them: EXIF with a place and a
// thumbnail, XMP, a colour profile, IPTC, a comment, and a film behind its end.
func canaryJPEG(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture(64, 48), nil); err != nil {
		t.Fatal(err)
	}
	plain := b.Bytes()
	out := bytes.Clone(plain[:2])
	for marker, text := range map[byte]string{
		0xe1: "Exif\x00\x00MM\x00*\x00\x00\x00\x08" + canary + "\xff\xd8thumbnail " + canary + "\xff\xd9", 0xe2: "ICC_PROFILE\x00\x01\x01" + canary, 0xed: "Photoshop 3.0\x008BIM\x04\x04" + canary, 0xfe: canary,
	} {
		out = append(out, segmentOf(marker, text)...)
	}
	out = append(out, segmentOf(0xe1, "http://ns.adobe.com/xap/1.0/\x00<x:xmpmeta>"+canary+"</x:xmpmeta>")...)
	return append(append(out, plain[2:]...), "ftypmp42"+canary...)
}

func chunkOf(kind, text string) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(text)))
	b = append(b, kind+text...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

func canaryPNG(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, picture(64, 48)); err != nil {
		t.Fatal(err)
	}
	plain, at := b.Bytes(), 8+25 // behind IHDR
	out := bytes.Clone(plain[:at])
	for kind, text := range map[string]string{"tEXt": "Comment\x00" + canary, "iTXt": "XML:com.adobe.xmp\x00\x00\x00\x00\x00" + canary, "eXIf": "MM\x00*" + canary} {
		out = append(out, chunkOf(kind, text)...)
	}
	return append(append(out, plain[at:]...), canary...)
}

// bombPNG says that it is 30,000 pixels wide and high.
func bombPNG(t *testing.T) []byte {
	t.Helper()
	head := binary.BigEndian.AppendUint32(nil, 30_000)
	head = append(binary.BigEndian.AppendUint32(head, 30_000), 8, 6, 0, 0, 0)
	return append([]byte("\x89PNG\r\n\x1a\n"), chunkOf("IHDR", string(head))...)
}

// age makes everything in a folder old.
func age(t *testing.T, dir string) {
	t.Helper()
	past := time.Now().Add(-2 * sweepOlder)
	if err := filepath.WalkDir(dir, func(p string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chtimes(p, past, past)
	}); err != nil {
		t.Fatal(err)
	}
}

// A picture keeps what is seen, and nothing else: no place, no device, no
// comment, nothing behind the end.
func TestPicturesKeepNothingButPixels(t *testing.T) {
	var s studio
	for name, from := range map[string][]byte{"JPEG": canaryJPEG(t), "PNG": canaryPNG(t)} {
		if !bytes.Contains(from, []byte(canary)) {
			t.Fatalf("%s: the canary does not sing before", name)
		}
		got, size, err := s.redraw(t.Context(), "test", from)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if bytes.Contains(got, []byte(canary)) || bytes.Contains(got, []byte("Exif")) || bytes.Contains(got, []byte("ICC_PROFILE")) || !bytes.HasSuffix(got, []byte{0xff, 0xd9}) {
			t.Errorf("%s: the canary still sings", name)
		}
		img, err := jpeg.Decode(bytes.NewReader(got))
		if err != nil || size != image.Pt(64, 48) || img.Bounds().Size() != size {
			t.Fatalf("%s: %v, %v", name, size, err)
		}
		if r, g, b, _ := img.At(60, 10).RGBA(); far(r>>8, 60) || far(g>>8, 10) || far(b>>8, 120) {
			t.Errorf("%s: another picture came out: %d %d %d", name, r>>8, g>>8, b>>8)
		}
	}
}

func far(a, b uint32) bool { return a > b+20 || b > a+20 }

// A large picture becomes small enough, a narrow one keeps its shape.
func TestLargePicturesBecomeSmaller(t *testing.T) {
	var s studio
	for _, c := range []struct{ from, want image.Point }{
		{image.Pt(4000, 3000), image.Pt(2048, 1536)}, {image.Pt(1500, 4096), image.Pt(750, 2048)}, {image.Pt(9000, 2), image.Pt(2048, 1)}, {image.Pt(2048, 2048), image.Pt(2048, 2048)},
	} {
		var b bytes.Buffer
		if err := jpeg.Encode(&b, picture(c.from.X, c.from.Y), nil); err != nil {
			t.Fatal(err)
		}
		if _, size, err := s.redraw(t.Context(), "test", b.Bytes()); err != nil || size != c.want {
			t.Errorf("%v became %v, %v, want %v", c.from, size, err, c.want)
		}
	}
}

// Who comes when everybody is busy is told so; nobody unpacks more than a few at once.
func TestPicturesWaitForAnEasel(t *testing.T) {
	var s studio
	s.open()
	for range cap(s.line) {
		s.line <- struct{}{}
	}
	if _, _, err := s.redraw(t.Context(), "test", canaryJPEG(t)); fault.KindOf(err) != fault.Busy {
		t.Errorf("a full queue: %v", err)
	}
	<-s.line
	for range cap(s.desks) {
		s.desks <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := s.redraw(ctx, "test", canaryJPEG(t)); fault.KindOf(err) != fault.Busy {
		t.Errorf("nobody waits: %v", err)
	}
}

// record makes a voice note as another program would, with everything in it that
// must not be there.
func record(t *testing.T, name string, args ...string) []byte {
	t.Helper()
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Skip("no ffmpeg on this machine")
	}
	out := filepath.Join(t.TempDir(), name)
	all := append([]string{"-loglevel", "error", "-f", "lavfi", "-i", "sine=frequency=440:duration=3"}, args...)
	all = append(all, "-metadata", "title="+canary, "-metadata", "comment="+canary, "-metadata", "location="+canary, "-metadata:s:a:0", "title="+canary, "-metadata:s:a:0", "handler_name="+canary, out)
	if text, err := exec.CommandContext(t.Context(), ffmpeg, all...).CombinedOutput(); err != nil {
		t.Skipf("ffmpeg cannot: %v %s", err, text)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// playable reports how many seconds another program hears.
func playable(t *testing.T, b []byte) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "ffmpeg", "-loglevel", "error", "-i", "pipe:0", "-f", "s16le", "-ar", "8000", "-ac", "1", "pipe:1")
	cmd.Stdin = bytes.NewReader(b)
	var sound, wrong bytes.Buffer
	cmd.Stdout, cmd.Stderr = &sound, &wrong
	if err := cmd.Run(); err != nil {
		return wrong.String()
	}
	switch n := float64(sound.Len()) / 16000; {
	case n > 2.8 && n < 3.2:
		return ""
	default:
		return "another length " + wrong.String()
	}
}

// A voice note keeps the sound and nothing else, and can still be played.
func TestVoiceNotesKeepNothingButSound(t *testing.T) {
	for name, c := range map[string]struct {
		file, media string
		args        []string
	}{
		"WebM":      {"v.webm", "audio/webm", []string{"-c:a", "libopus"}},
		"live WebM": {"v.webm", "audio/webm", []string{"-c:a", "libopus", "-live", "1"}},
		"MP4":       {"v.mp4", "audio/mp4", []string{"-c:a", "aac", "-movflags", "faststart"}},
		"live MP4":  {"v.mp4", "audio/mp4", []string{"-c:a", "aac", "-movflags", "frag_keyframe+empty_moov"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := record(t, c.file, c.args...)
			if !bytes.Contains(b, []byte(canary)) {
				t.Fatal("the canary does not sing before")
			}
			media, seconds, err := clean("test", b)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(b, []byte(canary)) || bytes.Contains(b, []byte("Lavf")) {
				t.Error("the canary still sings")
			}
			if media != c.media || seconds < 2 || seconds > 4 {
				t.Errorf("%s, %d s", media, seconds)
			}
			if wrong := playable(t, bytes.Clone(b)); wrong != "" {
				t.Errorf("it cannot be played any more: %s", wrong)
			}
			again := bytes.Clone(b)
			if _, _, err := clean("test", again); err != nil || !bytes.Equal(again, b) {
				t.Errorf("cleaned again: %v", err)
			}
		})
	}
}

// A film, one with a picture in it, one that is too long, and one with something
// behind its end are refused.
func TestWhatIsNoVoiceNoteIsRefused(t *testing.T) {
	film := record(t, "v.webm", "-f", "lavfi", "-i", "color=size=64x64:duration=1", "-map", "0", "-map", "1", "-c:a", "libopus", "-c:v", "libvpx")
	long := record(t, "v.webm", "-af", "apad=whole_dur=70", "-c:a", "libopus", "-b:a", "8k")
	for name, b := range map[string][]byte{
		"a film": film, "too long": long, "behind the end": append(record(t, "v.webm", "-c:a", "libopus"), canary...),
		"behind the end of MP4": append(record(t, "v.mp4", "-c:a", "aac"), canary...), "torn": record(t, "v.webm", "-c:a", "libopus")[:600], "torn MP4": record(t, "v.mp4", "-c:a", "aac")[:600],
	} {
		_, _, err := clean("test", b)
		if fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
		if name == "too long" && (err == nil || !strings.Contains(err.Error(), "too_long")) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// No bytes break the intake, none make it unpack more than it may, and what it
// lets through it lets through again.
func FuzzIntake(f *testing.F) {
	seed := func(b []byte) { f.Add(b) }
	t := &testing.T{}
	seed(canaryJPEG(t))
	seed(canaryPNG(t))
	seed(bombPNG(t))
	seed([]byte("\x1a\x45\xdf\xa3\x85\x42\x82\x84webm\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff"))
	seed([]byte("\x00\x00\x00\x0cftypM4A \x00\x00\x00\x08moov"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var s studio
		if len(b) < 1<<16 {
			if decode, err := look("test", b); err == nil && decode != nil {
				if got, _, err := s.redraw(t.Context(), "test", b); err == nil {
					if _, err := jpeg.DecodeConfig(bytes.NewReader(got)); err != nil {
						t.Errorf("what came out is no picture: %v", err)
					}
				}
			}
		}
		once := bytes.Clone(b)
		if _, n, err := clean("test", once); err == nil {
			if n > voiceSeconds {
				t.Errorf("%d s", n)
			}
			twice := bytes.Clone(once)
			if _, _, err := clean("test", twice); err != nil || !bytes.Equal(once, twice) {
				t.Errorf("cleaned again: %v", err)
			}
		}
	})
}
