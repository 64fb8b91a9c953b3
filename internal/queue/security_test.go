package queue

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/leoluk/NetMeta/internal/kafkatest"
)

func file(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpenRefusesSecurityThatCannotWork(t *testing.T) {
	empty, password, missing := file(t, "\n"), file(t, "secret\n"), filepath.Join(t.TempDir(), "missing")
	for name, c := range map[string]struct {
		security Security
		says     string
	}{
		"no such authorities":     {Security{CAFile: missing}, "read certificates of authorities: open " + missing},
		"authorities not in PEM":  {Security{CAFile: password}, password + " holds none in PEM form"},
		"a certificate alone":     {Security{CertFile: "client.pem"}, `a certificate and its key are needed, and only one of them is given (certificate "client.pem", key "")`},
		"a key alone":             {Security{KeyFile: "client.key"}, `(certificate "", key "client.key")`},
		"no such key pair":        {Security{CertFile: missing, KeyFile: missing}, "read certificate " + missing},
		"an unknown mechanism":    {Security{SASL: "GSSAPI", User: "u", PasswordFile: password}, `mechanism "GSSAPI" is not known, only PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512`},
		"no mechanism for a user": {Security{User: "u"}, "but no mechanism"},
		"no user":                 {Security{SASL: "PLAIN", PasswordFile: password}, "PLAIN needs a user"},
		"no password":             {Security{SASL: "PLAIN", User: "u"}, `needs a password file for user "u"`},
		"no such password file":   {Security{SASL: "PLAIN", User: "u", PasswordFile: missing}, `read the password of "u": open ` + missing},
		"an empty password":       {Security{SASL: "SCRAM-SHA-256", User: "u", PasswordFile: empty}, empty + " is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Open(Config{Brokers: []string{"127.0.0.1:1"}, Topic: topic, Security: c.security})
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("Open() = %v; want %q in it", err, c.says)
			}
		})
	}
}

func TestGenuineKafka15LetsInWhoHasTheRightCertificateAndPassword(t *testing.T) {
	plain, secure := kafkatest.StartSecure(t)
	kafkatest.CreateTopic(t, []string{plain}, topic, 2)
	good := Security{
		CAFile: secure.CAFile, CertFile: secure.CertFile, KeyFile: secure.KeyFile,
		User: secure.User, PasswordFile: file(t, secure.Password+"\n"),
	}
	next := uint64(1)
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		t.Run(mechanism, func(t *testing.T) {
			s := good
			s.SASL = mechanism
			p := open(t, Config{Brokers: []string{secure.Address}, Security: s, Spool: t.TempDir()})
			flows(p.NewWriter(), next, next+999)
			next += 1000
			closeFlushed(t, p)
		})
	}
	wantExactly(t, readBack(t, []string{plain}), int(next-1))

	for name, c := range map[string]struct {
		broker string
		change func(*Security)
		says   string
	}{
		"a wrong password":                {secure.Address, func(s *Security) { s.SASL, s.PasswordFile = "SCRAM-SHA-256", file(t, "wrong") }, "Kafka does not let us in"},
		"a wrong password in PLAIN":       {secure.Address, func(s *Security) { s.SASL, s.PasswordFile = "PLAIN", file(t, "wrong") }, "Kafka does not let us in"},
		"another authority":               {secure.Address, func(s *Security) { s.SASL, s.CAFile = "PLAIN", "" }, "Kafka's certificate is not to be trusted"},
		"another name in the certificate": {secure.Address, func(s *Security) { s.SASL, s.ServerName = "PLAIN", "kafka.example.org" }, "Kafka's certificate is not to be trusted"},
		"no certificate of our own":       {secure.Address, func(s *Security) { s.SASL, s.CertFile, s.KeyFile = "PLAIN", "", "" }, "Kafka does not accept our certificate"},
		"plain text to a port with TLS":   {secure.Address, func(s *Security) { *s = Security{} }, "Kafka hangs up"},
		"TLS to a port with plain text":   {plain, func(s *Security) { s.User, s.PasswordFile = "", "" }, "Kafka hangs up"},
		"no password where one is wanted": {secure.Address, func(s *Security) { s.User, s.PasswordFile = "", "" }, "Kafka hangs up"},
		"a password where none is wanted": {plain, func(s *Security) { *s = Security{SASL: "PLAIN", User: s.User, PasswordFile: s.PasswordFile} }, "Kafka does not know this way to give a password"},
	} {
		t.Run(name, func(t *testing.T) {
			s := good
			c.change(&s)
			log := &lines{}
			p := open(t, Config{Brokers: []string{c.broker}, Security: s, Logger: log.logger()})
			poll(t, time.Minute, "the failure to be noticed", func() bool { return p.Err() != nil })
			if what, check := explain(p.Err()); what != c.says {
				t.Errorf("said %q, check %q, of error %v; want %q", what, check, p.Err(), c.says)
			}
		})
	}
}
