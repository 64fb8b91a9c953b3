package exporter

import (
	"math"
	"time"

	"github.com/leoluk/NetMeta/internal/flow"
)

// Received counts one datagram of so many bytes.
func (s *State) Received(p flow.Protocol, bytes int) {}

// AddRecords counts n flow records that were decoded and emitted, of which unrated
// have a sampling rate that nobody knows.
func (s *State) AddRecords(p flow.Protocol, n, unrated int) {}

// UnknownUnits is what Sequence is told where the records of a datagram cannot be
// counted, because a template is missing: the next number is then taken as it comes.
const UnknownUnits = math.MaxUint32

// Sequence notes the sequence number of a datagram. Stream tells apart what counts on
// its own: the source id of NetFlow v9, the observation domain of IPFIX, the engine of
// NetFlow v5, the sub-agent id of sFlow. Units is by how much the number grows from
// this datagram to the next: 1 (sFlow, v9), flow records (v5) or data records (IPFIX),
// or UnknownUnits.
func (s *State) Sequence(p flow.Protocol, stream uint32, sequence, units uint32) {}

// Keep decides by the exporter's flow limit whether a flow is kept, and by what its
// sampling rate has to be multiplied then, 1 without a limit.
func (s *State) Keep(now time.Time) (keep bool, factor uint64) { return true, 1 }
