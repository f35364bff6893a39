//go:build unix

package broker

import (
	"net"
	"syscall"
)

// tryWrite writes what a TCP socket takes without waiting and returns how much
// that was. Other sockets take nothing this way.
func tryWrite(nc net.Conn, b []byte) (n int) {
	t, ok := nc.(*net.TCPConn)
	if !ok {
		return 0
	}
	raw, err := t.SyscallConn()
	if err != nil {
		return 0
	}
	_ = raw.Write(func(fd uintptr) bool { // what fails here fails again where it is told
		n, _ = syscall.Write(int(fd), b)
		return true
	})
	return max(n, 0)
}
