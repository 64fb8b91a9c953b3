package exporter

import (
	"fmt"
	"iter"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// kept is a map of what an exporter said. It is bounded by the limit given to set;
// what was neither said again nor asked for the longest time goes first, and after a
// lifetime goes anyway. The zero value is empty and takes no memory beside itself. Times
// are nanoseconds since 1970.
type kept[K comparable, V any] struct {
	entries *simplelru.LRU[K, *entry[V]] // nil until there is one
	bytes   int                          // sum of the entries', and keptBytes if there have ever been any
}

// keptBytes is what a kept takes without its entries.
const keptBytes = 448

type entry[V any] struct {
	value V
	used  int64 // when it was last said or asked for
	bytes int   // estimated size
}

// limits bound a kept.
type limits struct {
	entries  int
	lifetime int64 // nanoseconds
}

// newLRU spares callers an error that a positive size rules out.
func newLRU[K comparable, V any](size int) *simplelru.LRU[K, V] {
	l, err := simplelru.NewLRU[K, V](size, nil)
	if err != nil {
		panic(fmt.Sprintf("create an LRU list of %d entries: %v", size, err))
	}
	return l
}

func (k *kept[K, V]) len() int {
	if k.entries == nil {
		return 0
	}
	return k.entries.Len()
}

// get returns a value and notes that it was used. It forgets one whose lifetime is over.
func (k *kept[K, V]) get(key K, l limits, now int64) (value V, ok bool) {
	if k.entries == nil {
		return value, false
	}
	e, ok := k.entries.Get(key)
	if !ok {
		return value, false
	}
	if now-e.used >= l.lifetime {
		k.remove(key)
		return value, false
	}
	e.used = max(e.used, now)
	return e.value, true
}

// set keeps a value of an estimated size, in place of an earlier one. It reports
// whether another had to go to make room.
func (k *kept[K, V]) set(key K, value V, bytes int, l limits, now int64) (evicted bool) {
	if k.entries == nil {
		k.entries = newLRU[K, *entry[V]](l.entries)
		k.bytes = keptBytes
	}
	k.expire(l, now)
	if e, ok := k.entries.Get(key); ok {
		k.bytes += bytes - e.bytes
		e.value, e.bytes, e.used = value, bytes, max(e.used, now)
		return false
	}
	if k.entries.Len() >= l.entries {
		k.removeOldest()
		evicted = true
	}
	k.entries.Add(key, &entry[V]{value, now, bytes})
	k.bytes += bytes
	return evicted
}

func (k *kept[K, V]) remove(key K) (removed bool) {
	if k.entries == nil {
		return false
	}
	e, ok := k.entries.Peek(key)
	if !ok {
		return false
	}
	k.entries.Remove(key)
	k.bytes -= e.bytes
	return true
}

func (k *kept[K, V]) removeOldest() {
	if _, e, ok := k.entries.RemoveOldest(); ok {
		k.bytes -= e.bytes
	}
}

// expire forgets entries whose lifetime is over, and returns how many these were.
func (k *kept[K, V]) expire(l limits, now int64) (expired int) {
	for k.entries != nil {
		_, oldest, ok := k.entries.GetOldest()
		if !ok || now-oldest.used < l.lifetime {
			break
		}
		k.removeOldest()
		expired++
	}
	return expired
}

// all yields the entries from the least to the most recently used. The loop may
// remove entries.
func (k *kept[K, V]) all() iter.Seq2[K, *entry[V]] {
	return func(yield func(K, *entry[V]) bool) {
		if k.entries == nil {
			return
		}
		for _, key := range k.entries.Keys() {
			if e, ok := k.entries.Peek(key); ok && !yield(key, e) {
				return
			}
		}
	}
}
