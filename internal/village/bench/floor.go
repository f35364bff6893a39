package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Floor is what the machine itself takes, measured before each run: no system
// that writes before it answers can be faster.
type Floor struct {
	Sync Spread `json:"sync"` // append 200 bytes and fdatasync, in the folder of the data
	TCP  Spread `json:"tcp"`  // 64 bytes there and back over loopback
}

func measureFloor(ctx context.Context, dir string, quick bool) (Floor, error) {
	n := 500
	if quick {
		n = 50
	}
	var f Floor
	times, err := syncs(filepath.Join(dir, "floor"), n)
	if err != nil {
		return f, fmt.Errorf("measure the disk: %w", err)
	}
	f.Sync = spread(times)
	if times, err = trips(ctx, 4*n); err != nil {
		return f, fmt.Errorf("measure loopback: %w", err)
	}
	f.TCP = spread(times)
	return f, nil
}

func syncs(path string, n int) (times []time.Duration, err error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(path)) }()
	entry := bytes.Repeat([]byte("k"), 200)
	for range n {
		start := time.Now()
		if _, err := f.Write(entry); err != nil {
			return nil, err
		}
		if err := syncData(f); err != nil {
			return nil, err
		}
		times = append(times, time.Since(start))
	}
	return times, nil
}

func trips(ctx context.Context, n int) (times []time.Duration, err error) {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	echoed := make(chan error, 1)
	go func() { echoed <- echo(ln) }()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", ln.Addr().String())
	if err != nil {
		return nil, errors.Join(err, ln.Close(), <-echoed)
	}
	defer func() { err = errors.Join(err, conn.Close(), ln.Close(), <-echoed) }()
	var b [64]byte
	for range n {
		start := time.Now()
		if _, err := conn.Write(b[:]); err != nil {
			return nil, err
		}
		if _, err := io.ReadFull(conn, b[:]); err != nil {
			return nil, err
		}
		times = append(times, time.Since(start))
	}
	return times, nil
}

// echo sends back what the first client of ln sends.
func echo(ln net.Listener) error {
	conn, err := ln.Accept()
	if err != nil {
		return nil // nobody came: the dialler says why
	}
	_, err = io.CopyBuffer(struct{ io.Writer }{conn}, struct{ io.Reader }{conn}, make([]byte, 64))
	return errors.Join(err, conn.Close())
}
