package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/leoluk/NetMeta/internal/importer/push"
)

// gcpEntry is an entry of VPC flow logs whose flow has so many bytes.
func gcpEntry(n int) string {
	return fmt.Sprintf(`{"insertId":"id-%d","jsonPayload":{"bytes_sent":"%d","packets_sent":"1","connection":{"src_ip":"192.0.2.1","src_port":443,"dest_ip":"192.0.2.2","dest_port":50000,"protocol":6},"reporter":"SRC","start_time":"2026-11-27T10:00:00Z","end_time":"2026-11-27T10:00:05Z"},
		"logName":"projects/p/logs/compute.googleapis.com%%2Fvpc_flows","resource":{"labels":{"project_id":"p","subnetwork_id":"7"}}}`, n, n)
}

// pubSub is a request of Pub/Sub as its documentation has it.
func pubSub(t testing.TB, id, data string) request {
	t.Helper()
	body, err := json.Marshal(map[string]any{
		"message":      map[string]any{"data": []byte(data), "messageId": id, "message_id": id, "publishTime": "2026-11-27T10:00:10.000Z", "attributes": map[string]string{"logging.googleapis.com/timestamp": "2026-11-27T10:00:05Z"}},
		"subscription": "projects/p/subscriptions/flows",
	})
	if err != nil {
		t.Fatal(err)
	}
	return request{"/", map[string]string{"Content-Type": "application/json"}, body}
}

// signer signs tokens as Google does.
type signer struct {
	testing.TB
	key any // private
	alg jose.SignatureAlgorithm
	id  string
}

func newSigner(t testing.TB, id string) signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return signer{t, key, jose.RS256, id}
}

func (s signer) public() jose.JSONWebKey {
	return jose.JSONWebKey{Key: &s.key.(*rsa.PrivateKey).PublicKey, KeyID: s.id, Algorithm: "RS256", Use: "sig"}
}

// token returns the header with a token. Claims that change is nil for are left out.
func (s signer) token(change map[string]any) string {
	s.Helper()
	now := time.Now()
	claims := map[string]any{
		"iss": push.GoogleIssuer, "aud": "https://flows.example.net/", "azp": "113774264463038321964", "sub": "113774264463038321964",
		"email": "push@p.iam.gserviceaccount.com", "email_verified": true, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}
	for name, value := range change {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	with, err := jose.NewSigner(jose.SigningKey{Algorithm: s.alg, Key: s.key}, (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", s.id))
	if err != nil {
		s.Fatal(err)
	}
	token, err := jwt.Signed(with).Claims(claims).Serialize()
	if err != nil {
		s.Fatal(err)
	}
	return "Bearer " + token
}

// writeKeys publishes keys in a file.
func writeKeys(t testing.TB, path string, signers ...signer) {
	t.Helper()
	var set jose.JSONWebKeySet
	for _, s := range signers {
		set.Keys = append(set.Keys, s.public())
	}
	b, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestMessagesOfPubSubAreTakenFromWhoHasAGoodTokenOnly(t *testing.T) {
	google, other := newSigner(t, "one"), newSigner(t, "one")
	keys := filepath.Join(t.TempDir(), "keys.json")
	writeKeys(t, keys, google)
	r := newReceiver(t, "gcp-vpc", "--sampling", "1", "--jwks", keys, "--audience", "https://flows.example.net/", "--service-account", "push@p.iam.gserviceaccount.com")

	good := google.token(nil)
	r.wants(204, "a message", pubSub(t, "1", gcpEntry(1)).with("Authorization", good))
	unwrapped := request{"/", map[string]string{"Authorization": good}, []byte(gcpEntry(2))}
	for range 2 {
		r.wants(204, "a message without the JSON around it", unwrapped.with("x-goog-pubsub-message-id", "2"))
	}
	third := request{"/", map[string]string{"Authorization": good}, []byte(gcpEntry(3))}
	for range 2 {
		r.wants(204, "a message without any metadata", third)
	}
	r.wants(204, "a message that comes again", pubSub(t, "1", gcpEntry(1)).with("Authorization", good))
	r.wants(204, "what is no flow log, which would come for ever", pubSub(t, "4", "hello").with("Authorization", good))
	r.wants(400, "a message without an id", pubSub(t, "", gcpEntry(99)).with("Authorization", good))
	r.wants(413, "a message of 20 MB", pubSub(t, "5", strings.Repeat("x", 15<<20)).with("Authorization", good))

	public, err := x509.MarshalPKIXPublicKey(google.public().Key)
	if err != nil {
		t.Fatal(err)
	}
	confused := signer{t, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), jose.HS256, "one"}
	refused := map[string]string{
		"no token":                         "",
		"what is no token":                 "Bearer hello",
		"another scheme":                   strings.Replace(good, "Bearer", "Basic", 1),
		"another key":                      other.token(nil),
		"a key that nobody publishes":      newSigner(t, "two").token(nil),
		"the public key as a shared one":   confused.token(nil),
		"no signature":                     "Bearer eyJhbGciOiJub25lIn0." + strings.Split(good, ".")[1] + ".",
		"another audience":                 google.token(map[string]any{"aud": "https://else.example.net/"}),
		"another issuer":                   google.token(map[string]any{"iss": "https://accounts.example.net"}),
		"another account":                  google.token(map[string]any{"email": "else@p.iam.gserviceaccount.com"}),
		"an account that is not verified":  google.token(map[string]any{"email_verified": false}),
		"a token that has expired":         google.token(map[string]any{"exp": time.Now().Add(-2 * time.Minute).Unix()}),
		"a token that is not good yet":     google.token(map[string]any{"nbf": time.Now().Add(time.Hour).Unix()}),
		"a token that never expires":       google.token(map[string]any{"exp": nil}),
		"a token without an account":       google.token(map[string]any{"email": nil}),
		"a token with other claims inside": good[:len(good)/2] + "x" + good[len(good)/2+1:],
	}
	for what, token := range refused {
		r.wants(401, what, pubSub(t, "bad", gcpEntry(99)).with("Authorization", token))
	}
	if got := r.answers("unauthorized"); got != float64(len(refused)) {
		t.Errorf("%v requests count as unauthorized, want %d", got, len(refused))
	}

	// The file with the keys is gone, and the process is killed: those that it read are good.
	if err := os.Remove(keys); err != nil {
		t.Fatal(err)
	}
	r.restart()
	r.wants(204, "a message after a restart without keys", pubSub(t, "6", gcpEntry(4)).with("Authorization", good))
	for _, again := range []request{pubSub(t, "1", gcpEntry(1)), third, unwrapped.with("x-goog-pubsub-message-id", "2")} {
		r.wants(204, "a message that comes again after a restart", again.with("Authorization", good))
	}
	if report := r.end(); report.Sent != 1 || report.Repeated != 3 {
		t.Errorf("after the restart, the report is %+v", report)
	}
	sentOnce(t, r.brokers, 4)
}

func TestPubSubMaySendWithASecretInTheURL(t *testing.T) {
	r := newReceiver(t, "gcp-vpc", "--sampling", "1", "--token-file", secretFile(t, "a secret"))
	for path, want := range map[string]int{"/": 401, "/?token=": 401, "/?token=wrong": 401, "/?token=a+secret": 204} {
		q := pubSub(t, "1", gcpEntry(1))
		q.path = path
		r.wants(want, path, q)
	}
	r.end()
	sentOnce(t, r.brokers, 1)
}

func TestReceivingIsByTLSAndACertificateMayBeRenewed(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	writeCertificate(t, cert, key, 1)
	r := newReceiver(t, "aws-vpc", "--access-key-file", secretFile(t, accessKey), "--tls-cert", cert, "--tls-key", key)
	shown := func() int64 {
		client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
		response, err := client.Get(*r.url.Load())
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("GET is answered by %s", response.Status)
		}
		return response.TLS.PeerCertificates[0].SerialNumber.Int64()
	}
	if got := shown(); got != 1 {
		t.Errorf("certificate %d is shown", got)
	}
	writeCertificate(t, cert, key, 2)
	if got := shown(); got != 2 {
		t.Errorf("certificate %d is shown after the renewal", got)
	}
}

func writeCertificate(t *testing.T, certFile, keyFile string, serial int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "flows"}, NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for path, block := range map[string]*pem.Block{keyFile: {Type: "PRIVATE KEY", Bytes: private}, certFile: {Type: "CERTIFICATE", Bytes: cert}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	at := time.Now().Add(time.Duration(serial) * time.Second)
	if err := os.Chtimes(certFile, at, at); err != nil {
		t.Fatal(err)
	}
}

func TestImportSaysWhatIsWrongWithTheFlagsOfListen(t *testing.T) {
	secret, listen := secretFile(t, accessKey), []string{"--listen", "127.0.0.1:0", "--state", t.TempDir()}
	for want, args := range map[string][]string{
		"leave FILE out":                   {"aws-vpc", "x"},
		"--access-key-file: open":          {"aws-vpc"},
		"leave out --follow and --dry-run": {"aws-vpc", "--follow"},
		"is empty: write a secret":         {"aws-vpc", "--access-key-file", secretFile(t, "")},
		"is no size such as 512MiB":        {"aws-vpc", "--access-key-file", secret, "--memory", "1MB"},
		"anybody could send":               {"gcp-vpc"},
		"[audience service-account]":       {"gcp-vpc", "--audience", "x"},
		"[tls-cert tls-key]":               {"aws-vpc", "--tls-cert", "x"},
		"read certificate":                 {"aws-vpc", "--access-key-file", secret, "--tls-cert", "/missing", "--tls-key", "/missing"},
		"requires at least 1 arg(s)":       nil,
	} {
		all := append(append([]string{"import"}, args...), listen...)
		if args == nil {
			all = []string{"import", "gcp-vpc"}
		}
		if _, _, err := execute(t, all...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want %s", args, err, want)
		}
	}
}
