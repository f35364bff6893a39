package stories

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/keng-vn/keng/internal/alarm"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/signal"
	"github.com/keng-vn/keng/internal/village/stage"
)

// play sets a stage for a story.
func play(t *testing.T, o stage.Options) *stage.Stage {
	t.Helper()
	theBrowser(t) // before anything else: without one there is no story
	o.Data = t.TempDir()
	s, err := stage.Open(t.Context(), o)
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

// boundaries is the map of the province, nil where there is none to be had.
func boundaries(t *testing.T) *bytes.Reader {
	t.Helper()
	fixtures := os.Getenv("KENG_FIXTURES")
	if fixtures == "" {
		return nil
	}
	b, err := os.ReadFile(filepath.Join(fixtures, "../domain/phu-tho-units.geojson"))
	if err != nil {
		return nil
	}
	return bytes.NewReader(b)
}

func sirens(t *testing.T, s *stage.Stage, g place.GroupID, n int) {
	t.Helper()
	if err := s.AwaitSirens(t.Context(), g, n); err != nil {
		t.Fatal(err)
	}
}

func press(t *testing.T, s *stage.Stage, h place.HomeID) {
	t.Helper()
	if !s.Sim.Press(h, signal.Button) {
		t.Fatalf("no button in %s", h)
	}
}

func incidents(t *testing.T, s *stage.Stage) []alarm.IncidentView {
	t.Helper()
	list, err := s.Incidents(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// theIncident is the only one there is.
func theIncident(t *testing.T, s *stage.Stage) alarm.IncidentView {
	t.Helper()
	list := incidents(t, s)
	if len(list) != 1 {
		t.Fatalf("%d incidents, want one: %+v", len(list), list)
	}
	return list[0]
}

// noOptions is a stage as it is set without wishes.
var noOptions stage.Options
