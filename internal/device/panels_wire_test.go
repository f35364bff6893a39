package device

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/keng-vn/keng/internal/dialect/dc09"
)

// frame puts CRC-16/ARC and length before a body, as a panel does.
func frame(body string) string {
	var crc uint16
	for _, c := range []byte(body) {
		crc ^= uint16(c)
		for range 8 {
			odd := crc & 1
			crc >>= 1
			if odd == 1 {
				crc ^= 0xA001
			}
		}
	}
	return fmt.Sprintf("%04X%04X%s", crc, len(body), body)
}

// exchange sends what a panel sends and returns the word of the answer.
func exchange(t *testing.T, s *dc09.Server, sends string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, l) }()
	defer func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if _, err := c.Write([]byte(sends)); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
	line, err := bufio.NewReader(c).ReadString('\r')
	if err != nil {
		t.Fatal(err)
	}
	_, word, _ := strings.Cut(line, `"`)
	word, _, _ = strings.Cut(word, `"`)
	return word
}
