package console

import (
	"context"
	"sync"
)

// flights has those who ask for the same at the same time share one evaluation.
// Unlike shared it keeps nothing behind, so keys may be anything, and an evaluation
// is cancelled when the last who asked for it is gone.
type flights[T any] struct {
	mu      sync.Mutex
	running map[string]*flight[T]
}

type flight[T any] struct {
	cancel context.CancelFunc
	askers int // under the lock of flights
	done   chan struct{}
	result T
	err    error
}

// join returns what evaluate returns, for this asker or for one who came before. It
// returns ctx's error when ctx ends first.
func (f *flights[T]) join(ctx context.Context, key string, evaluate func(context.Context) (T, error)) (T, error) {
	f.mu.Lock()
	if f.running == nil {
		f.running = map[string]*flight[T]{}
	}
	one, ok := f.running[key]
	if !ok {
		shared, cancel := context.WithCancel(context.Background())
		one = &flight[T]{cancel: cancel, done: make(chan struct{})}
		f.running[key] = one
		go func() {
			defer cancel()
			one.result, one.err = evaluate(shared)
			f.mu.Lock()
			f.close(key, one)
			f.mu.Unlock()
			close(one.done)
		}()
	}
	one.askers++
	f.mu.Unlock()
	select {
	case <-one.done:
		return one.result, one.err
	case <-ctx.Done():
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if one.askers--; one.askers == 0 {
		// In one step: whoever comes now must not join what is being cancelled.
		f.close(key, one)
		one.cancel()
	}
	var none T
	return none, ctx.Err()
}

// close keeps others from joining one any more.
func (f *flights[T]) close(key string, one *flight[T]) {
	if f.running[key] == one {
		delete(f.running, key)
	}
}
