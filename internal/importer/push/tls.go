package push

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"
)

// Listen listens for HTTPS with a certificate of files, or for HTTP where there are none.
func Listen(address, certFile, keyFile string) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil || certFile == "" && keyFile == "" {
		return listener, err
	}
	c := &certificate{certFile: certFile, keyFile: keyFile}
	if _, err := c.get(nil); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return tls.NewListener(listener, &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get, NextProtos: []string{"http/1.1"}}), nil
}

// certificate is read anew when its file has changed: they are renewed every few weeks.
type certificate struct {
	certFile, keyFile string

	mu      sync.Mutex
	pair    *tls.Certificate
	changed time.Time
}

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	info, err := os.Stat(c.certFile)
	if err == nil && c.pair != nil && info.ModTime().Equal(c.changed) {
		return c.pair, nil
	}
	if err == nil {
		var pair tls.Certificate
		if pair, err = tls.LoadX509KeyPair(c.certFile, c.keyFile); err == nil {
			c.pair, c.changed = &pair, info.ModTime()
			return c.pair, nil
		}
	}
	if c.pair != nil { // half of it may be written
		return c.pair, nil
	}
	return nil, fmt.Errorf("read certificate %s with key %s: %w", c.certFile, c.keyFile, err)
}
