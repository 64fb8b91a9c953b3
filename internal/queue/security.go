package queue

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"
)

// Security is how to connect to brokers that do not let everybody in. The zero value
// is plain text without a password.
//
// Files are read when the queue is opened, so that a missing one is found then. The
// key pair and the password are read again for every connection: they may be renewed
// while the process runs.
type Security struct {
	TLS                bool   // encrypt; implied by the other TLS settings
	CAFile             string // PEM: whose certificates brokers may have; "" for the system's
	CertFile, KeyFile  string // PEM: what this client shows to brokers; both or none
	ServerName         string // in brokers' certificates, where it is not the host that is connected to
	InsecureSkipVerify bool   // believe any certificate: encrypted, but perhaps to somebody else

	SASL         string // "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", or "" for none
	User         string
	PasswordFile string // a newline at its end does not count
}

// apply sets t up, or says what is wrong with s.
func (s Security) apply(t *kafka.Transport) error {
	if s.TLS || s.CAFile != "" || s.CertFile != "" || s.KeyFile != "" || s.ServerName != "" || s.InsecureSkipVerify {
		config, err := s.tlsConfig()
		if err != nil {
			return fmt.Errorf("TLS: %w", err)
		}
		t.TLS = config
	}
	if s.SASL == "" {
		if s.User != "" || s.PasswordFile != "" {
			return errors.New("SASL: a user or password is given, but no mechanism (PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512)")
		}
		return nil
	}
	login := &login{name: s.SASL, user: s.User, passwordFile: s.PasswordFile}
	if _, err := login.mechanism(); err != nil {
		return fmt.Errorf("SASL: %w", err)
	}
	t.SASL = login
	return nil
}

func (s Security) tlsConfig() (*tls.Config, error) {
	config := &tls.Config{ServerName: s.ServerName, InsecureSkipVerify: s.InsecureSkipVerify, MinVersion: tls.VersionTLS12}
	if s.CAFile != "" {
		pem, err := os.ReadFile(s.CAFile)
		if err != nil {
			return nil, fmt.Errorf("read certificates of authorities: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("read certificates of authorities: %s holds none in PEM form", s.CAFile)
		}
	}
	switch {
	case s.CertFile == "" && s.KeyFile == "":
		return config, nil
	case s.CertFile == "" || s.KeyFile == "":
		return nil, fmt.Errorf("a certificate and its key are needed, and only one of them is given (certificate %q, key %q)", s.CertFile, s.KeyFile)
	}
	load := func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(s.CertFile, s.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("read certificate %s with key %s: %w", s.CertFile, s.KeyFile, err)
		}
		return &pair, nil
	}
	if _, err := load(nil); err != nil {
		return nil, err
	}
	config.GetClientCertificate = load
	return config, nil
}

// login is a SASL mechanism that reads its password when it is used.
type login struct {
	name         string
	user         string
	passwordFile string
}

func (l *login) Name() string { return l.name }

// Start implements sasl.Mechanism.
func (l *login) Start(ctx context.Context) (sasl.StateMachine, []byte, error) {
	m, err := l.mechanism()
	if err != nil {
		return nil, nil, err
	}
	return m.Start(ctx)
}

func (l *login) mechanism() (sasl.Mechanism, error) {
	if l.user == "" {
		return nil, fmt.Errorf("%s needs a user", l.name)
	}
	if l.passwordFile == "" {
		return nil, fmt.Errorf("%s needs a password file for user %q", l.name, l.user)
	}
	password, err := os.ReadFile(l.passwordFile)
	if err != nil {
		return nil, fmt.Errorf("read the password of %q: %w", l.user, err)
	}
	password = bytes.TrimRight(password, "\r\n")
	if len(password) == 0 {
		return nil, fmt.Errorf("read the password of %q: %s is empty", l.user, l.passwordFile)
	}
	switch l.name {
	case "PLAIN":
		return plain.Mechanism{Username: l.user, Password: string(password)}, nil
	case "SCRAM-SHA-256":
		return scram.Mechanism(scram.SHA256, l.user, string(password))
	case "SCRAM-SHA-512":
		return scram.Mechanism(scram.SHA512, l.user, string(password))
	}
	return nil, fmt.Errorf("mechanism %q is not known, only PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512", l.name)
}
