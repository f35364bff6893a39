package stage

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/keng-vn/keng/internal/signal"
)

// open sets a stage for a test.
func open(t *testing.T) *Stage {
	t.Helper()
	s, err := Open(t.Context(), Options{Data: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestOnePressRingsTheVillageOnStage(t *testing.T) {
	s := open(t)
	if !s.Sim.Press("g1-h4", signal.Button) {
		t.Fatal("no button in g1-h4")
	}
	if err := s.AwaitSirens(t.Context(), "g1", 7); err != nil {
		t.Fatal(err)
	}
	list, err := s.Incidents(t.Context())
	if err != nil || len(list) != 1 || len(list[0].Origins) != 1 || list[0].Origins[0].Home != "g1-h4" {
		t.Fatalf("incidents %+v, %v", list, err)
	}
}

func TestRestartKeepsAddressAndAlarm(t *testing.T) {
	s := open(t)
	s.Sim.Press("g2-h2", signal.Button)
	if err := s.AwaitSirens(t.Context(), "g2", 6); err != nil {
		t.Fatal(err)
	}
	was := s.URL()
	if err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s.URL() != was {
		t.Errorf("the door moved from %s to %s", was, s.URL())
	}
	if status, _, err := get(t, s.URL()+"/readyz"); err != nil || status != http.StatusOK {
		t.Errorf("behind the door: %d, %v", status, err)
	}
	if list, err := s.Incidents(t.Context()); err != nil || len(list) != 1 {
		t.Errorf("incidents %+v, %v", list, err)
	}
}

func TestAwaitSaysWhatThereWasInstead(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	err := (&Stage{}).Await(ctx, "it rains", func() (bool, string) { return false, "the sun shines" })
	if err == nil || !strings.Contains(err.Error(), "it rains") || !strings.Contains(err.Error(), "the sun shines") {
		t.Errorf("got %v", err)
	}
}

// shop answers every request with "hello, world" and tells of it; /stream says one
// line, and another one when there is to be more.
func shop(t *testing.T) (d *Door, asked chan string, more chan struct{}) {
	t.Helper()
	asked, more = make(chan string, 16), make(chan struct{}, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Path
		if r.URL.Path == "/stream" {
			for n := range 2 {
				_, _ = fmt.Fprintf(w, "line %d\n", n)
				w.(http.Flusher).Flush()
				if n == 0 {
					<-more
				}
			}
			return
		}
		_, _ = io.WriteString(w, "hello, world")
	}))
	t.Cleanup(srv.Close)
	d, err := NewDoor(strings.TrimPrefix(srv.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Shut)
	return d, asked, more
}

func get(t *testing.T, url string) (int, string, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := c.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

func TestDoorDecidesWhatBecomesOfARequest(t *testing.T) {
	d, asked, _ := shop(t)
	for _, c := range []struct {
		fate  Fate
		heard bool // the shop
		whole bool // the answer
	}{{Pass, true, true}, {LoseAsk, false, false}, {LoseReply, true, false}, {TearReply, true, false}} {
		d.Decide(func(*http.Request) Fate { return c.fate })
		_, text, err := get(t, d.URL()+"/x")
		if whole := err == nil && text == "hello, world"; whole != c.whole {
			t.Errorf("fate %d: answer %q, %v", c.fate, text, err)
		}
		if c.fate == TearReply && text != "hello," {
			t.Errorf("torn answer is %q", text)
		}
		heard := false
		select {
		case <-asked:
			heard = true
		default:
		}
		if heard != c.heard {
			t.Errorf("fate %d: heard %v, want %v", c.fate, heard, c.heard)
		}
	}
}

func TestShutDoorRefusesAndOpensAtTheSameAddress(t *testing.T) {
	d, _, _ := shop(t)
	was := d.URL()
	d.Shut()
	if _, _, err := get(t, was); err == nil {
		t.Error("a shut door let somebody in")
	}
	if err := d.Open(); err != nil {
		t.Fatal(err)
	}
	if _, text, err := get(t, was); err != nil || text != "hello, world" {
		t.Errorf("%q, %v", text, err)
	}
}

func TestHeldDoorLetsNothingThroughUntilItIsReleased(t *testing.T) {
	d, asked, more := shop(t)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.URL()+"/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	<-asked
	lines := bufio.NewScanner(resp.Body)
	if !lines.Scan() || lines.Text() != "line 0" {
		t.Fatalf("got %q", lines.Text())
	}
	d.Hold()
	more <- struct{}{}
	second := make(chan string, 1)
	go func() { lines.Scan(); second <- lines.Text() }()
	select {
	case l := <-second:
		t.Errorf("a held door let %q through", l)
	case <-time.After(50 * time.Millisecond):
	}
	d.Release()
	if l := <-second; l != "line 1" {
		t.Errorf("after the release came %q", l)
	}
}

func TestProveShowsThatEverythingWorksAndLeavesNothingOpen(t *testing.T) {
	s := open(t)
	if err := s.Prove(t.Context(), "g1-h6"); err != nil {
		t.Fatal(err)
	}
	list, err := s.Incidents(t.Context())
	if err != nil || len(list) != 3 {
		t.Fatalf("%d incidents, %v", len(list), err)
	}
	for _, i := range list {
		if i.Closed == nil {
			t.Errorf("%s is open", i.Code)
		}
	}
	for id, h := range s.App().Devices.Homes("g1") {
		if want := map[bool]string{true: "amber", false: "green"}[id == "g1-h6"]; string(h.State) != want {
			t.Errorf("%s is %s (%s), want %s", id, h.State, h.Reason.Key, want)
		}
	}
}
