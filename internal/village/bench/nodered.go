package bench

import (
	"context"
	_ "embed" // the Node.js file
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/keng-vn/keng/internal/village/radio"
)

// nodelay switches Nagle's delay off for every socket that Node opens.
//
//go:embed nodelay.cjs
var nodelay []byte

func findNodeRED(ctx context.Context, o Options) (string, error) {
	mosquitto, err := findMosquitto(ctx, o)
	if err != nil {
		return "", err
	}
	path, err := exec.LookPath(o.NodeRED)
	if err != nil {
		return "", fmt.Errorf("%s is not installed (make bench fetches it; else npm install node-red@4 and PATH)", o.NodeRED)
	}
	out, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("%s does not run: %w", path, err)
	}
	says := strings.Fields(string(out)) // Node-RED v4.1.8 Node.js v20.20.2 Linux...
	return mosquitto + ", " + strings.Join(says[:min(4, len(says))], " "), nil
}

func startNodeRED(ctx context.Context, s *site, dir string) (*front, error) {
	return startFlow(ctx, s, dir, mosquittoTuned, true)
}

func startNodeREDAsInstalled(ctx context.Context, s *site, dir string) (*front, error) {
	return startFlow(ctx, s, dir, mosquittoAsInstalled, false)
}

// startFlow starts Mosquitto and a Node-RED with one flow: a press comes in, a
// function makes a command for each siren of the group, they go out.
func startFlow(ctx context.Context, s *site, dir, config string, tuned bool) (*front, error) {
	broker, port, err := startMosquitto(ctx, s.Options, dir, config)
	if err != nil {
		return nil, err
	}
	f := &front{addr: fmt.Sprintf("127.0.0.1:%d", port), procs: []*child{broker}, ways: ways{
		press: func(g, _ int) radio.Message {
			return radio.Message{Topic: fmt.Sprintf("press/g%d", g+1), Payload: []byte(`{"event":"press"}`), QoS: 1}
		},
		hears: func(g, k int) string { return orderTopic(sirenName(g, k)) },
	}}
	red, err := launchFlow(ctx, s.Options, dir, port, tuned)
	if err == nil {
		f.procs = append(f.procs, red)
		err = flows(ctx, f, red)
	}
	if err != nil {
		f.stop()
		return nil, err
	}
	return f, nil
}

func launchFlow(ctx context.Context, o Options, dir string, port int, tuned bool) (*child, error) {
	ui, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	flow, err := json.Marshal(flowNodes(port))
	if err != nil {
		return nil, fmt.Errorf("write the flow: %w", err)
	}
	settings := fmt.Sprintf(`module.exports = {uiHost: "127.0.0.1", uiPort: %d, flowFile: "flows.json", credentialSecret: false,
telemetry: {enabled: false, updateNotification: false}, logging: {console: {level: "warn", metrics: false, audit: false}}};`, ui)
	files := map[string][]byte{"flows.json": flow, "settings.js": []byte(settings), "nodelay.cjs": nodelay}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return nil, fmt.Errorf("write %s: %w", name, err)
		}
	}
	path, err := exec.LookPath(o.NodeRED)
	if err != nil {
		return nil, fmt.Errorf("start node-red: %w", err)
	}
	env := []string{"NODE_ENV=production"}
	if tuned {
		env = append(env, "NODE_OPTIONS=--require "+filepath.Join(dir, "nodelay.cjs"))
	}
	return launch(ctx, order{name: "node-red", argv: []string{path, "--userDir", dir, "--settings", filepath.Join(dir, "settings.js")}, dir: dir, env: env})
}

// flowNodes is the flow, as Node-RED's editor would export it.
func flowNodes(port int) []map[string]any {
	function := fmt.Sprintf(`const group = msg.topic.split("/")[1];
const orders = [];
for (let home = 1; home <= %d; home++) orders.push({topic: "keng/" + group + "-h" + home + "-siren/set", payload: %q});
return [orders];`, Homes, soundOrder)
	return []map[string]any{
		{"id": "alarm", "type": "tab", "label": "alarm"},
		{"id": "broker", "type": "mqtt-broker", "name": "", "broker": "127.0.0.1", "port": fmt.Sprint(port), "clientid": "", "autoConnect": true, "usetls": false, "protocolVersion": "4", "keepalive": "60", "cleansession": true},
		{"id": "in", "type": "mqtt in", "z": "alarm", "topic": "press/+", "qos": "1", "datatype": "auto-detect", "broker": "broker", "inputs": 0, "wires": [][]string{{"fan"}}},
		{"id": "fan", "type": "function", "z": "alarm", "func": function, "outputs": 1, "wires": [][]string{{"out"}}},
		{"id": "out", "type": "mqtt out", "z": "alarm", "topic": "", "qos": "1", "retain": "false", "broker": "broker", "wires": [][]string{}},
	}
}

// flows waits until a press comes out as a command: the flow is deployed and
// connected. The group that tries it out does not exist.
func flows(ctx context.Context, f *front, red *child) error {
	const trial = 999_999
	var heard atomic.Bool
	c, err := radio.Dial(ctx, radio.Options{Addr: f.addr, ClientID: "trial", KeepAlive: time.Minute, Heard: func(string, []byte, bool) { heard.Store(true) }})
	if err != nil {
		return fmt.Errorf("try the flow: %w", err)
	}
	defer c.Disconnect()
	if err := c.Subscribe(ctx, f.ways.hears(trial, 0)); err != nil {
		return fmt.Errorf("try the flow: %w", err)
	}
	var failed error
	err = red.until(ctx, time.Minute, "pass a press on", func() bool {
		_, failed = c.Publish(f.ways.press(trial, 0))
		return heard.Load() || failed != nil
	})
	return errors.Join(err, failed)
}
