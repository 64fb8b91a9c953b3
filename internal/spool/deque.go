package spool

import "slices"

// deque is a queue to whose front something can return.
type deque struct {
	items []*Batch
	head  int // items before it are gone
}

func (d *deque) len() int { return len(d.items) - d.head }

// front returns the oldest batch, or nil.
func (d *deque) front() *Batch {
	if d.len() == 0 {
		return nil
	}
	return d.items[d.head]
}

func (d *deque) push(b *Batch) { d.items = append(d.items, b) }

// unshift puts batches before all others, in their order.
func (d *deque) unshift(batches ...*Batch) {
	if n := len(batches); d.head >= n {
		d.head -= n
		copy(d.items[d.head:], batches)
		return
	}
	d.items = slices.Insert(d.items, d.head, batches...)
}

// shift takes the oldest batch; there has to be one.
func (d *deque) shift() *Batch {
	b := d.items[d.head]
	d.items[d.head] = nil
	if d.head++; d.head > 64 && d.head > len(d.items)/2 {
		d.items = slices.Delete(d.items, 0, d.head)
		d.head = 0
	}
	return b
}

// remove takes out every batch for which gone is true.
func (d *deque) remove(gone func(*Batch) bool) {
	d.items = slices.DeleteFunc(d.items[d.head:], gone)
	d.head = 0
}
