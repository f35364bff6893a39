package dc09

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/signal"
)

// told is one call of a handler.
type told struct {
	account, zone, raw string
	reading            dialect.Reading
	done               func(bool)
}

// desk is a handler that remembers. say answers each call at once when it is set.
type desk struct {
	mu    sync.Mutex
	calls []told
	say   func(n int) (ok, answer bool)
}

func (d *desk) Signal(account, zone string, r dialect.Reading, raw string, done func(bool)) {
	d.mu.Lock()
	d.calls = append(d.calls, told{account, zone, raw, r, done})
	n, say := len(d.calls), d.say
	d.mu.Unlock()
	if say == nil {
		return
	}
	if ok, answer := say(n); answer {
		done(ok)
	}
}

func (d *desk) told() []told {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]told(nil), d.calls...)
}

func yes(int) (bool, bool) { return true, true }

var (
	testNow = time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	testKey = []byte("0123456789abcdef")
)

// newServer knows account 1234 without a key and account 5678 with testKey.
func newServer(h Handler) *Server {
	return &Server{Handler: h, Now: func() time.Time { return testNow }, Keys: func(account string) ([]byte, bool) {
		switch account {
		case "1234":
			return nil, true
		case "5678":
			return testKey, true
		}
		return nil, false
	}}
}

func TestAnswerFollowsTheStandard(t *testing.T) {
	fire := `"SIA-DCS"0001L0#1234[#1234|NFA05]`
	sealedFire := func(stamp time.Time, key []byte) []byte {
		return sealed(t, `"*SIA-DCS"0001L0#5678`, "#5678|NFA05", stamp, key)
	}
	badCRC := plain(fire)
	badCRC[1] ^= 1
	badLength := plain(fire)
	copy(badLength[5:9], "0041") // in decimal, as some panels write it
	ack, duh, nak := `"ACK"0001L0#1234[]`, `"DUH"0001L0#1234[]`, `"NAK"0000R0L0A0[]_10:00:00,03-01-2026`
	for name, tc := range map[string]struct {
		frame  []byte
		want   string // the body of the answer, "" for none
		rang   bool
		counts Counts
	}{
		"alarm":               {plain(fire), ack, true, Counts{Frames: 1, Acknowledged: 1}},
		"Contact ID":          {plain(`"ADM-CID"0001L0#1234[#1234|1110 01 005]`), ack, true, Counts{Frames: 1, Acknowledged: 1}},
		"link test":           {plain(`"NULL"0001L0#1234[]`), ack, false, Counts{Frames: 1, Acknowledged: 1}},
		"unknown event":       {plain(`"SIA-DCS"0001L0#1234[#1234|NPE501]`), ack, false, Counts{Frames: 1, Acknowledged: 1}},
		"wrong CRC":           {badCRC, "", false, Counts{Frames: 1, BadCRC: 1}},
		"wrong length":        {badLength, ack, true, Counts{Frames: 1, BadLength: 1, Acknowledged: 1}},
		"no frame":            {[]byte("GET / HTTP/1.1\r"), "", false, Counts{Frames: 1, Unreadable: 1}},
		"an answer":           {plain(`"NAK"0000R0L0A0[]`), "", false, Counts{Frames: 1}},
		"unknown account":     {plain(`"NULL"0001L0#9999[]`), `"DUH"0001L0#9999[]`, false, Counts{Frames: 1, UnknownAccount: 1}},
		"no account":          {plain(`"NULL"0001L0[]`), `"DUH"0001L0[]`, false, Counts{Frames: 1, UnknownAccount: 1}},
		"unknown token":       {plain(`"SK-FSK1"0001L0#1234[x]`), duh, false, Counts{Frames: 1, Unreadable: 1}},
		"unreadable data":     {plain(`"SIA-DCS"0001L0#1234[#1234|???]`), duh, false, Counts{Frames: 1, Unreadable: 1}},
		"unreadable CID":      {plain(`"ADM-CID"0001L0#1234[#1234|11]`), duh, false, Counts{Frames: 1, Unreadable: 1}},
		"plain where sealed":  {plain(`"SIA-DCS"0001L0#5678[#5678|NFA05]`), `"DUH"0001L0#5678[]`, false, Counts{Frames: 1, PlainRefused: 1}},
		"sealed without key":  {sealed(t, `"*SIA-DCS"0001L0#1234`, "#1234|NFA05", testNow, testKey), duh, false, Counts{Frames: 1, NoKey: 1}},
		"sealed, wrong key":   {sealedFire(testNow, []byte("0123456789abcdeF")), nak, false, Counts{Frames: 1, BadKey: 1}},
		"sealed, too old":     {sealedFire(testNow.Add(-41*time.Second), testKey), nak, false, Counts{Frames: 1, BadTime: 1}},
		"sealed, too new":     {sealedFire(testNow.Add(21*time.Second), testKey), nak, false, Counts{Frames: 1, BadTime: 1}},
		"plain, old":          {plain(`"SIA-DCS"0001L0#1234[#1234|NFA05]_03:00:00,03-01-2026`), `"ACK"0001L0#1234[]_10:00:00,03-01-2026`, true, Counts{Frames: 1, Acknowledged: 1}},
		"account in the data": {plain(`"SIA-DCS"0001L0[#1234|NFA05]`), `"ACK"0001L0[]`, true, Counts{Frames: 1, Acknowledged: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			d := &desk{say: yes}
			s := newServer(d)
			got := s.answer(t.Context(), whole(tc.frame))
			want := ""
			if tc.want != "" {
				want = string(plain(tc.want))
			}
			if string(got) != want {
				t.Errorf("answer %q, want %q", got, want)
			}
			rang := false
			for _, call := range d.told() {
				rang = rang || call.reading.Kind == signal.Alarm
			}
			if rang != tc.rang {
				t.Errorf("rang %v, want %v", rang, tc.rang)
			}
			if diff := cmp.Diff(tc.counts, s.Counts()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSealedAlarmIsAcknowledgedSealed(t *testing.T) {
	d := &desk{say: yes}
	s := newServer(d)
	frame := sealed(t, `"*SIA-DCS"0042R1L0#5678`, "#5678|Nri1/FA05^Bep^", testNow.Add(-30*time.Second), testKey)
	f, err := Parse(s.answer(t.Context(), whole(frame)))
	if err != nil || f.Token != "ACK" || !f.Encrypted || f.Seq != "0042" || f.Receiver != "R1" || f.Account != "5678" {
		t.Fatalf("%+v, %v", f, err)
	}
	if f, err = f.Open(testKey); err != nil || !f.Stamp.Equal(testNow) {
		t.Errorf("%+v, %v", f, err)
	}
	calls := d.told()
	if len(calls) != 1 || calls[0].account != "5678" || calls[0].zone != "05" || calls[0].reading.Category != signal.Fire {
		t.Fatalf("%+v", calls)
	}
	if want := `"*SIA-DCS"0042R1L0#5678[Nri1/FA05^Bep^]_09:59:30,03-01-2026`; calls[0].raw != want {
		t.Errorf("for the record: %s, want %s", calls[0].raw, want)
	}
}

func TestStrangersAreTold(t *testing.T) {
	var got []string
	s := newServer(&desk{say: yes})
	s.Strange = func(account, raw string, why error) { got = append(got, account+": "+why.Error()) }
	for _, body := range []string{`"NULL"0001L0#9999[]`, `"SIA-DCS"0001L0#1234[???]`, `"SIA-DCS"0001L0#5678[NFA1]`} {
		s.answer(t.Context(), whole(plain(body)))
	}
	want := []string{
		`9999: account "9999" is not known`, `1234: SIA data "???" is not readable`,
		`5678: the account has a key, but the message is not encrypted`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestComingAndGoingIsNotPassedOn(t *testing.T) {
	d := &desk{say: yes}
	s := newServer(d)
	for _, body := range []string{`"SIA-DCS"0001L0#1234[#1234|Nid4/ri1/OP003^Nguyen Van A^]`, `"ADM-CID"0001L0#1234[#1234|3401 01 003]`} {
		if s.answer(t.Context(), whole(plain(body))) == nil {
			t.Errorf("%s: not acknowledged", body)
		}
	}
	for _, call := range d.told() {
		if call.reading.Kind != signal.Heartbeat || call.zone != "" || call.reading.Value != "" || strings.ContainsAny(call.raw, "[") {
			t.Errorf("%+v", call)
		}
	}
}

func TestKeysAreNotRecorded(t *testing.T) {
	d := &desk{say: yes}
	newServer(d).answer(t.Context(), whole(plain(`"SIA-DCS"0001L0#1234[#1234|NRP0][KAAAAAAAAAAAAAAAA]`)))
	if calls := d.told(); len(calls) != 1 || strings.Contains(calls[0].raw, "AAAA") {
		t.Errorf("%+v", calls)
	}
}

// call starts a conversation in which the test is the panel.
func call(t *testing.T, s *Server) net.Conn {
	t.Helper()
	panel, receiver := net.Pipe()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.converse(ctx, receiver)
	}()
	t.Cleanup(func() { cancel(); panel.Close(); <-ended })
	return panel
}

// send writes b to c, which must take it.
func send(t *testing.T, c net.Conn, b []byte) {
	t.Helper()
	if _, err := c.Write(b); err != nil {
		t.Error(err)
	}
}

// hurry bounds everything that is done with c.
func hurry(t *testing.T, c net.Conn) {
	t.Helper()
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
}

// listen collects what the receiver answers.
func listen(c net.Conn) (heard func() string, ended <-chan error) {
	var mu sync.Mutex
	var all []byte
	end := make(chan error, 1)
	go func() {
		buf := make([]byte, 1024)
		for {
			n, err := c.Read(buf)
			mu.Lock()
			all = append(all, buf[:n]...)
			mu.Unlock()
			if err != nil {
				end <- err
				return
			}
		}
	}()
	return func() string { mu.Lock(); defer mu.Unlock(); return string(all) }, end
}

func TestNoAcknowledgementBeforeAllIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{}
		s := newServer(d)
		panel := call(t, s)
		heard, _ := listen(panel)
		send(t, panel, plain(`"SIA-DCS"0001L0#1234[#1234|NFA05/FA06]`))
		synctest.Wait()
		calls := d.told()
		if len(calls) != 2 {
			t.Fatalf("%d events", len(calls))
		}
		time.Sleep(9 * time.Second)
		calls[1].done(true)
		calls[1].done(true) // said twice counts once
		synctest.Wait()
		if heard() != "" {
			t.Fatalf("answered %q while one event was not safe", heard())
		}
		calls[0].done(true)
		synctest.Wait()
		if want := string(plain(`"ACK"0001L0#1234[]`)); heard() != want {
			t.Errorf("%q, want %q", heard(), want)
		}
	})
}

func TestNoAnswerWhenNotKept(t *testing.T) {
	for name, say := range map[string]func(int) (bool, bool){
		"the handler says no":      func(n int) (bool, bool) { return n > 1, true },
		"the handler says nothing": func(n int) (bool, bool) { return true, n > 1 },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &desk{say: say}
				s := newServer(d)
				panel := call(t, s)
				heard, _ := listen(panel)
				frame := plain(`"SIA-DCS"0001L0#1234[#1234|NFA05]`)
				send(t, panel, frame)
				time.Sleep(11 * time.Second)
				synctest.Wait()
				if heard() != "" || s.Counts().NotKept != 1 {
					t.Fatalf("%q, %+v", heard(), s.Counts())
				}
				send(t, panel, frame) // the panel sends again
				synctest.Wait()
				if want := string(plain(`"ACK"0001L0#1234[]`)); heard() != want {
					t.Errorf("%q, want %q", heard(), want)
				}
				if calls := d.told(); calls[0].reading.Seq != calls[1].reading.Seq {
					t.Error("sent again, it looks like another event")
				}
				d.told()[0].done(true) // late: harms nobody
			})
		})
	}
}

func TestOneConnectionCarriesManyMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(&desk{say: yes})
		panel := call(t, s)
		heard, _ := listen(panel)
		stream := append(plain(`"NULL"0000L0#1234[]`), 0)
		stream = append(stream, plain(`"SIA-DCS"0001L0#1234[NFA1]`)...)
		for _, b := range stream {
			send(t, panel, []byte{b})
		}
		synctest.Wait()
		if want := string(plain(`"ACK"0000L0#1234[]`)) + string(plain(`"ACK"0001L0#1234[]`)); heard() != want {
			t.Errorf("%q, want %q", heard(), want)
		}
	})
}

func TestConnectionsAreBounded(t *testing.T) {
	for name, tc := range map[string]struct {
		send  []byte
		after time.Duration
	}{
		"says nothing":         {nil, defaultIdle},
		"begins and stops":     {[]byte("\n1234"), frameTime},
		"a frame without end":  {append(plain(`"NULL"0000L0#1234[`), make([]byte, maxFrame)...)[:maxFrame+10], 0},
		"silent after a frame": {plain(`"NULL"0000L0#1234[]`), defaultIdle},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				panel := call(t, newServer(&desk{say: yes}))
				_, ended := listen(panel)
				begin := time.Now()
				words := strings.ReplaceAll(string(tc.send), "\r", " ")
				if name == "silent after a frame" {
					words = string(tc.send)
				}
				go func() { _, _ = panel.Write([]byte(words)) }() // ends when the connection does
				if err := <-ended; !errors.Is(err, io.EOF) {
					t.Error(err)
				}
				if d := time.Since(begin); d != tc.after {
					t.Errorf("closed after %v, want %v", d, tc.after)
				}
			})
		})
	}
}

// serve runs s on real sockets and returns their addresses.
func serve(t *testing.T, s *Server) (tcp, udp string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var both sync.WaitGroup
	both.Go(func() {
		if err := s.Serve(ctx, l); err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	both.Go(func() {
		if err := s.ServePacket(ctx, p); err != nil {
			t.Errorf("ServePacket: %v", err)
		}
	})
	t.Cleanup(func() { cancel(); both.Wait() })
	return l.Addr().String(), p.LocalAddr().String()
}

// ask sends frame and reads the answer.
func ask(t *testing.T, network, address string, frame []byte) string {
	t.Helper()
	c, err := net.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	hurry(t, c)
	if _, err := c.Write(frame); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 1024)
	n, err := c.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return string(buf[:n])
}

func TestServeOverTCPAndUDP(t *testing.T) {
	tcp, udp := serve(t, newServer(&desk{say: yes}))
	frame := plain(`"SIA-DCS"0001L0#1234[#1234|NFA05]`)
	want := string(plain(`"ACK"0001L0#1234[]`))
	for network, address := range map[string]string{"tcp": tcp, "udp": udp} {
		if got := ask(t, network, address, frame); got != want {
			t.Errorf("%s: %q, want %q", network, got, want)
		}
	}
	if got := ask(t, "udp", udp, frame[:len(frame)-1]); got != want { // a datagram without CR
		t.Errorf("%q, want %q", got, want)
	}
}

func TestServeEndsWithItsContextAndItsConnections(t *testing.T) {
	arrived := make(chan struct{})
	d := &desk{say: func(int) (ok, answer bool) { close(arrived); return }} // never says that it is kept
	s := newServer(d)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, l) }()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	send(t, c, plain(`"SIA-DCS"0001L0#1234[#1234|NFA05]`))
	<-arrived
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
	hurry(t, c)
	if n, err := c.Read(make([]byte, 10)); err == nil {
		t.Errorf("%d bytes of answer to an alarm that was not kept", n)
	}
}

func TestServeReturnsTheListenersError(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := newServer(&desk{}).Serve(t.Context(), l); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	p, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
	if err := newServer(&desk{}).ServePacket(t.Context(), p); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}

func TestTooManyConnectionsAreTurnedAway(t *testing.T) {
	s := newServer(&desk{say: yes})
	s.MaxConns = 1
	tcp, _ := serve(t, s)
	first, err := net.Dial("tcp", tcp)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	hurry(t, first)
	send(t, first, plain(`"NULL"0000L0#1234[]`))
	if _, err := first.Read(make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	second, err := net.Dial("tcp", tcp)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	hurry(t, second)
	if _, err := second.Read(make([]byte, 1)); !errors.Is(err, io.EOF) || s.Counts().Dropped != 1 {
		t.Errorf("%v, %+v", err, s.Counts())
	}
	first.Close()
	for deadline := time.Now().Add(10 * time.Second); ; { // the place is free once the server saw the end
		c, err := net.Dial("tcp", tcp)
		if err != nil {
			t.Fatal(err)
		}
		hurry(t, c)
		_, _ = c.Write(plain(`"NULL"0000L0#1234[]`)) // may be turned away while it writes
		n, _ := c.Read(make([]byte, 100))
		c.Close()
		if n > 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("a place that was left stays taken")
		}
	}
}

func TestGateBoundsOneHost(t *testing.T) {
	g := gate{most: 10 * perHost}
	for range perHost {
		if !g.enter("a") {
			t.Fatal("turned away below the bound")
		}
	}
	if g.enter("a") || !g.enter("b") {
		t.Error("one host took the place of another")
	}
	g.leave("a")
	if !g.enter("a") {
		t.Error("a place that was left stays taken")
	}
}
