package broker

import (
	"cmp"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"

	"github.com/coder/websocket"
)

// dial connects to a standing broker and returns the connection and what closes
// it at once.
func dial(ctx context.Context, u *url.URL, set *tls.Config) (net.Conn, func(), error) {
	if u.Scheme == "ws" || u.Scheme == "wss" {
		return dialWebSocket(ctx, u, set)
	}
	port := cmp.Or(u.Port(), map[string]string{"mqtt": "1883", "mqtts": "8883"}[u.Scheme])
	addr := net.JoinHostPort(u.Hostname(), port)
	var nc net.Conn
	var err error
	if u.Scheme == "mqtts" {
		nc, err = (&tls.Dialer{Config: set}).DialContext(ctx, "tcp", addr)
	} else {
		nc, err = new(net.Dialer).DialContext(ctx, "tcp", addr)
	}
	if err != nil {
		return nil, nil, err
	}
	return nc, closer(nc), nil
}

func dialWebSocket(ctx context.Context, u *url.URL, set *tls.Config) (net.Conn, func(), error) {
	bare := *u
	bare.User = nil // the password goes into the CONNECT
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: set, Proxy: http.ProxyFromEnvironment}}
	ws, _, err := websocket.Dial(ctx, bare.String(), &websocket.DialOptions{Subprotocols: []string{"mqtt"}, HTTPClient: client}) //nolint:bodyclose // the library closes it
	if err != nil {
		return nil, nil, err
	}
	life, end := context.WithCancel(context.Background())
	context.AfterFunc(life, func() { _ = ws.CloseNow() })
	return websocket.NetConn(life, ws, websocket.MessageBinary), end, nil
}
