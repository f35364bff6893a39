//go:build unix

package bench

import (
	"fmt"
	"syscall"
)

// raiseLimit lets this process and its children open as many files as the
// machine allows, and returns how many. Without an explicit call Go would give
// the children the old limit.
func raiseLimit() (uint64, error) {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 0, fmt.Errorf("read the limit of open files: %w", err)
	}
	l.Cur = l.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 0, fmt.Errorf("raise the limit of open files: %w", err)
	}
	return l.Cur, nil
}
