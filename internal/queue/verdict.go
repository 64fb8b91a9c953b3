package queue

import (
	"errors"
	"math"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// session is the identity under which a partition's batches are sent: broker and
// producer count sequence numbers for it. Every partition has its own, so that one
// that has to begin anew concerns no other.
type session struct {
	id       int64 // from the broker; none until then
	epoch    int16
	sequence int32 // of the next message
}

const none = -1

// advance counts n messages as stored. Sequence numbers wrap around to 0.
func (s *session) advance(n int) {
	s.sequence = int32((int64(s.sequence) + int64(n)) & math.MaxInt32)
}

// bump begins the next epoch. As a producer without transactions may do that by
// itself (KIP-360), and batches of the old epoch that are still under way will be
// refused from then on, it is preferred to a new id.
func (s *session) bump() {
	if s.epoch == math.MaxInt16 {
		s.id = none
		return
	}
	s.epoch++
	s.sequence = 0
}

// action is what to do with a batch after an answer.
type action int

const (
	resend action = iota // the same bytes
	stored               // nothing: it is stored
	bump                 // send it under the next epoch
	renew                // send it under a new producer id
	split                // two halves take its place
	redo                 // read it anew and send it under the same sequence
	drop                 // give it up
)

// verdict is what an answer means.
type verdict struct {
	action action
	reason string // label for metrics
	// doubtful: the broker may have stored the batch although it did not say so.
	doubtful bool
	// moved: the broker that was asked is not, or no longer, the partition's leader.
	moved bool
}

// verdicts by error code. Whatever is not listed leaves doubt and is sent again.
var verdicts = map[kafka.Error]verdict{
	kafka.DuplicateSequenceNumber: {action: stored},

	kafka.RequestTimedOut:              {action: resend, reason: "timeout", doubtful: true},
	kafka.NotEnoughReplicasAfterAppend: {action: resend, reason: "replicas", doubtful: true},
	kafka.NotEnoughReplicas:            {action: resend, reason: "replicas"},
	kafka.ThrottlingQuotaExceeded:      {action: resend, reason: "throttled"},
	kafka.TopicAuthorizationFailed:     {action: resend, reason: "unauthorized"},
	kafka.ClusterAuthorizationFailed:   {action: resend, reason: "unauthorized"},

	kafka.NotLeaderForPartition:   {action: resend, reason: "leader", moved: true},
	kafka.LeaderNotAvailable:      {action: resend, reason: "leader", moved: true},
	kafka.ReplicaNotAvailable:     {action: resend, reason: "leader", moved: true},
	kafka.FencedLeaderEpoch:       {action: resend, reason: "leader", moved: true},
	kafka.UnknownLeaderEpoch:      {action: resend, reason: "leader", moved: true},
	kafka.KafkaStorageError:       {action: resend, reason: "storage", doubtful: true, moved: true},
	kafka.UnknownTopicOrPartition: {action: resend, reason: "topic", moved: true},
	kafka.UnknownTopicID:          {action: resend, reason: "topic", moved: true},
	kafka.InconsistentTopicID:     {action: resend, reason: "topic", moved: true},

	// The broker has forgotten messages of this session, or the topic was deleted
	// and made again: the sequence cannot go on. This attempt was not stored. An
	// earlier one of the same batch was if its answer was lost and the broker lost
	// its memory since, within one batch; then the flows are stored twice, which is
	// preferred to losing them, and counted as doubtful.
	kafka.OutOfOrderSequenceNumber: {action: bump, reason: "sequence"},
	kafka.UnknownProducerId:        {action: renew, reason: "session"},
	kafka.InvalidProducerEpoch:     {action: renew, reason: "session"},
	kafka.ProducerFenced:           {action: renew, reason: "session"},
	kafka.InvalidProducerIDMapping: {action: renew, reason: "session"},

	kafka.MessageSizeTooLarge: {action: split, reason: "too_large"},
	kafka.RecordListTooLarge:  {action: split, reason: "too_large"},

	kafka.InvalidMessage:              {action: redo, reason: "invalid"}, // damaged on the way
	kafka.InvalidMessageSize:          {action: redo, reason: "invalid"},
	kafka.InvalidRecord:               {action: redo, reason: "invalid"},
	kafka.InvalidTimestamp:            {action: redo, reason: "invalid"}, // it gets a new one
	kafka.UnsupportedForMessageFormat: {action: redo, reason: "invalid"},
	kafka.UnsupportedCompressionType:  {action: redo, reason: "invalid"},
	kafka.InvalidRequiredAcks:         {action: redo, reason: "invalid"},
	kafka.PolicyViolation:             {action: redo, reason: "invalid"},
}

// judge says what the outcome of one attempt means by itself.
func judge(err error) verdict {
	if err == nil {
		return verdict{action: stored}
	}
	// What kafka-go says when it knows no leader to send to: nothing was sent.
	if errors.Is(err, protocol.ErrNoTopic) || errors.Is(err, protocol.ErrNoPartition) || errors.Is(err, protocol.ErrNoLeader) {
		return verdict{action: resend, reason: "leader", moved: true}
	}
	if errors.Is(err, errNoSession) {
		return verdict{action: resend, reason: "session", moved: true}
	}
	if errors.Is(err, errSpool) {
		return verdict{action: redo, reason: "spool"}
	}
	var code kafka.Error
	if !errors.As(err, &code) {
		return verdict{action: resend, reason: "connection", doubtful: true, moved: true}
	}
	if v, known := verdicts[code]; known {
		return v
	}
	return verdict{action: resend, reason: "other", doubtful: true, moved: true}
}

// maxRefusals is how often a batch may be called invalid before it is given up. It
// is more than once because damage on the way looks the same.
const maxRefusals = 3

// delivery is where a partition stands with its present batch.
type delivery struct {
	session   session
	doubtful  bool // some attempt under this session may have been stored
	refusals  int
	inherited bool // the session is that of an earlier process
}

// anew is where a partition begins: a session is yet to be got.
var anew = delivery{session: session{id: none}}

// inherited is where a partition stands with a batch that an earlier process has
// noted for it, and may have sent.
func inherited(s session) delivery {
	return delivery{session: s, doubtful: true, inherited: true}
}

// interrupted takes in that an attempt was broken off with err.
func (d *delivery) interrupted(err error) { d.doubtful = d.doubtful || judge(err).doubtful }

// answered takes the outcome of an attempt to store a batch of so many messages,
// moves the session on, and returns what to do. twice tells that the batch, or what
// is left of it, gets a new identity although it may be stored under the old one.
func (d *delivery) answered(err error, messages int) (v verdict, twice bool) {
	v = judge(err)
	if v.action == redo {
		if d.refusals++; d.refusals >= maxRefusals {
			v.action = drop
		}
	}
	switch v.action {
	case stored:
		d.session.advance(messages)
		*d = delivery{session: d.session}
	case resend:
		d.doubtful = d.doubtful || v.doubtful
	case bump:
		twice = d.newIdentity(d.session.bump)
	case renew:
		twice = d.newIdentity(func() { d.session.id = none })
	case split, drop:
		d.refusals = 0
		// Other messages may not take the place of those that may be stored: as many
		// of them would pass for duplicates and be lost.
		if d.doubtful {
			twice = d.newIdentity(d.session.bump)
		}
	}
	return v, twice && v.action != drop
}

// newIdentity changes the session, or leaves it if it was inherited: how far the
// earlier process got with it is known of one batch only.
func (d *delivery) newIdentity(change func()) (twice bool) {
	if d.inherited {
		change = func() { *d = delivery{session: anew.session, doubtful: d.doubtful} }
	}
	change()
	twice, d.doubtful = d.doubtful, false
	return twice
}
