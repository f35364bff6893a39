package broker

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mochi-mqtt/server/v2/packets"
)

// none proves that nothing is on its way to c: what is routed before a ping is
// answered before it or was never sent.
func (c *raw) none() {
	c.t.Helper()
	c.write(packets.Pingreq<<4, 0)
	c.want(packets.Pingresp<<4, 0)
}

// stored is the 3.1.1 PUBLISH of a retained QoS 0 message.
func stored(topic, payload string) []byte { return publishPacket(topic, []byte(payload), 0, true, 0) }

func TestSpacesNeverMeet(t *testing.T) {
	r := newRig(t, newEar(), Settings{})
	withWill := func(p *packets.Packet) {
		p.Connect.WillFlag, p.Connect.WillTopic, p.Connect.WillPayload, p.Connect.WillRetain = true, "state", []byte("offline"), true
	}
	a := r.enter(t, 4, "same-id", "alley", withWill)
	b := r.enter(t, 4, "same-id", "lane", nil)
	b.subscribe(false, "#", 1)
	a.write(publishPacket("zigbee2mqtt/bell", []byte("on"), 1, true, 1)...)
	a.want(puback(1)...)
	r.Send("alley", "zigbee2mqtt/bell/set", []byte("on"), 0, nil)
	r.Retain("alley", "homeassistant/x/config", []byte("{}"))
	a.nc.Close()
	r.ear.untilEvent(t, "gone alley same-id false")
	b.none()
	late := r.enter(t, 4, "late", "lane", nil)
	if got := late.subscribe(false, "#", 1); !bytes.Equal(got, []byte{0x90, 3, 0, 9, 1}) {
		t.Errorf("suback % x", got)
	}
	late.none()
	own := r.enter(t, 4, "own", "alley", nil)
	own.subscribe(false, "#", 0)
	got := []string{string(own.next()), string(own.next()), string(own.next())}
	slices.Sort(got)
	want := []string{
		string(stored("state", "offline")),
		string(stored("zigbee2mqtt/bell", "on")),
		string(stored("homeassistant/x/config", "{}")),
	}
	slices.Sort(want)
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestClientsOfOneSpaceHearEachOther(t *testing.T) {
	r := newRig(t, newEar(), Settings{})
	ha := r.enter(t, 4, "homeassistant", "alley", nil)
	z2m := r.enter(t, 5, "zigbee2mqtt", "alley", nil)
	ha.subscribe(false, "zigbee2mqtt/#", 0)
	ha.subscribe(false, "zigbee2mqtt/+", 2) // overlaps: still heard once, at the higher QoS, granted as 1
	z2m.subscribe(true, "zigbee2mqtt/+/set", 1)
	ha.write(publishPacket("zigbee2mqtt/lamp/set", []byte("ON"), 0, false, 0)...)
	want := publish5("zigbee2mqtt/lamp/set", "ON")
	z2m.want(want...)
	ha.want(publishPacket("zigbee2mqtt/lamp/set", []byte("ON"), 0, false, 0)...) // its own, by the first filter
	z2m.write(packets.Publish<<4|4, 22, 0, 16)
	z2m.write([]byte("zigbee2mqtt/lamp\x00\x05\x00!")...)
	z2m.want(packets.Pubrec<<4, 2, 0, 5)
	ha.want(publishPacket("zigbee2mqtt/lamp", []byte("!"), 1, false, 1)...)
	ha.none()
}

func TestHandlerHearsBeforeOtherClients(t *testing.T) {
	e := newEar()
	r := newRig(t, e, Settings{})
	c := r.enter(t, 4, "c", "alley", nil)
	c.subscribe(false, "press", 0)
	e.onPub = func(_ Publish, done func()) {
		r.Send("alley", "press", []byte("rings"), 0, nil) // what Keng sends because of it
		done()
	}
	r.enter(t, 4, "button", "alley", nil).write(publishPacket("press", []byte("x"), 0, false, 0)...)
	c.want(publishPacket("press", []byte("rings"), 0, false, 0)...)
	c.want(publishPacket("press", []byte("x"), 0, false, 0)...)
}

func TestPropertiesPassBetweenNewClients(t *testing.T) {
	r := newRig(t, newEar(), Settings{})
	a := r.enter(t, 5, "a", "alley", nil)
	b := r.enter(t, 5, "b", "alley", nil)
	old := r.enter(t, 4, "old", "alley", nil)
	b.subscribe(true, "t", 0)
	old.subscribe(false, "t", 0)
	sent := packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Publish}, ProtocolVersion: 5,
		Mods: packets.Mods{AllowResponseInfo: true}, TopicName: "t", Payload: []byte("x"),
		Properties: packets.Properties{
			PayloadFormat: 1, PayloadFormatFlag: true, MessageExpiryInterval: 60, ContentType: "text/plain",
			ResponseTopic: "answer", CorrelationData: []byte{1, 2}, User: []packets.UserProperty{{Key: "k", Val: "v"}, {Key: "k", Val: "w"}},
		},
	}
	var buf bytes.Buffer
	if err := sent.PublishEncode(&buf); err != nil {
		t.Fatal(err)
	}
	a.write(buf.Bytes()...)
	got := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Publish}, ProtocolVersion: 5}
	if err := got.PublishDecode(b.next()[2:]); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(sent.Properties, got.Properties); d != "" {
		t.Error(d)
	}
	old.want(publishPacket("t", []byte("x"), 0, false, 0)...)
}

func TestRetainedMessageExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, newEar(), Settings{})
		p.write(0x31, 10, 0, 1, 't', 5, 2, 0, 0, 0, 10, 'x') // expires in 10 s
		time.Sleep(4 * time.Second)
		sub := []byte{0x82, 7, 0, 9, 0, 0, 1, 't', 0}
		p.write(sub...)
		p.want(0x90, 4, 0, 9, 0, 0)
		p.want(0x31, 10, 0, 1, 't', 5, 2, 0, 0, 0, 6, 'x')
		time.Sleep(6 * time.Second)
		p.write(sub...)
		p.want(0x90, 4, 0, 9, 0, 0)
		p.none()
		p.close()
	})
}

func TestRetainHandlingAndFlagAsPublished(t *testing.T) {
	r := newRig(t, newEar(), Settings{})
	r.Retain("alley", "t", []byte("old"))
	c := r.enter(t, 5, "c", "alley", nil)
	keptOne := append(publish5("t", "old")[1:], 0)
	keptOne = append([]byte{0x31}, keptOne[:len(keptOne)-1]...)
	c.subscribe(true, "t", 0x20) // never
	c.none()
	c.subscribe(true, "t", 0x10) // only when new, which it is not
	c.none()
	c.subscribe(true, "t", 0x00)
	c.want(keptOne...)
	c.subscribe(true, "+", 0x10) // new
	c.want(keptOne...)
	c.write(append([]byte{0x31}, publish5("t", "live")[1:]...)...)
	c.want(publish5("t", "live")...) // the flag is for stored ones
	c.subscribe(true, "t", optAsPublished|0x20)
	c.write(append([]byte{0x31}, publish5("t", "live")[1:]...)...)
	c.want(append([]byte{0x31}, publish5("t", "live")[1:]...)...)
	c.subscribe(true, "t", optNoLocal|0x20)
	c.subscribe(true, "+", optNoLocal|0x20)
	c.write(publish5("t", "mine")...)
	c.none()
	r.Send("alley", "t", []byte("keng"), 0, nil)
	c.want(publish5("t", "keng")...)
}

func TestRetainedIsReplacedRemovedAndBounded(t *testing.T) {
	r := newRig(t, newEar(), Settings{KeptCount: 2, KeptBytes: 1000})
	r.Retain("alley", "a", []byte("1"))
	r.Retain("alley", "a", []byte("2"))
	r.Retain("alley", "b", []byte("1"))
	r.Retain("alley", "c", []byte("1")) // one too many
	r.Retain("alley", "b", nil)
	r.Retain("alley", "d", make([]byte, 1000)) // too large
	c := r.enter(t, 4, "c", "alley", nil)
	c.subscribe(false, "#", 0)
	c.want(stored("a", "2")...)
	c.none()
	if n := r.Stats().NotStored; n != 2 {
		t.Errorf("not stored: %d", n)
	}
	r.Retain("alley", "a", nil)
	c.want(publishPacket("a", nil, 0, false, 0)...)
	s := r.space("alley")
	if s.keptCount != 0 || s.keptBytes != 0 || len(s.kept.kids) != 0 {
		t.Errorf("left behind: %d messages, %d bytes, %d branches", s.keptCount, s.keptBytes, len(s.kept.kids))
	}
}

func TestSameClientIDTakesOverAndTheOldWillComesFirst(t *testing.T) {
	e := newEar()
	r := newRig(t, e, Settings{})
	withWill := func(p *packets.Packet) {
		p.Connect.WillFlag, p.Connect.WillTopic, p.Connect.WillPayload, p.Connect.WillRetain = true, "lwt", []byte("off"), true
	}
	old := r.enter(t, 5, "plug", "alley", withWill)
	old.write(append([]byte{0x31}, publish5("lwt", "on")[1:]...)...)
	e.untilEvent(t, "publish alley plug lwt=on")
	fresh := r.enter(t, 5, "plug", "alley", withWill)
	fresh.write(append([]byte{0x31}, publish5("lwt", "on")[1:]...)...)
	e.until(t, "second on", func(events []string) bool { return len(events) == 6 })
	want := []string{
		"connected alley plug", "publish alley plug lwt=on",
		"publish alley plug lwt=off", "gone alley plug false",
		"connected alley plug", "publish alley plug lwt=on",
	}
	if d := cmp.Diff(want, e.events); d != "" {
		t.Error(d)
	}
	if got, want := old.wantEnd(), takenOver.bye(true); !bytes.Equal(got, want) {
		t.Errorf("old client got % x, want % x", got, want)
	}
	c := r.enter(t, 4, "c", "alley", nil)
	c.subscribe(false, "lwt", 0)
	c.want(stored("lwt", "on")...)
}

func TestDeviceCannotPushTheHubOffByItsClientID(t *testing.T) {
	e := newEar()
	r := newRig(t, e, Settings{})
	hub := r.enter(t, 4, "zigbee2mqtt", "alley", nil)
	plug := r.enter(t, 4, "zigbee2mqtt", "plug", nil)
	hub.none()
	plug.nc.Close()
	e.untilEvent(t, "gone alley zigbee2mqtt false")
	hub.none()
	if n := r.Stats().Connections; n != 1 {
		t.Errorf("%d connections", n)
	}
}

func TestManyTakeoversLeaveOneClient(t *testing.T) {
	e := newEar()
	r := newRig(t, e, Settings{})
	const n = 30
	for range n {
		c := r.dial(t)
		c.write(connectPacket(4, "same", "alley", nil)...)
	}
	e.until(t, "all but one to be gone", func(events []string) bool {
		in := 0
		for _, x := range events {
			switch x {
			case "connected alley same":
				if in++; in > 1 {
					t.Fatal("two at a time")
				}
			case "gone alley same false":
				in--
			}
		}
		return len(events) == 2*n-1
	})
}

func TestWillIsSentUnlessTheClientSaidGoodbye(t *testing.T) {
	will := func(p *packets.Packet) {
		p.Connect.WillFlag, p.Connect.WillTopic, p.Connect.WillQos = true, "lwt", 1 // empty payload is allowed
	}
	for _, tt := range []struct {
		name     string
		last     []byte // of a 5.0 client before it closes
		sent     bool
		graceful bool
	}{
		{"goodbye", []byte{0xe0, 0}, false, true},
		{"goodbye with will", []byte{0xe0, 1, 4}, true, false},
		{"goodbye with session expiry", []byte{0xe0, 7, 0, 5, 0x11, 0, 0, 0, 1}, false, true},
		{"broken goodbye", []byte{0xe0, 1, 0, 9}, true, false},
		{"nothing", nil, true, false},
		{"fault", []byte{0x36, 0}, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := newEar()
			r := newRig(t, e, Settings{})
			c := r.enter(t, 5, "me", "alley", will)
			if tt.name == "broken goodbye" {
				c.write(0xe0, 3, 0, 9, 9)
			} else {
				c.write(tt.last...)
			}
			c.nc.Close()
			e.untilEvent(t, fmt.Sprintf("gone alley me %v", tt.graceful))
			if sent := slices.Contains(e.events, "publish alley me lwt="); sent != tt.sent {
				t.Errorf("will sent: %v", sent)
			}
		})
	}
}

func TestDeviceKeepsToItsPrefixes(t *testing.T) {
	e := newEar()
	r := newRig(t, e, Settings{})
	hub := r.enter(t, 4, "hub", "alley", nil)
	hub.subscribe(false, "#", 0)
	five := r.enter(t, 5, "five", "plug", func(p *packets.Packet) {
		p.Connect.WillFlag, p.Connect.WillTopic, p.Connect.WillPayload = true, "tele/other/LWT", []byte("off")
	})
	three := r.enter(t, 4, "three", "plug", nil)
	for pid, topic := range []string{"stat/plugs", "stat", "other", "stat/other/RESULT", "cmnd/plu"} {
		three.write(publishPacket(topic, nil, 1, true, uint16(pid+1))...)
		three.want(puback(uint16(pid + 1))...) // 3.1.1 has no other word
		three.write(publishPacket(topic, nil, 0, true, 0)...)
	}
	five.write(packets.Publish<<4|2, 6, 0, 1, 'x', 0, 1, 0)
	five.want(packets.Puback<<4, 3, 0, 1, byte(notAuthorized))
	five.write(packets.Publish<<4|4, 6, 0, 1, 'x', 0, 2, 0)
	five.want(packets.Pubrec<<4, 3, 0, 2, byte(notAuthorized))
	three.write(publishPacket("stat/plug/RESULT", []byte("ON"), 1, false, 9)...)
	three.want(puback(9)...)
	three.write(publishPacket("stat/plug", []byte("on"), 1, false, 10)...)
	three.want(puback(10)...)
	hub.want(publishPacket("stat/plug/RESULT", []byte("ON"), 0, false, 0)...)
	hub.want(publishPacket("stat/plug", []byte("on"), 0, false, 0)...)
	hub.none()

	for filter, granted := range map[string]bool{
		"cmnd/plug/#": true, "cmnd/plug": true, "cmnd/plug/+/x": true,
		"#": false, "+/plug/#": false, "cmnd/#": false, "cmnd/+": false, "cmnd/plugs/#": false, "cmnd/tasmotas/#": false,
	} {
		code3, code5 := byte(0x80), byte(notAuthorized)
		if granted {
			code3, code5 = 1, 1
		}
		if got := three.subscribe(false, filter, 1); !bytes.Equal(got, []byte{0x90, 3, 0, 9, code3}) {
			t.Errorf("%s: 3.1.1 suback % x", filter, got)
		}
		if got := five.subscribe(true, filter, 1); !bytes.Equal(got, []byte{0x90, 4, 0, 9, 0, code5}) {
			t.Errorf("%s: 5.0 suback % x", filter, got)
		}
	}
	five.nc.Close()
	e.untilEvent(t, "gone alley five false")
	hub.none()
	heard := []string{}
	for _, m := range e.messages() {
		heard = append(heard, m.Topic)
	}
	if d := cmp.Diff([]string{"stat/plug/RESULT", "stat/plug"}, heard); d != "" {
		t.Errorf("handler heard: %s", d)
	}
	if d := cmp.Diff(map[string]uint64{"publish": 12, "will": 1, "not_authorized": 12}, r.Stats().Refused); d != "" {
		t.Errorf("refused: %s", d)
	}
}

func TestFiltersAreRefusedOneByOne(t *testing.T) {
	r := newRig(t, newEar(), Settings{Hub: Bounds{Filters: 2}})
	c := r.enter(t, 5, "c", "alley", nil)
	for _, tt := range []struct {
		filter string
		want   reason
	}{
		{"a/#", 1},
		{"$share/g/a", noShared},
		{"a/#/b", wrongFilter},
		{"a+", wrongFilter},
		{"#a", wrongFilter},
		{"", wrongFilter},
		{"+/+", 1},
		{"third", overQuota},
	} {
		if got := c.subscribe(true, tt.filter, 1); !bytes.Equal(got, []byte{0x90, 4, 0, 9, 0, byte(tt.want)}) {
			t.Errorf("%q: % x", tt.filter, got)
		}
	}
	if got := r.enter(t, 4, "old", "alley", nil).subscribe(false, "$share/g/a", 1); !bytes.Equal(got, []byte{0x90, 3, 0, 9, 0x80}) {
		t.Errorf("3.1.1 shared: % x", got)
	}
	c.write(0xa2, 11, 0, 7, 0, 0, 3, '+', '/', '+', 0, 1, 'x') // wildcards, and one that is not there
	c.want(0xb0, 5, 0, 7, 0, 0, byte(noSubscription))
	r.Send("alley", "q/r", nil, 0, nil)
	c.none()
	if got := c.subscribe(true, "third", 1); got[5] != 1 {
		t.Errorf("no room after unsubscribe: % x", got)
	}
}

func TestHandlerHearsOfComingHearingAndGoing(t *testing.T) {
	e := newEar()
	r := newRig(t, e, Settings{})
	c := r.enter(t, 4, "c", "alley", nil)
	c.write(0x82, 14, 0, 9, 0, 1, 'a', 0, 0, 5, '$', 's', 'h', 'a', 'r', 0)
	c.next()
	c.write(0xe0, 0)
	e.untilEvent(t, "gone alley c true")
	want := []string{"connected alley c", "subscribed alley c a", "subscribed alley c $shar", "gone alley c true"}
	if d := cmp.Diff(want, e.events); d != "" {
		t.Error(d)
	}
	s := r.space("alley")
	if len(s.clients) != 0 || len(s.exact) != 0 {
		t.Errorf("left behind: %v, %v", s.clients, s.exact)
	}
}

func TestSendCountsHearersAndTellsOfTheFirstAck(t *testing.T) {
	r := newRig(t, newEar(), Settings{})
	if n := r.Send("alley", "siren/set", []byte("on"), 0, nil); n != 0 {
		t.Errorf("sent to %d", n)
	}
	a := r.enter(t, 4, "a", "alley", nil)
	a.subscribe(false, "siren/set", 1)
	b := r.enter(t, 4, "b", "alley", nil)
	b.subscribe(false, "siren/#", 1)
	acked := make(chan struct{}, 10)
	if n := r.Send("alley", "siren/set", []byte("on"), 90*time.Second, func() { acked <- struct{}{} }); n != 2 {
		t.Errorf("sent to %d", n)
	}
	a.want(publishPacket("siren/set", []byte("on"), 1, false, 1)...)
	b.want(publishPacket("siren/set", []byte("on"), 1, false, 1)...)
	a.write(puback(2)...) // of nothing
	a.none()
	if len(acked) > 0 {
		t.Fatal("acknowledged by a stranger's ID")
	}
	b.write(puback(1)...)
	<-acked
	a.write(puback(1)...)
	a.none()
	if len(acked) != 0 {
		t.Error("acknowledged twice")
	}
}
