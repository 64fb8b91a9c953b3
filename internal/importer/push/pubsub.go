package push

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/leoluk/NetMeta/internal/importer"
)

// PubSub is the endpoint of push subscriptions of Google Cloud Pub/Sub, whose messages are
// entries of Cloud Logging ("Push subscriptions" and "Payload unwrapping for Pub/Sub push
// subscriptions" in its documentation). A request has one message, as JSON around it or as
// the body.
type PubSub struct {
	// Tokens are those one of which is in the URL, as ?token=TOKEN.
	Tokens Secrets
	// Verifier checks tokens that Google signs. One that is right is enough.
	Verifier *Verifier
}

const (
	maxMessage = 10 << 20 // bytes of a message, which the documentation says
	maxPubSub  = maxMessage/3*4 + 1<<20
)

// MaxBody implements Endpoint.
func (*PubSub) MaxBody() (wire, unpacked int64) { return maxPubSub, maxPubSub }

// Authorize implements Endpoint.
func (p *PubSub) Authorize(r *http.Request) error {
	if p.Tokens.has(r.URL.Query().Get("token")) {
		return nil
	}
	if p.Verifier == nil {
		return fail(http.StatusUnauthorized, unauthorized, "the token in the URL is missing or wrong: it has to be one of those in --token-file")
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return fail(http.StatusUnauthorized, unauthorized, "there is no token: enable authentication of the push subscription")
	}
	err := p.Verifier.Verify(r.Context(), strings.TrimSpace(token))
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errNoKeys), errors.Is(err, context.Canceled):
		return fail(http.StatusServiceUnavailable, noKeys, "%v", err)
	}
	return fail(http.StatusUnauthorized, unauthorized, "the token is not good: %v", err)
}

// Parse implements Endpoint.
func (p *PubSub) Parse(r *http.Request, body []byte, memory *Memory) (d importer.Delivery, err error) {
	if err := memory.take(int64(len(body))); err != nil {
		return d, err
	}
	if id := r.Header.Get("X-Goog-Pubsub-Message-Id"); id != "" {
		return delivery(r.Header.Get("X-Goog-Pubsub-Subscription-Name"), id, body)
	}
	var request struct {
		Message *struct {
			Data []byte `json:"data"`
			ID   string `json:"messageId"`
			Old  string `json:"message_id"`
		} `json:"message"`
		Subscription string `json:"subscription"`
	}
	if err := json.Unmarshal(body, &request); err != nil {
		return d, fail(http.StatusBadRequest, malformed, "the body is no message of Pub/Sub: %v", err)
	}
	m := request.Message
	if m == nil {
		// Without metadata. Entries of Cloud Logging have an id: two are never the same.
		return delivery("", fmt.Sprintf("sha256 %x", sha256.Sum256(body)), body)
	}
	if m.ID == "" {
		m.ID = m.Old
	}
	return delivery(request.Subscription, m.ID, m.Data)
}

// delivery is what a message becomes. A message is one entry: line breaks in it do not
// count, which JSON may have anywhere but in texts.
func delivery(subscription, id string, data []byte) (d importer.Delivery, err error) {
	if id == "" || len(id) > maxID || len(subscription) > 4*maxID {
		return d, fail(http.StatusBadRequest, malformed, "there is no messageId of up to %d bytes: without one, a message that comes twice would count twice", maxID)
	}
	line := bytes.TrimSpace(bytes.Map(func(c rune) rune {
		if c == '\n' || c == '\r' {
			return ' '
		}
		return c
	}, data))
	return importer.Delivery{
		ID: importer.NewDeliveryID("pubsub", subscription, id), Name: quoted(id),
		Parts: []importer.Part{{Data: line}},
	}, nil
}

// Answer implements Endpoint. Pub/Sub sends again what is answered by anything but 102,
// 200, 201, 202 and 204.
func (p *PubSub) Answer(w http.ResponseWriter, r *http.Request, status int, message string) {
	if status == http.StatusOK {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	http.Error(w, message, status)
}
