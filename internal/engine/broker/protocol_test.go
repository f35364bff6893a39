package broker

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mochi-mqtt/server/v2/packets"
)

func TestConnectIsAnsweredAsTheStandardSays(t *testing.T) {
	change := func(f func(*packets.ConnectParams)) func(*packets.Packet) {
		return func(p *packets.Packet) { f(&p.Connect) }
	}
	for _, tt := range []struct {
		name    string
		version byte
		user    string
		edit    func(*packets.Packet)
		want    []byte // the beginning of the answer; nil: closed without a word
	}{
		{"welcome", 4, "alley", nil, []byte{0x20, 2, 0, 0}},
		{"unknown user", 4, "nobody", nil, []byte{0x20, 2, 0, 4}},
		{"unknown user", 5, "nobody", nil, []byte{0x20, 3, 0, 0x86, 0}},
		{"wrong password", 4, "alley", change(func(c *packets.ConnectParams) { c.Password = []byte("x") }), []byte{0x20, 2, 0, 4}},
		{"wrong password", 5, "alley", change(func(c *packets.ConnectParams) { c.Password = []byte("x") }), []byte{0x20, 3, 0, 0x86, 0}},
		{"no credentials", 4, "alley", change(func(c *packets.ConnectParams) { c.UsernameFlag, c.PasswordFlag = false, false }), []byte{0x20, 2, 0, 4}},
		{"password without user", 4, "alley", change(func(c *packets.ConnectParams) { c.UsernameFlag = false }), nil},
		{"no ID, not clean", 4, "alley", change(func(c *packets.ConnectParams) { c.ClientIdentifier, c.Clean = "", false }), []byte{0x20, 2, 0, 2}},
		{"long ID", 5, "alley", change(func(c *packets.ConnectParams) { c.ClientIdentifier = strings.Repeat("x", 1025) }), []byte{0x20, 3, 0, 0x85, 0}},
		{"MQTT 3.1", 3, "alley", change(func(c *packets.ConnectParams) { c.ProtocolName = []byte("MQIsdp") }), []byte{0x20, 2, 0, 1}},
		{"MQTT 6", 6, "alley", nil, []byte{0x20, 3, 0, 0x84, 0}},
		{"another protocol", 4, "alley", change(func(c *packets.ConnectParams) { c.ProtocolName = []byte("HTTP") }), nil},
		{"ID with NUL", 4, "alley", change(func(c *packets.ConnectParams) { c.ClientIdentifier = "a\x00b" }), nil},
		{"ID not UTF-8", 5, "alley", change(func(c *packets.ConnectParams) { c.ClientIdentifier = "a\xffb" }), []byte{0x20, 3, 0, 0x81, 0}},
		{"will QoS 3", 5, "alley", change(func(c *packets.ConnectParams) { c.WillFlag, c.WillTopic, c.WillQos = true, "w", 3 }), []byte{0x20, 3, 0, 0x81, 0}},
		{"will with wildcard", 5, "alley", change(func(c *packets.ConnectParams) { c.WillFlag, c.WillTopic = true, "w/#" }), []byte{0x20, 3, 0, 0x90, 0}},
		{"authentication method", 5, "alley", func(p *packets.Packet) { p.Properties.AuthenticationMethod = "SCRAM" }, []byte{0x20, 3, 0, 0x8C, 0}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, newEar(), Settings{})
			c := r.dial(t)
			c.write(connectPacket(tt.version, "me", tt.user, tt.edit)...)
			if tt.name == "welcome" {
				c.want(tt.want...)
				return
			}
			if got := c.wantEnd(); !bytes.Equal(got, tt.want) {
				t.Errorf("got % x, want % x", got, tt.want)
			}
			c.nc.Close()
			if s := r.Stats(); s.SignedIn != 0 || len(s.Refused) != 1 {
				t.Errorf("stats %+v", s)
			}
		})
	}
}

func TestWelcomeSaysWhatHolds(t *testing.T) {
	r := newRig(t, newEar(), Settings{ReceiveMax: 7, Device: Bounds{Packet: 5000}})
	for _, tt := range []struct {
		user, id string
		keep     uint16
		want     packets.Properties
	}{
		{"alley", "me", 60, packets.Properties{ReceiveMaximum: 7, MaximumPacketSize: 4 << 20}},
		{"plug", "me", 300, packets.Properties{ReceiveMaximum: 7, MaximumPacketSize: 5000}},
		{"plug", "me", 0, packets.Properties{ReceiveMaximum: 7, MaximumPacketSize: 5000, ServerKeepAlive: 300, ServerKeepAliveFlag: true}},
		{"plug", "me", 900, packets.Properties{ReceiveMaximum: 7, MaximumPacketSize: 5000, ServerKeepAlive: 300, ServerKeepAliveFlag: true}},
		{"alley", "", 60, packets.Properties{ReceiveMaximum: 7, MaximumPacketSize: 4 << 20, AssignedClientID: "keng-"}},
	} {
		c := r.dial(t)
		c.write(connectPacket(5, tt.id, tt.user, func(p *packets.Packet) {
			p.Connect.Keepalive = tt.keep
			p.Connect.Clean = false
			p.Properties.SessionExpiryInterval, p.Properties.SessionExpiryIntervalFlag = 3600, true
		})...)
		ack := packets.Packet{ProtocolVersion: 5, FixedHeader: packets.FixedHeader{Type: packets.Connack}}
		if err := ack.ConnackDecode(c.next()[2:]); err != nil {
			t.Fatal(err)
		}
		tt.want.SubIDAvailableFlag, tt.want.SharedSubAvailableFlag, tt.want.SessionExpiryIntervalFlag = true, true, true
		id, _, _ := strings.Cut(ack.Properties.AssignedClientID, "-")
		if id != "" {
			ack.Properties.AssignedClientID = id + "-"
		}
		if d := cmp.Diff(tt.want, ack.Properties); d != "" || ack.SessionPresent || ack.ReasonCode != 0 {
			t.Errorf("%+v: present %v, code %d, %s", tt, ack.SessionPresent, ack.ReasonCode, d)
		}
	}
}

func TestBrokenPacketsEndTheConnectionWithTheRightReason(t *testing.T) {
	for _, tt := range []struct {
		name   string
		packet []byte
		want   reason
	}{
		{"second CONNECT", connectPacket(5, "me", "alley", nil), violation},
		{"AUTH", []byte{0xf0, 0}, violation},
		{"reserved packet", []byte{0x00, 0}, violation},
		{"CONNACK from a client", []byte{0x20, 0}, violation},
		{"QoS 3", []byte{0x36, 6, 0, 1, 'a', 0, 1, 0}, malformed},
		{"DUP at QoS 0", []byte{0x38, 4, 0, 1, 'a', 0}, malformed},
		{"packet ID 0", []byte{0x32, 6, 0, 1, 'a', 0, 0, 0}, violation},
		{"no topic", []byte{0x30, 3, 0, 0, 0}, wrongTopic},
		{"topic alias", []byte{0x30, 6, 0, 0, 3, 0x23, 0, 1}, wrongAlias},
		{"wildcard +", []byte{0x30, 4, 0, 1, '+', 0}, wrongTopic},
		{"wildcard #", []byte{0x30, 6, 0, 3, 'a', '/', '#', 0}, wrongTopic},
		{"NUL in topic", []byte{0x30, 4, 0, 1, 0, 0}, malformed},
		{"topic not UTF-8", []byte{0x30, 5, 0, 2, 0xc3, 0x28, 0}, malformed},
		{"surrogate in topic", []byte{0x30, 6, 0, 3, 0xed, 0xa0, 0x80, 0}, malformed},
		{"topic longer than the packet", []byte{0x30, 4, 0, 9, 'a', 0}, malformed},
		{"properties longer than the packet", []byte{0x30, 4, 0, 1, 'a', 9}, malformed},
		{"property that is not for PUBLISH", []byte{0x30, 6, 0, 1, 'a', 2, 0x24, 1}, malformed},
		{"subscription ID from a client", []byte{0x30, 6, 0, 1, 'a', 2, 0x0b, 1}, violation},
		{"long topic", publish5(strings.Repeat("x", maxTopic+1), ""), wrongTopic},
		{"length of five bytes", []byte{0x30, 0xff, 0xff, 0xff, 0xff, 1}, malformed},
		{"SUBSCRIBE without options byte", []byte{0x82, 6, 0, 1, 0, 0, 1, 'a'}, malformed},
		{"SUBSCRIBE without filter", []byte{0x82, 3, 0, 1, 0}, violation},
		{"SUBSCRIBE with flags 0", []byte{0x80, 7, 0, 1, 0, 0, 1, 'a', 0}, malformed},
		{"SUBSCRIBE at QoS 3", []byte{0x82, 7, 0, 1, 0, 0, 1, 'a', 3}, malformed},
		{"SUBSCRIBE with reserved option", []byte{0x82, 7, 0, 1, 0, 0, 1, 'a', 0x40}, malformed},
		{"SUBSCRIBE with retain handling 3", []byte{0x82, 7, 0, 1, 0, 0, 1, 'a', 0x30}, malformed},
		{"SUBSCRIBE with an identifier", []byte{0x82, 9, 0, 1, 2, 0x0b, 1, 0, 1, 'a', 0}, noSubscriptionID},
		{"UNSUBSCRIBE without filter", []byte{0xa2, 3, 0, 1, 0}, violation},
		{"PUBACK too short", []byte{0x40, 1, 0}, malformed},
		{"PUBREC", []byte{0x50, 2, 0, 1}, violation},
		{"PINGREQ with flags", []byte{0xc1, 0}, malformed},
		{"too large", append([]byte{0x30, 0x81, 0x80, 0x80, 2}, 0, 1, 'a', 0), tooLarge},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, newEar(), Settings{})
			c := r.enter(t, 5, "me", "alley", nil)
			c.write(tt.packet...)
			if got, want := c.wantEnd(), tt.want.bye(true); !bytes.Equal(got, want) {
				t.Errorf("got % x, want % x", got, want)
			}
			c.nc.Close()
			r.ear.untilEvent(t, "gone alley me false")
			if d := cmp.Diff(map[string]uint64{tt.want.name(): 1}, r.Stats().Refused); d != "" {
				t.Errorf("refused: %s", d)
			}
			if n := len(r.ear.messages()); n != 0 {
				t.Errorf("handler heard %d messages", n)
			}
		})
	}
}

func TestLibraryThatPanicsOnACutSubscribeIsNotAsked(t *testing.T) {
	// The bytes that make SubscribeDecode of the codec library index past its end.
	_, _, err := decodeSubscribe([]byte{0, 1, 0, 0, 1, 'a'}, true)
	if err != malformed {
		t.Errorf("got %v", err)
	}
}

func TestPacketsAreBounded(t *testing.T) {
	r := newRig(t, newEar(), Settings{Hub: Bounds{Packet: 100_000}, Device: Bounds{Packet: 50_000}})
	t.Run("before sign-in", func(t *testing.T) {
		c := r.dial(t)
		c.write(connectPacket(4, "me", "alley", func(p *packets.Packet) {
			p.Connect.WillFlag, p.Connect.WillTopic, p.Connect.WillPayload = true, "w", make([]byte, 65_535)
		})...)
		if b := c.wantEnd(); b != nil {
			t.Errorf("got % x", b)
		}
	})
	for _, tt := range []struct {
		user string
		size int
		fits bool
	}{{"alley", 100_000, true}, {"alley", 100_001, false}, {"plug", 50_000, true}, {"plug", 50_001, false}} {
		c := r.enter(t, 4, "me", tt.user, nil)
		payload := bytes.Repeat([]byte{'x'}, tt.size-4-2-len("stat/plug")-2)
		c.write(publishPacket("stat/plug", payload, 1, false, 1)...)
		if !tt.fits {
			if b := c.wantEnd(); b != nil {
				t.Errorf("%s, %d: got % x", tt.user, tt.size, b)
			}
			continue
		}
		c.want(puback(1)...)
		got := r.ear.messages()
		if !bytes.Equal(got[len(got)-1].Payload, payload) {
			t.Errorf("%s, %d: payload came changed", tt.user, tt.size)
		}
	}
}

func TestReasonIsNotDestroyedByWhatTheClientGoesOnSending(t *testing.T) {
	r := newRig(t, newEar(), Settings{})
	c := r.enter(t, 5, "me", "alley", nil)
	c.write(0x30, 0x80, 0x80, 0x80, 4) // eight megabytes
	c.want(tooLarge.bye(true)...)
	if b := c.next(); b != nil {
		t.Errorf("got % x", b)
	}
	// Had the server closed its side too, it would answer this with a reset,
	// which overtakes a goodbye that is still on its way.
	for range 64 {
		if _, err := c.nc.Write(make([]byte, 4096)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPacketsComeWholeHoweverTheyAreCut(t *testing.T) {
	r := newRig(t, newEar(), Settings{})
	c := r.enter(t, 4, "me", "alley", nil)
	var stream []byte
	sizes := []int{0, 1, 200, 249, 250, 251, 252, 253, 254, 255, 256, 257, 300, 4095, 4096, 4097, 9000, 70_000}
	for i, n := range sizes {
		stream = append(stream, publishPacket("t", bytes.Repeat([]byte{byte('a' + i)}, n), 1, false, uint16(i+1))...)
	}
	for step := 1; len(stream) > 0; step = step*3%1009 + 1 {
		n := min(step, len(stream))
		c.write(stream[:n]...)
		stream = stream[n:]
	}
	for i := range sizes {
		c.want(puback(uint16(i + 1))...)
	}
	for i, m := range r.ear.messages() {
		if !bytes.Equal(m.Payload, bytes.Repeat([]byte{byte('a' + i)}, sizes[i])) {
			t.Errorf("message %d of %d bytes came changed", i, sizes[i])
		}
	}
}

func TestClaimOfAMegabyteCostsNothing(t *testing.T) {
	const clients = 64
	r := newRig(t, newEar(), Settings{})
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	for i := range clients {
		c := r.enter(t, 4, fmt.Sprint(i), "alley", nil)
		c.write(0x30, 0xf0, 0xff, 0x3f) // 1,048,560 bytes are to follow
		c.write(make([]byte, 300)...)
	}
	eventually(t, "the claims to be read", func() bool { return r.Stats().BytesIn > clients<<20-clients<<10 })
	if grown := int64(heap() - before); grown > clients*32<<10 {
		t.Errorf("%d bytes for each client", grown/clients)
	}
}

func TestSilentClientIsCutAfterOneAndAHalfKeepAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEar()
		p := newPipe(t, e, Settings{}) // keep alive 60 s
		time.Sleep(89 * time.Second)
		p.write(packets.Pingreq<<4, 0)
		p.want(packets.Pingresp<<4, 0)
		began := time.Now()
		p.want(silentTooLong.bye(true)...)
		if d := time.Since(began); d != 90*time.Second {
			t.Errorf("cut after %v of silence", d)
		}
		e.untilEvent(t, "gone alley hub false")
		p.close()
	})
}

func TestClientWithoutKeepAliveIsCutAfterTheDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := Listen(newEar(), Settings{KeepAlive: 5 * time.Minute})
		c := l.pipe(t)
		c.write(connectPacket(4, "me", "alley", func(p *packets.Packet) { p.Connect.Keepalive = 0 })...)
		c.want(0x20, 2, 0, 0)
		began := time.Now()
		if b := c.next(); b != nil {
			t.Errorf("got % x", b)
		}
		if d := time.Since(began); d != 450*time.Second {
			t.Errorf("cut after %v", d)
		}
		(&pipe{c, l}).close()
	})
}

func TestConnectMustComeWithinTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := Listen(newEar(), Settings{})
		c := l.pipe(t)
		began := time.Now()
		c.write(0x10) // a byte does not buy time
		time.Sleep(9 * time.Second)
		c.write(20)
		if b := c.next(); b != nil {
			t.Errorf("got % x", b)
		}
		if d := time.Since(began); d != 10*time.Second {
			t.Errorf("cut after %v", d)
		}
		(&pipe{c, l}).close()
	})
}

func TestTooManyConnectionsAreTurnedAway(t *testing.T) {
	r := newRig(t, newEar(), Settings{MaxConns: 1})
	in := r.enter(t, 4, "one", "alley", nil)
	if b := r.dial(t).wantEnd(); b != nil {
		t.Errorf("got % x", b)
	}
	in.write(packets.Pingreq<<4, 0)
	in.want(packets.Pingresp<<4, 0)
}
