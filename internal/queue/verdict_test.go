package queue

import (
	"context"
	"fmt"
	"io"
	"math"
	"testing"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// Each case is the story of one batch of 10 messages, which begins under producer id
// 7, epoch 2, sequence 100: the answers to its attempts, and where that leaves it.
func TestDeliveryAfterAnswers(t *testing.T) {
	lost := fmt.Errorf("produce: %w", io.ErrUnexpectedEOF)
	start := session{id: 7, epoch: 2, sequence: 100}
	next := session{id: 7, epoch: 2, sequence: 110}
	bumped := session{id: 7, epoch: 3}
	renewed := session{id: none, epoch: 2, sequence: 100}

	for name, c := range map[string]struct {
		answers []error
		action  action // after the last answer
		session session
		twice   bool // the last answer may have the batch stored twice
	}{
		"acknowledged: the sequence moves on":                        {[]error{nil}, stored, next, false},
		"the broker has it already: stored":                          {[]error{lost, kafka.DuplicateSequenceNumber}, stored, next, false},
		"no answer: the same bytes again":                            {[]error{lost}, resend, start, false},
		"a deadline is no answer either":                             {[]error{context.DeadlineExceeded}, resend, start, false},
		"stored by too few replicas: the same bytes again":           {[]error{kafka.NotEnoughReplicasAfterAppend}, resend, start, false},
		"the leader moved: the same bytes to another":                {[]error{kafka.NotLeaderForPartition}, resend, start, false},
		"no leader known: not sent, tried again":                     {[]error{protocol.NewErrNoLeader("t", 1)}, resend, start, false},
		"no producer id: not sent, tried again":                      {[]error{fmt.Errorf("%w: %w", errNoSession, lost)}, resend, start, false},
		"an error of a later Kafka: tried again":                     {[]error{kafka.Error(999)}, resend, start, false},
		"sequence refused at once: next epoch, not stored before":    {[]error{kafka.OutOfOrderSequenceNumber}, bump, bumped, false},
		"sequence refused after refusals: not stored before":         {[]error{kafka.NotEnoughReplicas, kafka.OutOfOrderSequenceNumber}, bump, bumped, false},
		"sequence refused after a lost answer: perhaps twice":        {[]error{lost, kafka.OutOfOrderSequenceNumber}, bump, bumped, true},
		"doubt is counted once":                                      {[]error{lost, kafka.OutOfOrderSequenceNumber, kafka.UnknownProducerId}, renew, session{id: none, epoch: 3}, false},
		"the session is unknown: a new producer id":                  {[]error{kafka.UnknownProducerId}, renew, renewed, false},
		"the epoch is fenced after a lost answer: perhaps twice":     {[]error{kafka.RequestTimedOut, kafka.InvalidProducerEpoch}, renew, renewed, true},
		"too large: the parts keep the place":                        {[]error{kafka.MessageSizeTooLarge}, split, start, false},
		"too large after a lost answer: the parts get another place": {[]error{lost, kafka.MessageSizeTooLarge}, split, bumped, true},
		"called damaged: encoded anew in the same place":             {[]error{kafka.InvalidMessage}, redo, start, false},
		"called damaged again and again: dropped, the place is free": {[]error{kafka.InvalidRecord, kafka.InvalidRecord, kafka.InvalidRecord}, drop, start, false},
		"dropped after a lost answer: the place may be taken":        {[]error{lost, kafka.InvalidRecord, kafka.InvalidRecord, kafka.InvalidRecord}, drop, bumped, false},
		"no access: tried again, an operator will put it right":      {[]error{kafka.TopicAuthorizationFailed}, resend, start, false},
	} {
		t.Run(name, func(t *testing.T) {
			d := delivery{session: start}
			var v verdict
			var twice bool
			for _, answer := range c.answers {
				v, twice = d.answered(answer, 10)
			}
			if v.action != c.action || twice != c.twice || d.session != c.session {
				t.Errorf("action %d, twice %v, session %+v; want %d, %v, %+v", v.action, twice, d.session, c.action, c.twice, c.session)
			}
			if v.action != stored && v.reason == "" {
				t.Error("the failure has no reason to be counted under")
			}
		})
	}
}

func TestANewBatchBeginsWithoutTheDoubtsOfTheLast(t *testing.T) {
	d := delivery{session: session{id: 7}}
	d.answered(io.EOF, 10)
	d.answered(kafka.InvalidRecord, 10)
	d.answered(nil, 10)
	if want := (delivery{session: session{id: 7, sequence: 10}}); d != want {
		t.Errorf("delivery is %+v, want %+v", d, want)
	}
}

// How far an earlier process got with its session is not known beyond the one batch.
func TestTheSessionOfAnEarlierProcessIsUsedForItsBatchOnly(t *testing.T) {
	old := session{id: 7, epoch: 2, sequence: 100}
	for name, c := range map[string]struct {
		answer error
		action action
		twice  bool
		id     int64 // of the session afterwards
	}{
		"no answer: the same bytes again":           {io.EOF, resend, false, 7},
		"it has the batch already":                  {kafka.DuplicateSequenceNumber, stored, false, 7},
		"it cannot tell any more: perhaps twice":    {kafka.OutOfOrderSequenceNumber, bump, true, none},
		"it has forgotten the session: as well":     {kafka.UnknownProducerId, renew, true, none},
		"too large: the parts get another identity": {kafka.MessageSizeTooLarge, split, true, none},
	} {
		t.Run(name, func(t *testing.T) {
			d := inherited(old)
			v, twice := d.answered(c.answer, 10)
			if v.action != c.action || twice != c.twice || d.session.id != c.id {
				t.Errorf("action %d, twice %v, session %+v; want %d, %v, id %d", v.action, twice, d.session, c.action, c.twice, c.id)
			}
		})
	}
}

func TestSequencesWrapAroundToZero(t *testing.T) {
	for _, c := range []struct {
		from int32
		n    int
		want int32
	}{
		{math.MaxInt32 - 1, 1, math.MaxInt32},
		{math.MaxInt32, 1, 0},
		{math.MaxInt32 - 2, 5, 2},
	} {
		s := session{sequence: c.from}
		if s.advance(c.n); s.sequence != c.want {
			t.Errorf("%d messages after %d comes %d, want %d", c.n, c.from, s.sequence, c.want)
		}
	}
}

func TestTheLastEpochIsFollowedByANewProducerID(t *testing.T) {
	s := session{id: 7, epoch: math.MaxInt16}
	if s.bump(); s.id != none {
		t.Errorf("session is %+v, want one without id", s)
	}
}

func TestBackoffGrowsToItsCapAndNoFurther(t *testing.T) {
	for _, c := range []struct{ failures int }{{1}, {2}, {5}, {10}, {1000}} {
		longest := min(firstBackoff<<min(c.failures-1, 10), longBackoff)
		if d := backoff(c.failures); d < longest/2 || d > longest {
			t.Errorf("backoff(%d) = %v, want %v to %v", c.failures, d, longest/2, longest)
		}
	}
}
