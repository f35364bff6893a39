package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/keng-vn/keng/internal/app"
	"github.com/keng-vn/keng/internal/engine/audit"
	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/signin"
)

// stopWithin is how long a running Keng has to end after SIGTERM.
const stopWithin = 3500 * time.Millisecond

// lastMoment is how long what was told to give up then has to do so.
const lastMoment = 500 * time.Millisecond

// bystanders are the witnesses given by flags.
type bystanders []audit.Bystander

func (b *bystanders) String() string { return "" }

// Set implements flag.Value. It takes several, with spaces between.
func (b *bystanders) Set(text string) error {
	for word := range strings.FieldsSeq(text) {
		w, err := audit.ParseBystander(word)
		if err != nil {
			return err
		}
		*b = append(*b, w)
	}
	return nil
}

// serveFlags fills o from flags and environment.
func serveFlags(fs *flag.FlagSet, e env, o *app.Options, data string) {
	fs.StringVar(&o.Data, "data", e.or("KENG_DATA", data), "`folder` of the data (KENG_DATA)")
	fs.StringVar(&o.Database, "database", e.or("KENG_DATABASE", ""), "postgres:// `URL` instead of SQLite in the data folder (KENG_DATABASE)")
	fs.StringVar(&o.HTTP, "http", e.or("KENG_HTTP", "127.0.0.1:8080"), "`address` for browsers and programs (KENG_HTTP)")
	fs.StringVar(&o.MQTT, "mqtt", e.or("KENG_MQTT", "127.0.0.1:1883"), "`address` for devices; MQTT over WebSocket is /mqtt on the HTTP address (KENG_MQTT)")
	fs.StringVar(&o.Broker, "mqtt-broker", e.or("KENG_MQTT_BROKER", ""), "mqtt(s):// `URL` of a standing broker to join instead of listening (KENG_MQTT_BROKER)")
	fs.StringVar(&o.DC09, "dc09", e.or("KENG_DC09", ""), "`address` for SIA DC-09 panels, TCP and UDP (KENG_DC09)")
	fs.StringVar(&o.Cert, "tls-cert", e.or("KENG_TLS_CERT", ""), "PEM `file` with the certificate, for HTTPS and MQTTS (KENG_TLS_CERT)")
	fs.StringVar(&o.Key, "tls-key", e.or("KENG_TLS_KEY", ""), "PEM `file` with its key (KENG_TLS_KEY)")
	fs.StringVar(&o.Origin, "origin", e.or("KENG_ORIGIN", ""), "`address` under which people open Keng, such as https://keng.example.vn; passkeys and secure cookies need it (KENG_ORIGIN)")
	fs.StringVar(&o.KeyFile, "key-file", e.or("KENG_KEY_FILE", ""), "`file` with the key that seals notes of homes; keng.key in the data folder by default (KENG_KEY_FILE)")
	outsideFlags(fs, e, &o.Outside)
	fs.StringVar(&o.StyleURL, "map-style", e.or("KENG_MAP_STYLE", ""), "`URL` of a MapLibre style beneath our own map; none by default (KENG_MAP_STYLE)")
	fs.StringVar(&o.LogName, "log-name", e.or("KENG_LOG_NAME", "main"), "`name` of the log of acts, when its key is made (KENG_LOG_NAME)")
}

func serve(ctx context.Context, e env, args []string) error {
	fs := flags(e, "serve", "--data DIR [flags]")
	o := app.Options{Version: version}
	serveFlags(fs, e, &o, "")
	custom := fs.String("rules", e.or("KENG_RULES", ""), "CSV `file` of dated rules (emergency numbers and the like) instead of those built in (KENG_RULES)")
	var seen bystanders
	if err := seen.Set(e.getenv("KENG_WITNESS")); err != nil {
		return fmt.Errorf("KENG_WITNESS: %w", err)
	}
	fs.Var(&seen, "witness", "`URL=KEY` of a witness of the log of acts; may be repeated (KENG_WITNESS, with spaces between)")
	province := provinceFlags(fs, e)
	level := fs.String("log", e.or("KENG_LOG", "info"), "debug, info, warn or error (KENG_LOG)")
	if words, err := parse(fs, args); err != nil {
		return err
	} else if len(words) > 0 {
		return fmt.Errorf("serve takes no %q", words[0])
	}
	o.Witnesses = seen
	var err error
	if o.Log, err = logger(e.err, *level); err != nil {
		return err
	}
	if o.Rules, err = readRules(*custom); err != nil {
		return err
	}
	if o.Province, err = province(); err != nil {
		return err
	}
	a, err := app.New(ctx, o)
	if err != nil {
		return err
	}
	return live(ctx, e, a, nil)
}

// provinceFlags are those of the province's own sign-in; the answer reads them.
func provinceFlags(fs *flag.FlagSet, e env) func() (*signin.Province, error) {
	issuer := fs.String("oidc-issuer", e.or("KENG_OIDC_ISSUER", ""), "`address` of the province's own sign-in, OpenID Connect (KENG_OIDC_ISSUER)")
	client := fs.String("oidc-client", e.or("KENG_OIDC_CLIENT", ""), "`name` under which it knows Keng (KENG_OIDC_CLIENT)")
	secret := fs.String("oidc-secret-file", e.or("KENG_OIDC_SECRET_FILE", ""), "`file` with the secret that goes with it; or the secret itself in KENG_OIDC_SECRET")
	return func() (*signin.Province, error) {
		if *issuer == "" {
			return nil, nil
		}
		if *client == "" {
			return nil, errors.New("--oidc-issuer needs --oidc-client too")
		}
		p := &signin.Province{Issuer: *issuer, ClientID: *client, Secret: e.getenv("KENG_OIDC_SECRET")}
		if *secret != "" {
			b, err := os.ReadFile(*secret)
			if err != nil {
				return nil, fmt.Errorf("read --oidc-secret-file: %w", err)
			}
			p.Secret = strings.TrimSpace(string(b))
		}
		return p, nil
	}
}

// live starts a, calls started once it listens, and stops it when ctx ends.
func live(ctx context.Context, e env, a *app.App, started func() error) (err error) {
	defer func() { stop(ctx, a) }()
	if err := a.Start(ctx); err != nil {
		return err
	}
	scheme := "http"
	if a.Cert != "" {
		scheme = "https"
	}
	_, _ = fmt.Fprintf(e.out, "keng: ready http=%s://%s mqtt=%s\n", scheme, a.HTTPAddr(), a.MQTTAddr())
	if started != nil {
		if err := started(); err != nil {
			return err
		}
	}
	select {
	case <-ctx.Done():
		return nil
	case <-a.Lost():
		return store.ErrLockLost
	}
}

// stop ends a in time, whatever hangs: a disk that no longer answers, or somebody
// who takes nothing. What could not be written is in the log: its senders got no
// acknowledgement and send it again.
func stop(ctx context.Context, a *app.App) {
	bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer cancel()
	stopped := make(chan error, 1)
	go func() { stopped <- a.Stop(bye) }()
	var err error
	select {
	case err = <-stopped:
	case <-bye.Done():
		select {
		case err = <-stopped:
		case <-time.After(lastMoment): // the process ends all the same
			err = errors.New("something did not end in time")
		}
	}
	if err != nil {
		a.Log.Error("Keng did not end as it should", slog.Any("err", err))
	}
}

// logger writes text lines to w.
func logger(w io.Writer, level string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(strings.ToUpper(level))); err != nil {
		return nil, fmt.Errorf("--log %s: use debug, info, warn or error", level)
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: l})), nil
}
