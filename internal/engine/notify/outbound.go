package notify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"syscall"
	"time"
)

// Limits of one attempt.
const (
	attemptWithin = 10 * time.Second
	dialWithin    = 5 * time.Second
	readAtMost    = 4 << 10 // bytes of an answer; what follows is of no interest
)

// errPrivate is an address that nobody outside may make Keng talk to.
var errPrivate = errors.New("address of a private network")

// shared is 100.64.0.0/10 (RFC 6598), behind which providers and clouds keep
// machines; 64:ff9b::/96 (RFC 6052) leads to IPv4 addresses of any kind.
var reserved = [...]netip.Prefix{
	netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("2001::/32"), netip.MustParsePrefix("2002::/16"),
}

// public reports whether a is an address of the open internet.
func public(a netip.Addr) bool {
	a = a.Unmap()
	if !a.IsGlobalUnicast() || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() {
		return false
	}
	for _, p := range reserved {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// Client makes the client for outgoing requests. It follows no redirect, asks no
// proxy, and each connection is checked when its address is known, so that a name
// that changes its mind is of no use. trusted lifts the check of addresses: for
// hosts that the operator himself named, and for tests.
func Client(trusted bool) *http.Client {
	d := &net.Dialer{Timeout: dialWithin, KeepAlive: 30 * time.Second}
	if !trusted {
		d.Control = func(_, address string, _ syscall.RawConn) error {
			a, err := netip.ParseAddrPort(address)
			if err != nil || !public(a.Addr()) {
				return errPrivate
			}
			return nil
		}
	}
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: d.DialContext, ForceAttemptHTTP2: true, TLSHandshakeTimeout: dialWithin, MaxIdleConns: 512, MaxIdleConnsPerHost: 64,
			IdleConnTimeout: 90 * time.Second, ResponseHeaderTimeout: attemptWithin, MaxResponseHeaderBytes: 16 << 10, DisableCompression: true,
		},
	}
}

// CheckEndpoint says why a push service at endpoint would not be talked to; nil
// when it would. trusted also allows what a test needs: http and other ports.
func CheckEndpoint(endpoint string, trusted bool) error {
	u, err := url.Parse(endpoint)
	switch {
	case err != nil || u.Host == "" || len(endpoint) > 2000 || u.User != nil || u.Fragment != "":
		return errors.New("no address of a push service")
	case trusted && (u.Scheme == "http" || u.Scheme == "https"):
		return nil
	case u.Scheme != "https":
		return errors.New("push service without https")
	case u.Port() != "" && u.Port() != "443":
		return errors.New("push service at a port of its own")
	}
	if a, err := netip.ParseAddr(u.Hostname()); err == nil && !public(a) {
		return errPrivate
	}
	return nil
}

// do sends r and reads the little of its answer that counts.
func do(c *http.Client, r *http.Request) (Outcome, error) {
	resp, err := c.Do(r)
	if err != nil {
		return Outcome{State: Sent, Down: true}, bare(err)
	}
	_, _ = io.CopyN(io.Discard, resp.Body, readAtMost) // so that the connection can be used again
	_ = resp.Body.Close()
	return judge(resp), nil
}

// bare is err without the address that it was about: an endpoint is as good as a
// telephone number.
func bare(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// judge reads an answer as RFC 8030 section 5 and 7 mean it.
func judge(resp *http.Response) Outcome {
	o := Outcome{Status: resp.StatusCode, Wait: retryAfter(resp.Header.Get("Retry-After"))}
	switch code := resp.StatusCode; {
	case code >= 200 && code < 300:
		o.State, o.Wait = Accepted, 0
	case code == http.StatusNotFound, code == http.StatusGone:
		o.State = Gone
	case code == http.StatusTooManyRequests, code == http.StatusRequestTimeout:
		o.State = Sent
	case code >= 500:
		o.State, o.Down = Sent, true
	default:
		o.State = Failed
	}
	return o
}

// retryAfter reads the header, in seconds or as a date; 0 when there is none.
func retryAfter(s string) time.Duration {
	if n, err := strconv.Atoi(s); err == nil && n > 0 {
		return time.Duration(min(n, 24*3600)) * time.Second
	}
	if at, err := http.ParseTime(s); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}

// sender hands one message over. Its error is for the log and holds no address.
type sender interface {
	host(m Message) string
	send(ctx context.Context, m Message) (Outcome, error)
}

// hostOf is the lane of an address.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "?"
	}
	return fmt.Sprintf("%s://%s", u.Scheme, u.Host)
}
