package broker

import (
	"bytes"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

func TestSlowClientIsCutAndDelaysNobody(t *testing.T) {
	e := newEar()
	r := newRig(t, e, Settings{Hub: Bounds{Queue: 1 << 20}})
	slow := r.enter(t, 4, "slow", "alley", nil)
	slow.subscribe(false, "news", 1)
	quick := r.enter(t, 4, "quick", "alley", nil)
	quick.subscribe(false, "news", 1)
	payload := bytes.Repeat([]byte{'x'}, 32<<10)
	var worst time.Duration
	for i, pid := 0, uint16(0); ; i++ {
		if i > 10_000 {
			t.Fatal("never cut")
		}
		began := time.Now()
		n := r.Send("alley", "news", payload, 0, nil)
		pid++
		quick.want(publishPacket("news", payload, 1, false, pid)...)
		quick.write(puback(pid)...)
		worst = max(worst, time.Since(began))
		if n == 1 {
			break
		}
	}
	e.untilEvent(t, "gone alley slow false")
	if worst > time.Second {
		t.Errorf("the quick client waited %v", worst)
	}
	if n := r.Stats().Slow; n != 1 {
		t.Errorf("counted %d slow clients", n)
	}
}

func TestClientThatNeverAcksIsCut(t *testing.T) {
	e := newEar()
	r := newRig(t, e, Settings{Window: 8, Hub: Bounds{Queue: 10_000}})
	c := r.enter(t, 4, "mute", "alley", nil)
	c.subscribe(false, "n", 1)
	for pid := uint16(1); pid <= 8; pid++ {
		r.Send("alley", "n", make([]byte, 100), 0, nil)
		c.want(publishPacket("n", make([]byte, 100), 1, false, pid)...)
	}
	took := 0
	for r.Send("alley", "n", make([]byte, 100), 0, nil) == 1 {
		took++
	}
	e.untilEvent(t, "gone alley mute false")
	if took < 10_000/200 || took > 10_000/100 {
		t.Errorf("took %d messages beyond the window", took)
	}
	if b := c.next(); b != nil {
		t.Errorf("got % x beyond the window", b)
	}
}

func TestWriteThatDoesNotEndIsGivenUpAfterTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEar()
		p := newPipe(t, e, Settings{})
		p.write(0x82, 7, 0, 9, 0, 0, 1, 't', 0)
		p.want(0x90, 4, 0, 9, 0, 0)
		began := time.Now()
		p.l.Send("alley", "t", []byte("x"), 0, nil) // nobody reads
		e.untilEventInBubble("gone alley hub false")
		if d := time.Since(began); d != 10*time.Second {
			t.Errorf("gave up after %v", d)
		}
		p.close()
		if n := p.l.Stats().Slow; n != 1 {
			t.Errorf("counted %d", n)
		}
	})
}

// untilEventInBubble waits without a limit: in a bubble a wait for ever is found
// as a deadlock.
func (e *ear) untilEventInBubble(event string) {
	for {
		e.mu.Lock()
		more, last := e.more, ""
		if n := len(e.events); n > 0 {
			last = e.events[n-1]
		}
		e.mu.Unlock()
		if last == event {
			return
		}
		<-more
	}
}

func TestUrgentGoesFirstAndWithinTheWindow(t *testing.T) {
	r := newRig(t, newEar(), Settings{Window: 4})
	c := r.enter(t, 5, "hub", "alley", func(p *packets.Packet) { p.Properties.ReceiveMaximum = 4 })
	c.subscribe(true, "#", 1)
	want := func(topic string, pid byte) {
		t.Helper()
		c.want(0x32, 6, 0, 1, topic[0], 0, pid, 0)
	}
	for _, topic := range []string{"a", "b", "c", "d"} {
		r.Retain("alley", topic, nil) // not urgent
	}
	want("a", 1)
	want("b", 2)
	want("c", 3) // the last of the four is kept for what is urgent
	c.none()
	r.Send("alley", "S", nil, 0, nil)
	want("S", 4)
	r.Send("alley", "T", nil, 0, nil)
	c.none() // never more than the client said
	c.write(puback(2)...)
	want("T", 5)
	c.write(puback(1)...)
	c.none()
	c.write(puback(3)...)
	want("d", 6)
	c.none()
}

func TestReceiveMaximumOfOneStillPasses(t *testing.T) {
	r := newRig(t, newEar(), Settings{})
	c := r.enter(t, 5, "hub", "alley", func(p *packets.Packet) { p.Properties.ReceiveMaximum = 1 })
	c.subscribe(true, "#", 1)
	r.Retain("alley", "a", nil)
	r.Retain("alley", "b", nil)
	c.want(0x32, 6, 0, 1, 'a', 0, 1, 0)
	c.none()
	c.write(puback(1)...)
	c.want(0x32, 6, 0, 1, 'b', 0, 2, 0)
}

func TestStaleCommandIsNeverSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(t, newEar(), Settings{Window: 1})
		p.write(0x82, 7, 0, 9, 0, 0, 1, 't', 1)
		p.want(0x90, 4, 0, 9, 0, 1)
		p.l.Send("alley", "t", []byte("1"), 20*time.Second, nil)
		p.want(0x32, 12, 0, 1, 't', 0, 1, 5, 2, 0, 0, 0, 20, '1')
		p.l.Send("alley", "t", []byte("2"), 20*time.Second, nil)
		p.l.Send("alley", "t", []byte("3"), 21500*time.Millisecond, nil)
		time.Sleep(20 * time.Second)
		p.write(puback(1)...)
		p.want(0x32, 12, 0, 1, 't', 0, 2, 5, 2, 0, 0, 0, 2, '3') // 1.5 s, rounded up
		p.close()
		if n := p.l.Stats().Expired; n != 1 {
			t.Errorf("expired: %d", n)
		}
	})
}

func TestPacketLargerThanTheClientTakesIsNotSent(t *testing.T) {
	r := newRig(t, newEar(), Settings{})
	c := r.enter(t, 5, "c", "alley", func(p *packets.Packet) { p.Properties.MaximumPacketSize = 20 })
	c.subscribe(true, "t", 0)
	for _, n := range []int{14, 15, 14} {
		r.Send("alley", "t", bytes.Repeat([]byte{'x'}, n), 0, nil)
	}
	for range 2 {
		c.want(publish5("t", "xxxxxxxxxxxxxx")...)
	}
	c.none()
	if n := r.Stats().Refused["too_large_for_client"]; n != 1 {
		t.Errorf("counted %d", n)
	}
}

func TestLargePayloadsArriveWholeAndInOrder(t *testing.T) {
	r := newRig(t, newEar(), Settings{})
	c := r.enter(t, 4, "c", "alley", nil)
	c.subscribe(false, "t", 0)
	for i := range 20 {
		r.Send("alley", "t", bytes.Repeat(fmt.Append(nil, i%10), i*7000), 0, nil)
	}
	for i := range 20 {
		c.want(publishPacket("t", bytes.Repeat(fmt.Append(nil, i%10), i*7000), 0, false, 0)...)
	}
}

// TestAlarmLeavesBeforeSendReturns holds the only processor, so that no other
// goroutine can have written the message.
func TestAlarmLeavesBeforeSendReturns(t *testing.T) {
	r := newRig(t, newEar(), Settings{})
	c := r.enter(t, 4, "siren", "alley", nil)
	c.subscribe(false, "S", 1)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for pid := uint16(1); pid <= 5; pid++ {
		want := publishPacket("S", []byte("ON"), 1, false, pid)
		before := r.Stats().BytesOut
		r.Send("alley", "S", []byte("ON"), 0, nil)
		if n := r.Stats().BytesOut - before; n != uint64(len(want)) {
			t.Errorf("%d of %d bytes had left", n, len(want))
		}
		c.want(want...)
		c.write(puback(pid)...)
	}
}

// TestSocketThatTakesOnlyHalfGetsTheRestInOrder sends more than the sockets on
// both sides hold before the client reads.
func TestSocketThatTakesOnlyHalfGetsTheRestInOrder(t *testing.T) {
	r := newRig(t, newEar(), Settings{Hub: Bounds{Queue: 64 << 20}})
	c := r.enter(t, 4, "slow", "alley", nil)
	c.subscribe(false, "n", 0)
	const n = 20_000
	message := func(i int) []byte { return fmt.Appendf(nil, "%05d%s", i, bytes.Repeat([]byte{'x'}, i%900)) }
	for i := range n {
		if r.Send("alley", "n", message(i), 0, nil) != 1 {
			t.Fatalf("message %d was not taken", i)
		}
	}
	for i := range n {
		c.want(publishPacket("n", message(i), 0, false, 0)...)
	}
}
