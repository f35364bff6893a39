package broker

import (
	"context"
	"net/http"

	"github.com/coder/websocket"
)

// ServeHTTP lets a client in over WebSocket, subprotocol "mqtt" (MQTT 5.0 §6).
// Programs come without an origin. A page of another site is refused: a client
// signs in with its password inside the stream, never with a cookie, but whoever
// opens that page must not guess passwords for it from inside our network.
func (l *Listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols: []string{"mqtt"},
	})
	if err != nil {
		l.n.refuse("websocket")
		return // Accept has answered
	}
	if ws.Subprotocol() != "mqtt" {
		l.n.refuse("websocket")
		_ = ws.Close(websocket.StatusPolicyViolation, "subprotocol mqtt expected")
		return
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	defer cancel()
	c := l.admit(websocket.NetConn(ctx, ws, websocket.MessageBinary), cancel)
	if c != nil {
		c.greet()
		<-c.gone
	}
	_ = ws.CloseNow()
}
