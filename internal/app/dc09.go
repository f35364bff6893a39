package app

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync"

	"github.com/keng-vn/keng/internal/dialect/dc09"
)

// startDC09 listens for alarm panels, when the operator wants it.
func (a *App) startDC09() error {
	if a.DC09 == "" {
		return nil
	}
	panels := a.Devices.Panels()
	a.dc09 = &dc09.Server{Handler: panels, Keys: panels.Key, Strange: panels.Strange, Now: a.Now}
	ln, err := net.Listen("tcp", a.DC09)
	if err != nil {
		return fmt.Errorf("listen for DC-09: %w", err)
	}
	pc, err := net.ListenPacket("udp", ln.Addr().String())
	if err != nil {
		return fmt.Errorf("listen for DC-09: %w", err)
	}
	a.dc09Ln = ln
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := a.dc09.Serve(ctx, ln); err != nil && ctx.Err() == nil {
			a.Log.Error("DC-09 over TCP stopped", slog.Any("err", err))
		}
	})
	wg.Go(func() {
		if err := a.dc09.ServePacket(ctx, pc); err != nil && ctx.Err() == nil {
			a.Log.Error("DC-09 over UDP stopped", slog.Any("err", err))
		}
	})
	a.later("dc09", func(context.Context) error { stop(); wg.Wait(); return nil })
	return nil
}

// DC09Addr is where alarm panels are listened to, once started.
func (a *App) DC09Addr() string { return addr(a.dc09Ln) }
