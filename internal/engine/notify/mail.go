package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"net/url"
	"strings"
	"time"
)

// Server is a mail server: smtps://user@host:465, or smtp://user@host:587, which
// must offer STARTTLS unless it is on this machine.
type Server struct {
	URL      string
	Password string
	From     string // "Kẻng <keng@xa.example.vn>"
}

// poster sends e-mail.
type poster struct {
	to  Server
	now func() time.Time
}

func (p *poster) host(Message) string { return string(Mail) + " " + hostOf(p.to.URL) }

func (p *poster) send(ctx context.Context, m Message) (Outcome, error) {
	text, from, err := p.letter(m)
	if err != nil {
		return Outcome{State: Failed}, err
	}
	if err := p.deliver(ctx, from, m.To, text); err != nil {
		if e, ok := errors.AsType[*textproto.Error](err); ok {
			if e.Code >= 500 {
				return Outcome{State: Failed, Status: e.Code}, fmt.Errorf("mail server answered %d", e.Code)
			}
			return Outcome{State: Sent, Status: e.Code}, fmt.Errorf("mail server answered %d", e.Code)
		}
		return Outcome{State: Sent, Down: true}, errors.New("mail server could not be reached")
	}
	return Outcome{State: Accepted, Status: 250}, nil
}

// letter is m as RFC 5322 wants it. A line break in a header would be a header of
// somebody else's making.
func (p *poster) letter(m Message) (text []byte, from string, err error) {
	sender, err := mail.ParseAddress(p.to.From)
	if err != nil {
		return nil, "", errors.New("--smtp-from is no address")
	}
	if a, err := mail.ParseAddress(m.To); err != nil || a.Address != m.To || strings.ContainsAny(m.To+m.Title, "\r\n") {
		return nil, "", errors.New("no e-mail address")
	}
	_, domain, _ := strings.Cut(sender.Address, "@")
	var b bytes.Buffer
	for _, h := range [][2]string{
		{"From", sender.String()}, {"To", m.To}, {"Subject", mime.QEncoding.Encode("utf-8", m.Title)}, {"Date", p.now().Format(time.RFC1123Z)},
		{"Message-ID", "<" + m.ID() + "@" + domain + ">"}, {"Auto-Submitted", "auto-generated"}, {"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=utf-8"}, {"Content-Transfer-Encoding", "base64"},
	} {
		_, _ = fmt.Fprintf(&b, "%s: %s\r\n", h[0], h[1])
	}
	b.WriteString("\r\n")
	for body := base64.StdEncoding.EncodeToString([]byte(m.Body)); body != ""; {
		n := min(76, len(body))
		b.WriteString(body[:n] + "\r\n")
		body = body[n:]
	}
	return b.Bytes(), sender.Address, nil
}

func (p *poster) deliver(ctx context.Context, from, to string, text []byte) (err error) {
	u, err := url.Parse(p.to.URL)
	if err != nil {
		return err
	}
	host := u.Hostname()
	secure := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	conn, err := (&net.Dialer{Timeout: dialWithin}).DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return err
	}
	if end, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(end); err != nil {
			return errors.Join(err, conn.Close())
		}
	}
	if u.Scheme == "smtps" {
		conn = tls.Client(conn, secure)
	}
	c, err := smtp.NewClient(conn, host)
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	defer func() { _ = c.Close() }()
	local := host == "localhost" || net.ParseIP(host).IsLoopback()
	if ok, _ := c.Extension("STARTTLS"); u.Scheme != "smtps" && (ok || !local) {
		if err := c.StartTLS(secure); err != nil {
			return err
		}
	}
	if user := u.User.Username(); user != "" {
		if err := c.Auth(smtp.PlainAuth("", user, p.to.Password, host)); err != nil {
			return err
		}
	}
	if err := c.Mail(from); err != nil {
		return err
	}
	if err := c.Rcpt(to); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	_ = c.Quit() // it has the letter
	return nil
}
