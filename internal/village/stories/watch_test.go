package stories

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
)

// watch hears what a browser complains about. The zero watch forgives nothing.
type watch struct {
	mu       sync.Mutex
	heard    []string
	asked    map[network.RequestID]string // addresses
	noLine   bool                         // requests may fail: the story cuts the line
	statuses []int64                      // refusals that the story provokes
}

// cutting says that from now on requests may fail; errors of scripts and refused
// rules count all the same.
func (w *watch) cutting() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.noLine = true
}

// provoke says that answers with these statuses are what the story is about.
func (w *watch) provoke(statuses ...int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.statuses = append(w.statuses, statuses...)
}

// take returns what was heard so far and forgets it.
func (w *watch) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	heard := w.heard
	w.heard = nil
	return heard
}

func (w *watch) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.heard = append(w.heard, fmt.Sprintf(format, args...))
}

func (w *watch) forgiven(status int64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.noLine && status == 0 || slices.Contains(w.statuses, status)
}

// listen takes one event of the browser.
func (w *watch) listen(ev any) {
	switch e := ev.(type) {
	case *runtime.EventExceptionThrown:
		d := e.ExceptionDetails
		w.note("exception: %s %s %s:%d", d.Text, words([]*runtime.RemoteObject{d.Exception}), d.URL, d.LineNumber)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeAssert {
			w.note("console: %s", words(e.Args))
		}
	case *log.EventEntryAdded:
		// what failed on the network is told better by the network's own events
		if e.Entry.Level == log.EntryLevelError && e.Entry.Source != log.EntrySourceNetwork {
			w.note("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL)
		}
	case *network.EventRequestWillBeSent:
		w.remember(e.RequestID, e.Request.Method+" "+e.Request.URL)
	case *network.EventLoadingFailed:
		if !e.Canceled && !w.forgiven(0) && e.ErrorText != "net::ERR_ABORTED" { // given up by the page itself: it went elsewhere
			w.note("request failed: %s %s %s", w.remembered(e.RequestID), e.ErrorText, e.BlockedReason)
		}
	case *network.EventResponseReceived:
		if s := e.Response.Status; s >= 400 && !w.forgiven(s) {
			w.note("answer %d: %s", s, e.Response.URL)
		}
	}
}

func (w *watch) remember(id network.RequestID, what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.asked == nil {
		w.asked = map[network.RequestID]string{}
	}
	w.asked[id] = what
}

func (w *watch) remembered(id network.RequestID) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.asked[id]
}

func words(args []*runtime.RemoteObject) string {
	var all []string
	for _, a := range args {
		if a == nil {
			continue
		}
		if a.Description != "" {
			all = append(all, a.Description)
		} else {
			all = append(all, string(a.Value))
		}
	}
	return strings.Join(all, " ")
}
