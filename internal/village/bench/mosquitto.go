package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/keng-vn/keng/internal/village/radio"
)

// mosquittoTuned is Mosquitto set up well for an alarm. It refuses nobody and
// drops nothing when a thousand presses come at once.
const mosquittoTuned = `listener %d 127.0.0.1
allow_anonymous true
persistence false
set_tcp_nodelay true
max_queued_messages 0
max_inflight_messages 1000
connection_messages false
log_type error
log_type warning
`

// mosquittoAsInstalled changes only where it listens, and that it lets devices in.
const mosquittoAsInstalled = `listener %d 127.0.0.1
allow_anonymous true
`

func findMosquitto(_ context.Context, o Options) (string, error) {
	path, err := exec.LookPath(o.Mosquitto)
	if err != nil {
		return "", fmt.Errorf("%s is not installed (Debian: apt install mosquitto)", o.Mosquitto)
	}
	// -h explains and exits 3, in every version.
	out, _ := exec.Command(path, "-h").Output()
	first, _, _ := strings.Cut(string(out), "\n")
	return strings.Replace(first, " version", "", 1), nil
}

// startMosquitto starts one with config, in which %d is its port.
func startMosquitto(ctx context.Context, o Options, dir, config string) (*child, int, error) {
	port, err := freePort(ctx)
	if err != nil {
		return nil, 0, err
	}
	conf := filepath.Join(dir, "mosquitto.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, config, port), 0o600); err != nil {
		return nil, 0, fmt.Errorf("start mosquitto: %w", err)
	}
	path, err := exec.LookPath(o.Mosquitto)
	if err != nil {
		return nil, 0, fmt.Errorf("start mosquitto: %w", err)
	}
	c, err := launch(ctx, order{name: "mosquitto", argv: []string{path, "-c", conf}, dir: dir})
	if err != nil {
		return nil, 0, err
	}
	if err := c.listens(ctx, fmt.Sprintf("127.0.0.1:%d", port)); err != nil {
		c.stop()
		return nil, 0, err
	}
	return c, port, nil
}

// startRaw is Mosquitto alone: the button publishes to the topic that the
// group's sirens hear.
func startRaw(ctx context.Context, s *site, dir string) (*front, error) {
	c, port, err := startMosquitto(ctx, s.Options, dir, mosquittoTuned)
	if err != nil {
		return nil, err
	}
	topic := func(g int) string { return fmt.Sprintf("ring/g%d", g+1) }
	return &front{addr: fmt.Sprintf("127.0.0.1:%d", port), procs: []*child{c}, ways: ways{
		press: func(g, _ int) radio.Message {
			return radio.Message{Topic: topic(g), Payload: []byte(soundOrder), QoS: 1}
		},
		hears: func(g, _ int) string { return topic(g) },
	}}, nil
}
