package console

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// errorAge is how long a failed answer is given again, so that an engine in
// trouble is not asked by every browser at every poll.
const errorAge = time.Second

// shared answers many askers with one evaluation: those who ask while it runs wait
// for it, those who come within its age get the same answer. Keys are names in the
// program, never of a request: answers are replaced but never removed. For what
// requests say, there are flights.
type shared struct {
	now   func() time.Time
	group singleflight.Group

	mu      sync.Mutex
	answers map[string]answer
}

// answer is the encoded JSON of an evaluation, or its error.
type answer struct {
	body  []byte
	err   error
	until time.Time
}

func newShared(now func() time.Time) *shared {
	return &shared{now: now, answers: map[string]answer{}}
}

// get returns the answer for key, evaluated at most age ago. An evaluation goes on
// when ctx is cancelled, as others may wait for it: evaluate limits itself.
func (s *shared) get(ctx context.Context, key string, age time.Duration, evaluate func() ([]byte, error)) ([]byte, error) {
	if a, ok := s.fresh(key); ok {
		return a.body, a.err
	}
	done := s.group.DoChan(key, func() (any, error) {
		// Another evaluation may have ended since fresh was asked.
		if a, ok := s.fresh(key); ok {
			return a, nil
		}
		body, err := evaluate()
		if err != nil {
			age = min(age, errorAge)
		}
		a := answer{body: body, err: err, until: s.now().Add(age)}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.answers[key] = a
		return a, nil
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case result := <-done:
		a := result.Val.(answer)
		return a.body, a.err
	}
}

func (s *shared) fresh(key string) (answer, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.answers[key]
	return a, ok && s.now().Before(a.until)
}
