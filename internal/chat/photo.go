package chat

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"io"
	"sync"
	"time"

	"github.com/keng-vn/keng/internal/engine/fault"
)

// What a picture may be. Source of the bound: OWASP ASVS 5.0, 5.2.6.
const (
	mostPixels = 40_000_000
	mostBytes  = 4 * mostPixels // of a decoded picture
	mostSide   = 2048           // pixels, of what is kept
	quality    = 82
	studios    = 2                // pictures that are redrawn at once
	queue      = 16               // that wait for it
	patience   = 20 * time.Second // and how long
)

// studio redraws pictures, a few at a time: what comes out holds pixels and
// nothing else.
type studio struct {
	once  sync.Once
	desks chan struct{}
	line  chan struct{}
}

func (s *studio) open() {
	s.once.Do(func() { s.desks, s.line = make(chan struct{}, studios), make(chan struct{}, studios+queue) })
}

// redraw reads a JPEG or PNG and returns it as a JPEG of at most 2048 pixels a
// side: without EXIF, GPS, XMP, IPTC, colour profile, comments, thumbnail, or
// anything behind the end.
func (s *studio) redraw(ctx context.Context, op string, from []byte) (jpg []byte, size image.Point, err error) {
	decode, err := look(op, from)
	if err != nil {
		return nil, size, err
	}
	s.open()
	select {
	case s.line <- struct{}{}:
		defer func() { <-s.line }()
	default:
		return nil, size, fault.New(op, fault.Busy, "fault.busy")
	}
	wait, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case s.desks <- struct{}{}:
		defer func() { <-s.desks }()
	case <-wait.Done():
		return nil, size, fault.New(op, fault.Busy, "fault.busy")
	}
	img, err := decode(bytes.NewReader(from))
	if err != nil {
		return nil, size, &fault.Error{Op: op, Kind: fault.Invalid, Key: "chat.photo_broken", Err: err}
	}
	drawn := shrink(img, mostSide)
	var b bytes.Buffer
	if err := jpeg.Encode(&b, drawn, &jpeg.Options{Quality: quality}); err != nil {
		return nil, size, fault.Wrap(op, err)
	}
	return b.Bytes(), drawn.Bounds().Size(), nil
}

// look finds out what a file is, and how large, before anything is unpacked.
func look(op string, from []byte) (decode func(io.Reader) (image.Image, error), err error) {
	var c image.Config
	switch {
	case bytes.HasPrefix(from, []byte("\xff\xd8\xff")):
		c, err = jpeg.DecodeConfig(bytes.NewReader(from))
		decode = jpeg.Decode
	case bytes.HasPrefix(from, []byte("\x89PNG\r\n\x1a\n")):
		c, err = png.DecodeConfig(bytes.NewReader(from))
		decode = png.Decode
	default:
		err = errors.New("neither JPEG nor PNG")
	}
	if err != nil {
		return nil, &fault.Error{Op: op, Kind: fault.Invalid, Key: "chat.photo_broken", Err: err}
	}
	if c.Width <= 0 || c.Height <= 0 || c.Width > mostPixels/c.Height || c.Width*c.Height*deep(c.ColorModel) > mostBytes {
		return nil, fault.New(op, fault.Invalid, "chat.photo_too_large")
	}
	return decode, nil
}

// deep is how many bytes a pixel takes, unpacked.
func deep(m color.Model) int {
	if m == color.RGBA64Model || m == color.NRGBA64Model || m == color.Gray16Model {
		return 8
	}
	return 4
}

// shrink draws img onto white with at most side pixels a side. A pixel is the mean
// of those that it stands for.
func shrink(img image.Image, side int) *image.RGBA {
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	if w <= side && h <= side {
		flat := image.NewRGBA(image.Rect(0, 0, w, h))
		draw.Draw(flat, flat.Bounds(), image.White, image.Point{}, draw.Src)
		draw.Draw(flat, flat.Bounds(), img, b.Min, draw.Over)
		return flat
	}
	tw, th := side, max(1, h*side/w)
	if h > w {
		tw, th = max(1, w*side/h), side
	}
	small := image.NewRGBA(image.Rect(0, 0, tw, th))
	for y := range th {
		top, low := b.Min.Y+y*h/th, b.Min.Y+max((y+1)*h/th, y*h/th+1)
		for x := range tw {
			left, right := b.Min.X+x*w/tw, b.Min.X+max((x+1)*w/tw, x*w/tw+1)
			small.SetRGBA(x, y, mean(img, left, top, right, low))
		}
	}
	return small
}

// mean is the mean colour of a rectangle of img on white.
func mean(img image.Image, left, top, right, low int) color.RGBA {
	var r, g, b, n uint64
	for y := top; y < low; y++ {
		for x := left; x < right; x++ {
			cr, cg, cb, ca := img.At(x, y).RGBA()
			white := uint64(0xffff - ca)
			r, g, b, n = r+uint64(cr)+white, g+uint64(cg)+white, b+uint64(cb)+white, n+1
		}
	}
	n *= 0x101
	return color.RGBA{uint8(r / n), uint8(g / n), uint8(b / n), 0xff} // #nosec G115 -- a mean of bytes is a byte
}
