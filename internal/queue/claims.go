package queue

import (
	"github.com/leoluk/NetMeta/internal/spool"
)

// claim is a batch that an earlier process had begun to send, or was about to: the
// broker may have stored it under this identity, and under no other.
type claim struct {
	batch *spool.Batch
	as    identity
}

// claims are kept until the partitions of the topic are known.
type claims []claim

func (p *Producer) newClaims(begun []*spool.Batch) claims {
	var c claims
	for _, b := range begun {
		as, err := readNote(b.Note())
		if err != nil { // written by another version
			p.cfg.Logger.Warn("queue: a batch in the spool is sent under a new identity", "flows", b.Flows, "error", err)
			p.renounce(b)
			continue
		}
		c = append(c, claim{b, as})
	}
	return c
}

// assign gives each partition the claims to it. Those to partitions of another
// cluster, or of a topic that has fewer by now, are sent elsewhere.
func (c claims) assign(p *Producer, t topology) map[int]claims {
	byPartition := map[int]claims{}
	for _, claim := range c {
		if claim.as.cluster != t.cluster || claim.as.partition < 0 || claim.as.partition >= t.partitions {
			p.renounce(claim.batch)
			continue
		}
		byPartition[claim.as.partition] = append(byPartition[claim.as.partition], claim)
	}
	return byPartition
}

// renounce has a batch sent anew though it may be stored already.
func (p *Producer) renounce(b *spool.Batch) {
	p.meters.doubtful.Add(float64(b.Flows))
	p.spool.Return(b)
}
