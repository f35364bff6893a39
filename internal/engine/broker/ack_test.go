package broker

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

// slowSafe is an ear whose messages are safe only when the test says so.
func slowSafe() (*ear, chan func()) {
	e := newEar()
	dones := make(chan func(), 1000)
	e.onPub = func(_ Publish, done func()) { dones <- done }
	return e, dones
}

func puback(pid uint16) []byte { return []byte{packets.Puback << 4, 2, byte(pid >> 8), byte(pid)} }

func TestAcksLeaveInOrderAndNeverBeforeDone(t *testing.T) {
	e, dones := slowSafe()
	r := newRig(t, e, Settings{})
	c := r.enter(t, 4, "hub", "alley", nil)
	for pid := range uint16(3) {
		c.write(publishPacket("a", []byte{'x'}, byte(pid/2+1), false, pid+1)...) // QoS 1, 1, 2
	}
	first, second, third := <-dones, <-dones, <-dones // all were read while none was safe
	go third()
	go second()
	// A ping is answered meanwhile; an acknowledgement would have come before it.
	eventually(t, "second and third safe", func() bool { return r.safe(t, 2) })
	c.write(packets.Pingreq<<4, 0)
	c.want(packets.Pingresp<<4, 0)
	first()
	first() // once more changes nothing
	c.want(puback(1)...)
	c.want(puback(2)...)
	c.want(packets.Pubrec<<4, 2, 0, 3)
	c.write(packets.Pingreq<<4, 0)
	c.want(packets.Pingresp<<4, 0)
	if n := r.Stats().Acked; n != 3 {
		t.Errorf("counted %d acknowledgements", n)
	}
}

// safe says whether n messages of the only client are safe but not acknowledged.
func (r *rig) safe(t *testing.T, n int) bool {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.conns {
		c.mu.Lock()
		defer c.mu.Unlock()
		k := 0
		for _, d := range c.owed.due {
			if d.safe {
				k++
			}
		}
		return k == n
	}
	return false
}

func TestReadingWaitsWhenTooManyAreUnsafe(t *testing.T) {
	e, dones := slowSafe()
	r := newRig(t, e, Settings{ReceiveMax: 2})
	c := r.enter(t, 4, "hub", "alley", nil)
	for pid := uint16(1); pid <= 3; pid++ {
		c.write(publishPacket("a", nil, 1, false, pid)...)
	}
	done := <-dones
	<-dones
	eventually(t, "the reader to wait", func() bool { return r.waits() })
	if n := len(e.messages()); n != 2 {
		t.Fatalf("handler heard %d", n)
	}
	done()
	c.want(puback(1)...)
	<-dones // the third is read now
}

// waits says whether the only client's reader waits for an acknowledgement.
func (r *rig) waits() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.conns {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.owed.changed != nil
	}
	return false
}

func TestDoneAfterTheClientLeftDoesNothing(t *testing.T) {
	e, dones := slowSafe()
	r := newRig(t, e, Settings{})
	c := r.enter(t, 4, "hub", "alley", nil)
	c.write(publishPacket("a", nil, 1, false, 1)...)
	done := <-dones
	c.nc.Close()
	e.untilEvent(t, "gone alley hub false")
	done()
	if n := r.Stats().Acked; n != 0 {
		t.Errorf("acknowledged %d", n)
	}
}

func TestMessageThatIsNeverSafeEndsTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEar()
		never := map[string]bool{"b": true}
		e.onPub = func(p Publish, done func()) {
			if !never[p.Topic] {
				done()
			}
		}
		p := newPipe(t, e, Settings{SafeWithin: 30 * time.Second})
		p.write(packets.Publish<<4|2, 6, 0, 1, 'a', 0, 1, 0)
		p.want(puback(1)...)
		time.Sleep(29 * time.Second)
		p.write(packets.Publish<<4|2, 6, 0, 1, 'b', 0, 2, 0)
		synctest.Wait()
		began := time.Now()
		if b := p.next(); b != nil {
			t.Fatalf("got % x", b)
		}
		if d := time.Since(began); d != 30*time.Second {
			t.Errorf("cut after %v", d)
		}
		p.close()
		if n := p.l.Stats().Unsafe; n != 1 {
			t.Errorf("counted %d", n)
		}
	})
}

// TestWhatIsSafeOvertakesAStuckOne: the disk is stuck and a press is not safe. For
// two seconds the order is kept; then the rest is acknowledged, the press is not.
func TestWhatIsSafeOvertakesAStuckOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEar()
		dones := map[string]func(){}
		e.onPub = func(p Publish, done func()) {
			if dones[p.Topic] = done; p.Topic > "m" {
				done()
			}
		}
		p := newPipe(t, e, Settings{})
		pub := func(topic byte, pid byte) { p.write(packets.Publish<<4|2, 6, 0, 1, topic, 0, pid, 0) }
		began := time.Now()
		pub('a', 1)
		pub('x', 2)
		pub('b', 3)
		pub('y', 4)
		p.want(puback(2)...)
		if d := time.Since(began); d != 2*time.Second {
			t.Errorf("overtaken after %v", d)
		}
		p.want(puback(4)...)
		time.Sleep(10 * time.Second)
		pub('z', 5)
		p.want(puback(5)...)
		if d := time.Since(began); d != 12*time.Second {
			t.Errorf("one that is safe at once waited until %v", d)
		}
		dones["b"]()
		p.want(puback(3)...)
		dones["a"]()
		p.want(puback(1)...)
		pub('c', 1) // the number is free again, and the order holds again
		pub('x', 2)
		began = time.Now()
		p.want(puback(2)...)
		if d := time.Since(began); d != 2*time.Second {
			t.Errorf("overtaken after %v", d)
		}
		if b := p.next(); b != nil {
			t.Fatalf("got % x", b)
		}
		if d := time.Since(began); d != 30*time.Second {
			t.Errorf("cut after %v", d)
		}
		p.close()
	})
}

func TestRevokedClientsAreSentAway(t *testing.T) {
	r := newRig(t, newEar(), Settings{})
	five := r.enter(t, 5, "five", "alley", nil)
	three := r.enter(t, 4, "three", "alley", nil)
	other := r.enter(t, 5, "other", "lane", nil)
	dumb := r.dial(t) // has not signed in
	r.Revoke(func(user string, a Account) bool { return user != "alley" || a.Space != "alley" })
	if last, want := five.wantEnd(), notAuthorized.bye(true); !slices.Equal(last, want) {
		t.Errorf("last packet % x, want % x", last, want)
	}
	if last := three.wantEnd(); last != nil {
		t.Errorf("3.1.1 client got % x", last)
	}
	other.write(packets.Pingreq<<4, 0)
	other.want(packets.Pingresp<<4, 0)
	dumb.write(connectPacket(5, "dumb", "lane", nil)...)
	if ack := dumb.next(); len(ack) < 4 || ack[3] != 0 {
		t.Errorf("connack % x", ack)
	}
}

// TestRevokeFindsWhoIsJustComing: the password changes between the check and the
// welcome.
func TestRevokeFindsWhoIsJustComing(t *testing.T) {
	e := newEar()
	changed := false
	var l *Listener
	l = Listen(&turncoat{ear: e, turn: func() {
		if !changed {
			changed = true
			l.Revoke(func(string, Account) bool { return false })
		}
	}, ok: func() bool { return !changed }}, Settings{})
	c := serveOn(t, l, e).dial(t)
	c.write(connectPacket(5, "hub", "alley", nil)...)
	if last, want := c.wantEnd(), notAuthorized.bye(true); !slices.Equal(last, want) {
		t.Errorf("last packet % x, want % x", last, want)
	}
}

// turncoat lets in once.
type turncoat struct {
	*ear
	turn func()
	ok   func() bool
}

func (c *turncoat) SignIn(user, password string) (Account, bool) {
	ok := c.ok()
	c.turn()
	return Account{Space: Space(user)}, ok
}

func TestQoS2IsTakenExactlyOnce(t *testing.T) {
	r := newRig(t, newEar(), Settings{})
	c := r.enter(t, 5, "hub", "alley", nil)
	pub := []byte{packets.Publish<<4 | 4, 6, 0, 1, 'a', 0, 7, 0}
	dup := []byte{packets.Publish<<4 | 12, 6, 0, 1, 'a', 0, 7, 0}
	rel := []byte{packets.Pubrel<<4 | 2, 2, 0, 7}
	c.write(pub...)
	c.want(packets.Pubrec<<4, 2, 0, 7)
	c.write(dup...)
	c.want(packets.Pubrec<<4, 2, 0, 7)
	c.write(rel...)
	c.want(packets.Pubcomp<<4, 2, 0, 7)
	c.write(rel...)
	c.want(packets.Pubcomp<<4, 3, 0, 7, byte(unknownPacketID))
	if n := len(r.ear.messages()); n != 1 {
		t.Fatalf("handler heard %d messages", n)
	}
	c.write(pub...)
	c.want(packets.Pubrec<<4, 2, 0, 7)
	if n := len(r.ear.messages()); n != 2 {
		t.Fatalf("handler heard %d messages after the ID was free again", n)
	}
}

func TestQoS2WithoutReleaseIsBounded(t *testing.T) {
	r := newRig(t, newEar(), Settings{ReceiveMax: 2})
	c := r.enter(t, 5, "hub", "alley", nil)
	for pid := byte(1); pid <= 9; pid++ {
		c.write(packets.Publish<<4|4, 6, 0, 1, 'a', 0, pid, 0)
	}
	last := c.wantEnd()
	if want := tooManyUnsettled.bye(true); !slices.Equal(last, want) {
		t.Errorf("last packet % x, want % x", last, want)
	}
}

func TestCloseWaitsForPendingAcksAndSaysGoodbye(t *testing.T) {
	e, dones := slowSafe()
	l := Listen(e, Settings{})
	r := serveOn(t, l, e)
	five := r.enter(t, 5, "five", "alley", func(p *packets.Packet) {
		p.Connect.WillFlag, p.Connect.WillTopic, p.Connect.WillPayload = true, "will", []byte("off")
	})
	three := r.enter(t, 4, "three", "alley", nil)
	five.write(packets.Publish<<4|2, 6, 0, 1, 'a', 0, 7, 0)
	done := <-dones
	closed := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		closed <- l.Close(ctx)
	}()
	if last := three.wantEnd(); last != nil {
		t.Errorf("3.1.1 client got % x", last)
	}
	select {
	case err := <-closed:
		t.Fatalf("closed with an acknowledgement pending: %v", err)
	default:
	}
	done()
	five.want(puback(7)...)
	five.want(shuttingDown.bye(true)...)
	if b := five.next(); b != nil {
		t.Errorf("after the goodbye came % x", b)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
	want := []string{"connected alley five", "connected alley three", "publish alley five a="}
	if !slices.Equal(e.events, want) {
		t.Errorf("handler heard %q: no will and no Gone when Keng itself goes", e.events)
	}
}

func TestCloseGivesUpWhenTheTimeIsOver(t *testing.T) {
	e, dones := slowSafe()
	l := Listen(e, Settings{})
	r := serveOn(t, l, e)
	c := r.enter(t, 4, "hub", "alley", nil)
	c.write(publishPacket("a", nil, 1, false, 1)...)
	<-dones
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := l.Close(ctx); err != context.Canceled {
		t.Errorf("close: %v", err)
	}
	if b := c.next(); b != nil {
		t.Errorf("got % x", b)
	}
}

func TestPublishesKeepTheirOrderForEachHearer(t *testing.T) {
	r := newRig(t, newEar(), Settings{})
	ear := r.enter(t, 4, "ear", "alley", nil)
	ear.subscribe(false, "n/#", 0)
	c := r.enter(t, 4, "hub", "alley", nil)
	const n = 2000
	go func() {
		for i := range n {
			c.write(publishPacket("n/x", fmt.Append(nil, i), 0, false, 0)...)
		}
	}()
	for i := range n {
		ear.want(publishPacket("n/x", fmt.Append(nil, i), 0, false, 0)...)
	}
}
