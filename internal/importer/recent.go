package importer

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
)

// DeliveryID tells a delivery from others: a hash of what its sender calls it.
type DeliveryID [16]byte

// NewDeliveryID returns the id of what a sender calls by these names.
func NewDeliveryID(names ...string) (id DeliveryID) {
	h := sha256.New()
	for _, name := range names {
		h.Write([]byte(name))
		h.Write([]byte{0})
	}
	copy(id[:], h.Sum(nil))
	return id
}

// MarshalText implements encoding.TextMarshaler.
func (d DeliveryID) MarshalText() ([]byte, error) {
	return base64.RawStdEncoding.AppendEncode(nil, d[:]), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *DeliveryID) UnmarshalText(text []byte) error {
	if len(text) != base64.RawStdEncoding.EncodedLen(len(d)) {
		return errors.New("it is no id of a delivery")
	}
	_, err := base64.RawStdEncoding.Decode(d[:], text)
	return err
}

// recent knows the newest deliveries: at least most of them, and at most twice as many. It
// counts instead of looking at the clock, so that a sender may try again after an outage
// of any length.
type recent struct {
	most         int
	newer, older map[DeliveryID]struct{}
}

func newRecent(most int) *recent {
	return &recent{most: most, newer: map[DeliveryID]struct{}{}}
}

func (r *recent) add(id DeliveryID) {
	if len(r.newer) >= r.most {
		r.newer, r.older = map[DeliveryID]struct{}{}, r.newer
	}
	r.newer[id] = struct{}{}
}

func (r *recent) has(id DeliveryID) bool {
	_, newer := r.newer[id]
	_, older := r.older[id]
	return newer || older
}

// all returns what it knows, older ones first.
func (r *recent) all() []DeliveryID {
	ids := make([]DeliveryID, 0, len(r.newer)+len(r.older))
	for id := range r.older {
		ids = append(ids, id)
	}
	for id := range r.newer {
		ids = append(ids, id)
	}
	return ids
}
