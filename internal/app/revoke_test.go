package app

import (
	"strings"
	"testing"
	"time"

	"github.com/keng-vn/keng/internal/village"
	"github.com/keng-vn/keng/internal/village/radio"
)

// TestChangedPasswordEndsOldConnections: whoever had the old password is not heard
// any more once the village is read again; who has the new one is.
func TestChangedPasswordEndsOldConnections(t *testing.T) {
	a := alley(t, Options{Data: t.TempDir(), MQTT: "127.0.0.1:0"})
	h := connect(t, a.MQTTAddr(), radio.Options{User: "alley12", Password: "secret-1"})
	importAgain := func(text string) {
		t.Helper()
		if rep, err := village.Import(t.Context(), a.DB, strings.NewReader(text), village.Options{}); err != nil {
			t.Fatalf("%v %+v", err, rep.Rows)
		}
		if err := a.Devices.Reload(t.Context(), a.Village.Directory()); err != nil {
			t.Fatal(err)
		}
		a.listener.Revoke(a.Devices.Still)
	}
	importAgain(yaml) // nothing changed for the hub
	if err := h.c.Ping(); err != nil {
		t.Fatalf("a reload threw the hub out: %v", err)
	}
	select {
	case <-h.c.Done():
		t.Fatal("a reload threw the hub out")
	default:
	}
	if rep, err := village.Import(t.Context(), a.DB, strings.NewReader(strings.Replace(yaml, "secret-1", "secret-2", 1)), village.Options{}); err != nil {
		t.Fatalf("%v %+v", err, rep.Rows)
	}
	select { // the running Keng notices by itself
	case <-h.c.Done():
	case <-time.After(20 * time.Second):
		t.Fatal("the old password still speaks")
	}
	if _, err := radio.Dial(t.Context(), radio.Options{Addr: a.MQTTAddr(), ClientID: "old", User: "alley12", Password: "secret-1"}); err == nil {
		t.Error("the old password still signs in")
	}
	c, err := radio.Dial(t.Context(), radio.Options{Addr: a.MQTTAddr(), ClientID: "new", User: "alley12", Password: "secret-2"})
	if err != nil {
		t.Fatal(err)
	}
	c.Disconnect()
}
