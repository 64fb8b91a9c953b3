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

// index returns where in items the first batch is for which wanted is true; -1 if there
// is none.
func (d *deque) index(wanted func(*Batch) bool) int {
	if i := slices.IndexFunc(d.items[d.head:], wanted); i >= 0 {
		return d.head + i
	}
	return -1
}

// takeOut takes the batch at items[i].
func (d *deque) takeOut(i int) *Batch {
	b := d.items[i]
	d.items = slices.Delete(d.items, i, i+1)
	return b
}

// insert puts b before the last behind batches, or before all if there are fewer.
func (d *deque) insert(b *Batch, behind int) {
	at := max(len(d.items)-behind, d.head)
	d.items = slices.Insert(d.items, at, b)
}
