package web

import (
	"net"
	"net/http"
	"sync"
	"syscall"
)

// crowd bounds how many connections browsers and programs hold, so that devices
// always find a file descriptor. When it is full, whoever has been silent for
// longest goes: connections that have not asked anything yet, then idle ones. Who
// is being answered stays.
type crowd struct {
	most int

	mu    sync.Mutex
	turn  uint64
	conns map[net.Conn]place
}

// place is where a connection stands in the queue of those who may go.
type place struct {
	state http.ConnState
	turn  uint64
}

// mostConns is half of the file descriptors that this process may have: the rest
// is for devices and the disk.
func mostConns() int {
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r); err != nil {
		return 512
	}
	return int(min(r.Cur, 1<<17) / 2)
}

func newCrowd(most int) *crowd { return &crowd{most: most, conns: map[net.Conn]place{}} }

// note is for [http.Server.ConnState].
func (c *crowd) note(conn net.Conn, s http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch s {
	case http.StateClosed, http.StateHijacked:
		delete(c.conns, conn)
		return
	}
	c.turn++
	c.conns[conn] = place{s, c.turn}
	if s == http.StateNew && len(c.conns) > c.most {
		c.drop(conn)
	}
}

// drop closes the one who has been silent for longest, but not the newest.
func (c *crowd) drop(newest net.Conn) {
	var out net.Conn
	var at place
	for conn, p := range c.conns {
		if conn == newest || p.state == http.StateActive {
			continue
		}
		if out == nil || p.state < at.state || p.state == at.state && p.turn < at.turn { // StateNew < StateIdle
			out, at = conn, p
		}
	}
	if out == nil { // everybody is being answered
		out = newest
	}
	delete(c.conns, out)
	_ = out.Close() // the server notices
}
