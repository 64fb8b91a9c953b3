package queue

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"time"
)

// identity is that of one batch: where it is sent to, and as what. Before it is sent,
// the spool notes it. Whoever sends the batch again, be it a later process, does so
// under the same identity, by which the broker recognises it.
type identity struct {
	cluster   uint64 // as clusterNumber has it
	partition int
	session   session
	sent      time.Time // becomes the timestamp of its messages; milliseconds
}

// noteBytes is the size of an identity in the spool.
const noteBytes = 34

// note returns the identity as the spool keeps it.
func (i identity) note() []byte {
	be := binary.BigEndian
	b := make([]byte, 0, noteBytes)
	b = be.AppendUint64(b, i.cluster)
	b = be.AppendUint32(b, uint32(i.partition))
	b = be.AppendUint64(b, uint64(i.session.id))
	b = be.AppendUint16(b, uint16(i.session.epoch))
	b = be.AppendUint32(b, uint32(i.session.sequence))
	return be.AppendUint64(b, uint64(i.sent.UnixMilli()))
}

func readNote(b []byte) (identity, error) {
	if len(b) != noteBytes {
		return identity{}, fmt.Errorf("note of %d bytes, want %d", len(b), noteBytes)
	}
	be := binary.BigEndian
	return identity{
		cluster:   be.Uint64(b),
		partition: int(int32(be.Uint32(b[8:]))),
		session: session{
			id:       int64(be.Uint64(b[12:])),
			epoch:    int16(be.Uint16(b[20:])),
			sequence: int32(be.Uint32(b[22:])),
		},
		sent: time.UnixMilli(int64(be.Uint64(b[26:]))),
	}, nil
}

// clusterNumber makes a number of fixed size of a cluster's id. Producer ids of one
// cluster mean something else to another.
func clusterNumber(id string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(id)) // never fails
	return h.Sum64()
}
