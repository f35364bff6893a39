package broker

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

// crowdEnv makes the test binary a crowd of idle devices: "address count".
const crowdEnv = "KENG_BROKER_CROWD"

func TestMain(m *testing.M) {
	if crowd := os.Getenv(crowdEnv); crowd != "" {
		addr, count, _ := strings.Cut(crowd, " ")
		n, _ := strconv.Atoi(count)
		standCrowd(addr, n)
		return
	}
	os.Exit(m.Run())
}

// standCrowd signs n devices in, each with one subscription, says "ready" and
// stays until its input ends.
func standCrowd(addr string, n int) {
	var wg sync.WaitGroup
	conns := make([]net.Conn, n)
	turn := make(chan struct{}, 64)
	for i := range n {
		wg.Add(1)
		turn <- struct{}{}
		go func() {
			defer wg.Done()
			nc, err := net.Dial("tcp", addr)
			if err != nil {
				panic(err)
			}
			id := fmt.Sprintf("device-%05d", i)
			b := connectPacket(4, id, "alley", func(p *packets.Packet) { p.Connect.Keepalive = 600 })
			sub := append(appendText([]byte{0, 1}, "cmnd/"+id+"/POWER"), 1)
			b = append(b, append(appendUvarint([]byte{packets.Subscribe<<4 | 2}, len(sub)), sub...)...)
			if _, err := nc.Write(b); err != nil {
				panic(err)
			}
			if _, err := io.ReadFull(nc, make([]byte, 4+5)); err != nil {
				panic(err)
			}
			conns[i] = nc
			<-turn
		}()
	}
	wg.Wait()
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin)
	runtime.KeepAlive(conns)
}

// rss is the resident memory of this process, bytes.
func rss(b *testing.B) int {
	f, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip(err)
	}
	_, rest, _ := bytes.Cut(f, []byte("VmRSS:"))
	kb, err := strconv.Atoi(string(bytes.Fields(rest)[0]))
	if err != nil {
		b.Fatal(err)
	}
	return kb << 10
}

// BenchmarkIdleDevices measures the resident memory that 10,000 idle devices
// with one subscription each add to this process. The devices are another
// process. Run it with -benchtime=1x.
func BenchmarkIdleDevices(b *testing.B) {
	const crowd = 10_000
	for b.Loop() {
		r := newRig(b, &ear{accounts: map[string]Account{"alley": {Space: "alley"}}, more: make(chan struct{})}, Settings{})
		r.h = quiet{r.ear}
		debug.FreeOSMemory()
		before := rss(b)
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d", crowdEnv, r.addr, crowd))
		in, _ := cmd.StdinPipe()
		out, _ := cmd.StdoutPipe()
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		if line, _ := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
			b.Fatalf("crowd said %q", line)
		}
		if n := r.Stats().Connections; n != crowd {
			b.Fatalf("%d connections", n)
		}
		asIs := rss(b)
		debug.FreeOSMemory()
		b.ReportMetric(float64(asIs-before)/crowd, "rss-bytes/device")
		b.ReportMetric(float64(rss(b)-before)/crowd, "rss-bytes/device-after-gc")
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(m.StackInuse)/crowd, "stack-bytes/device")
		b.ReportMetric(float64(m.HeapAlloc)/crowd, "heap-bytes/device")
		in.Close()
		_ = cmd.Wait()
	}
}

// quiet is an ear that remembers nothing.
type quiet struct{ *ear }

func (quiet) Publish(_ Publish, done func())   { done() }
func (quiet) Connected(Space, string)          {}
func (quiet) Gone(Space, string, bool)         {}
func (quiet) Subscribed(Space, string, string) {}

// BenchmarkPressToSeven measures one press, QoS 1, until the last of seven
// sirens has its command, QoS 1, all over loopback: through this front, whose
// handler sends the commands, and through a plain Mosquitto that fans the press
// out. The clients are part of this process, and with keng the server too.
func BenchmarkPressToSeven(b *testing.B) {
	b.Run("keng", func(b *testing.B) {
		e := newEar()
		r := newRig(b, e, Settings{})
		command := []byte(`{"warning":{"mode":"emergency","duration":180}}`)
		r.h = presser{quiet{e}, func() { r.Send("alley", "siren/set", command, time.Minute, nil) }}
		pressToSeven(b, r)
	})
	b.Run("mosquitto", func(b *testing.B) {
		pressToSeven(b, startMosquitto(b).tools())
	})
}

// presser rings at every message on "press".
type presser struct {
	quiet
	ring func()
}

func (p presser) Publish(m Publish, done func()) {
	if m.Topic == "press" {
		p.ring()
	}
	done()
}

func pressToSeven(b *testing.B, r *rig) {
	const sirens = 7
	got := make(chan struct{}, sirens)
	topic := "siren/set"
	if r.Listener == nil {
		topic = "press" // the broker only fans out
	}
	for i := range sirens {
		c := r.enter(b, 4, fmt.Sprint("siren-", i), "alley", nil)
		c.subscribe(false, topic, 1)
		_ = c.nc.SetReadDeadline(time.Time{})
		go func() {
			for {
				p, err := readWhole(c.r)
				if err != nil {
					return
				}
				got <- struct{}{}
				at := 4 + len(topic)
				_, _ = c.nc.Write([]byte{packets.Puback << 4, 2, p[at], p[at+1]})
			}
		}()
	}
	button := r.enter(b, 4, "button", "alley", nil)
	press := publishPacket("press", []byte(`{"action":"emergency","battery":97,"linkquality":120}`), 1, false, 1)
	var took []time.Duration
	for b.Loop() {
		began := time.Now()
		button.write(press...)
		for range sirens {
			<-got
		}
		took = append(took, time.Since(began))
		button.next()
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2])/1e3, "p50-us")
	b.ReportMetric(float64(took[len(took)*99/100])/1e3, "p99-us")
}

// BenchmarkSendSeven measures one Send to seven clients over loopback, until the
// last of them has the whole packet.
func BenchmarkSendSeven(b *testing.B) {
	r := newRig(b, newEar(), Settings{})
	r.h = quiet{r.ear}
	const sirens = 7
	got := make(chan time.Time, sirens)
	for i := range sirens {
		c := r.enter(b, 4, fmt.Sprint("siren-", i), "alley", nil)
		c.subscribe(false, "zigbee2mqtt/siren/set", 1)
		go func() {
			for {
				_ = c.nc.SetReadDeadline(time.Time{})
				p, err := readWhole(c.r)
				if err != nil {
					return
				}
				at := 2 + 2 + len("zigbee2mqtt/siren/set")
				_, _ = c.nc.Write([]byte{packets.Puback << 4, 2, p[at], p[at+1]})
				got <- time.Now()
			}
		}()
	}
	payload := []byte(`{"warning":{"mode":"emergency","level":"very_high","strobe":true,"duration":180}}`)
	b.ReportAllocs()
	for b.Loop() {
		if n := r.Send("alley", "zigbee2mqtt/siren/set", payload, time.Minute, nil); n != sirens {
			b.Fatalf("sent to %d", n)
		}
		for range sirens {
			<-got
		}
	}
}
