package importer

import (
	"github.com/leoluk/NetMeta/internal/flow"
	"github.com/leoluk/NetMeta/internal/queue"
)

// messageBytes is the size of a full Kafka message.
const messageBytes = 64 << 10

// chunk is what becomes one entry of the ledger: flows, and how far files were read for
// them. It is used again and again, so that nothing is allocated for a record.
type chunk struct {
	limit   int
	topics  []*messages // in the order in which they were first used
	touched []*input
	files   []FileState
	done    []objectID
	settled []Settled
	counts  counts

	deliveries []*delivery
}

// messages are those to one topic.
type messages struct {
	topic string
	all   [][]byte // with their memory; the first used ones hold flows
	used  int
	bytes int // of full messages
}

func (c *chunk) append(topic string, m flow.Message) {
	if len(c.topics) == 1 && c.topics[0].topic == topic { // nearly always
		c.topics[0].append(m)
		return
	}
	for _, t := range c.topics {
		if t.topic == topic {
			t.append(m)
			return
		}
	}
	t := &messages{topic: topic}
	c.topics = append(c.topics, t)
	t.append(m)
}

// append adds a message to the last one of Kafka, which a long flow.Trace may make longer
// than messageBytes, by as much at most: full leaves room for that.
func (t *messages) append(m flow.Message) {
	if t.used == 0 || len(t.all[t.used-1])+flow.MaxEncodedSize > messageBytes {
		t.next()
	}
	at := &t.all[t.used-1]
	*at = m.AppendDelimited(*at)
}

// next begins another message.
func (t *messages) next() {
	if t.used > 0 {
		t.bytes += len(t.all[t.used-1])
	}
	if t.used == len(t.all) {
		t.all = append(t.all, make([]byte, 0, messageBytes))
	}
	t.all[t.used] = t.all[t.used][:0]
	t.used++
}

// mostFiles is how many files, or deliveries, an entry may say something of.
const mostFiles = 1000

// full tells whether the chunk has as much as an entry may have.
func (c *chunk) full() bool {
	if len(c.touched) >= mostFiles || len(c.deliveries) >= mostFiles {
		return true
	}
	for _, t := range c.topics {
		if t.bytes+messageBytes > c.limit {
			return true
		}
	}
	return false
}

// empty tells whether there is nothing to note, and so nothing to send.
func (c *chunk) empty() bool {
	return len(c.touched)+len(c.files)+len(c.settled)+len(c.deliveries) == 0
}

// note is what an entry says of files, objects and deliveries.
func (c *chunk) note() Note {
	n := Note{Files: c.files, Done: doneNotes(c.done), Settled: c.settled}
	for _, d := range c.deliveries {
		n.Deliveries = append(n.Deliveries, d.ID)
	}
	return n
}

// answer tells those who wait for their deliveries what became of them.
func (c *chunk) answer(err error) {
	for _, d := range c.deliveries {
		d.finish(err)
	}
	c.deliveries = c.deliveries[:0]
}

// decode decodes the first size bytes of what waits in the buffer of in.
func (c *chunk) decode(in *input, size int, out *Output) {
	out.chunk, out.Problem = c, ""
	record := in.buffer[in.start : in.start+size]
	c.counts.add(in.decoder.Decode(record, out), in, record, out.Problem)
	in.start += size
	in.at += int64(size)
}

func (c *chunk) contents() (all []queue.Content) {
	for _, t := range c.topics {
		if t.used > 0 {
			all = append(all, queue.Content{Topic: t.topic, Messages: t.all[:t.used]})
		}
	}
	return all
}

// touch notes that the chunk has records of in.
func (c *chunk) touch(in *input) {
	if in.chunk != c {
		in.chunk = c
		c.touched = append(c.touched, in)
	}
}

// seal notes how far files were read.
func (c *chunk) seal() {
	for _, in := range c.touched {
		in.chunk = nil
		if in.done {
			c.done = append(c.done, in.id)
			continue
		}
		in.remember()
		c.files = append(c.files, *in.state)
	}
}

func (c *chunk) reset() {
	for _, t := range c.topics {
		t.used, t.bytes = 0, 0
		if keep := c.limit/messageBytes + 1; len(t.all) > keep { // a delivery was larger
			clear(t.all[keep:])
			t.all = t.all[:keep]
		}
	}
	c.touched, c.files, c.done, c.settled = c.touched[:0], c.files[:0], c.done[:0], c.settled[:0]
	c.counts.reset()
}

// leave notes how far in was read, which goes on as another file.
func (c *chunk) leave(in *input) {
	c.files = append(c.files, *in.state)
	for i, t := range c.touched {
		if t == in {
			c.touched = append(c.touched[:i], c.touched[i+1:]...)
			break
		}
	}
	in.chunk = nil
}
