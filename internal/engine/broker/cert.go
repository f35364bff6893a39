package broker

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"time"
)

// TLS returns the configuration of a TLS listener with the certificate in two
// PEM files. New files are taken up at the next connection, without a restart;
// a broken pair is not: the one before stays in use.
func TLS(certFile, keyFile string) (*tls.Config, error) {
	p := &pair{files: [2]string{certFile, keyFile}}
	if err := p.load(); err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		CipherSuites:   suites(),
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return p.current(), nil },
	}, nil
}

// suites are those of TLS 1.2 that have forward secrecy and authenticate what they
// encrypt; what TLS 1.3 has is not asked.
func suites() []uint16 {
	return []uint16{
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	}
}

// pair is a certificate and its key, as they were when the files were stamped.
type pair struct {
	files [2]string

	mu    sync.Mutex
	cert  *tls.Certificate
	stamp [2]stamp
}

// stamp tells one version of a file from another.
type stamp struct {
	at   time.Time
	size int64
}

func (p *pair) load() error {
	now, err := p.stamps()
	if err != nil {
		return err
	}
	cert, err := tls.LoadX509KeyPair(p.files[0], p.files[1])
	if err != nil {
		return fmt.Errorf("load certificate: %w", err)
	}
	p.cert, p.stamp = &cert, now
	return nil
}

func (p *pair) stamps() (s [2]stamp, err error) {
	for i, name := range p.files {
		f, err := os.Stat(name)
		if err != nil {
			return s, fmt.Errorf("look at certificate: %w", err)
		}
		s[i] = stamp{f.ModTime(), f.Size()}
	}
	return s, nil
}

func (p *pair) current() *tls.Certificate {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now, err := p.stamps(); err == nil && now != p.stamp {
		_ = p.load() // half a pair: try again at the next connection
	}
	return p.cert
}
