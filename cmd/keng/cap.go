package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/keng-vn/keng/internal/cap"
	"github.com/keng-vn/keng/internal/engine/say"
)

// capFile hands a CAP 1.2 file to a running Keng, as the holder of a token.
func capFile(ctx context.Context, e env, args []string) (err error) {
	fs := flags(e, "cap", "import FILE   (FILE - reads standard input)")
	base := fs.String("url", e.or("KENG_URL", "http://127.0.0.1:8080"), "`address` of the running Keng (KENG_URL)")
	check := fs.Bool("check", false, "a dry run: say what the file says, send nothing")
	lang := fs.String("lang", e.or("KENG_LANG", "vi"), "language of the report, vi or en (KENG_LANG)")
	words, err := parse(fs, args)
	if err != nil {
		return err
	}
	if len(words) != 2 || words[0] != "import" {
		fs.Usage()
		return errUsage
	}
	in, err := open(words[1])
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	text, err := io.ReadAll(io.LimitReader(in, cap.Largest+1))
	if err != nil {
		return fmt.Errorf("read %s: %w", words[1], err)
	}
	if *check {
		a, err := cap.Read(bytes.NewReader(text))
		if err != nil {
			return said(err)
		}
		_, err = fmt.Fprintf(e.out, "%s %s %s, %s, %s\n", a.Status, a.MsgType, a.Identifier, a.Sender, a.Sent.Format(time.RFC3339))
		return err
	}
	secret := e.or("KENG_TOKEN", "")
	if secret == "" {
		return errors.New("KENG_TOKEN_FILE must name a file with a desk's token: keng token create --role desk --unit CODE")
	}
	return sendCAP(ctx, e, *base, secret, say.Lang(*lang), text)
}

// sendCAP posts a message and tells what became of it, in Keng's own words.
func sendCAP(ctx context.Context, e env, base, secret string, l say.Lang, text []byte) (err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(base, "/")+"/api/v1/cap/alerts", bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("send CAP: %w", err)
	}
	r.Header.Set("Authorization", "Bearer "+secret)
	r.Header.Set("Content-Type", cap.Media)
	r.Header.Set("Accept-Language", string(l))
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("send CAP: %w", err)
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("send CAP: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		var p struct{ Detail string }
		_ = json.Unmarshal(body, &p) // not ours: the status says enough
		return fmt.Errorf("%s: %s", resp.Status, p.Detail)
	}
	var t cap.Taken
	if err := json.Unmarshal(body, &t); err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	_, err = fmt.Fprintf(e.out, "cap: %s %s %s: %d groups, shown %t, again %t\n", t.Status, t.MsgType, t.Identifier, t.Groups, t.Shown, t.Again)
	return err
}
