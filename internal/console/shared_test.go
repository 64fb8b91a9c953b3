package console

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// clock is a time that tests move.
type clock struct{ seconds atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(c.seconds.Load(), 0) }
func (c *clock) advance(d time.Duration) { c.seconds.Add(int64(d / time.Second)) }

func TestManyAskersCostOneEvaluation(t *testing.T) {
	s := newShared(new(clock).now)
	var evaluations atomic.Int64
	started, release := make(chan struct{}), make(chan struct{})
	evaluate := func() ([]byte, error) {
		evaluations.Add(1)
		close(started)
		<-release
		return []byte("answer"), nil
	}
	var askers sync.WaitGroup
	for range 10 {
		askers.Go(func() {
			if body, err := s.get(context.Background(), "key", time.Minute, evaluate); string(body) != "answer" || err != nil {
				t.Errorf("get = %q, %v", body, err)
			}
		})
	}
	<-started
	close(release)
	askers.Wait()
	if n := evaluations.Load(); n != 1 {
		t.Errorf("evaluated %d times, want once", n)
	}
}

func TestAnswersAreGivenAgainUntilTheyAreOld(t *testing.T) {
	c := new(clock)
	s := newShared(c.now)
	evaluations := 0
	ask := func() {
		t.Helper()
		if _, err := s.get(context.Background(), "key", 10*time.Second, func() ([]byte, error) { evaluations++; return nil, nil }); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		after time.Duration
		want  int
	}{{0, 1}, {9 * time.Second, 1}, {1 * time.Second, 2}} {
		c.advance(step.after)
		if ask(); evaluations != step.want {
			t.Errorf("%s later: %d evaluations, want %d", step.after, evaluations, step.want)
		}
	}
}

func TestErrorsAreForgottenSoon(t *testing.T) {
	c := new(clock)
	s := newShared(c.now)
	broken := errors.New("broken")
	if _, err := s.get(context.Background(), "key", time.Hour, func() ([]byte, error) { return nil, broken }); err != broken {
		t.Fatalf("err = %v, want the evaluation's", err)
	}
	c.advance(errorAge)
	if body, err := s.get(context.Background(), "key", time.Hour, func() ([]byte, error) { return []byte("well"), nil }); string(body) != "well" {
		t.Errorf("get = %q, %v after the error's age, want a new evaluation", body, err)
	}
}

func TestAnAskerWhoLeavesDoesNotEndTheEvaluation(t *testing.T) {
	s := newShared(new(clock).now)
	ctx, leave := context.WithCancel(context.Background())
	release := make(chan struct{})
	evaluate := func() ([]byte, error) { leave(); <-release; return []byte("answer"), nil }
	if _, err := s.get(ctx, "key", time.Minute, evaluate); !errors.Is(err, context.Canceled) {
		t.Fatalf("err = %v, want %v", err, context.Canceled)
	}
	close(release)
	body, err := s.get(context.Background(), "key", time.Minute, func() ([]byte, error) { return []byte("evaluated again"), nil })
	if string(body) != "answer" {
		t.Errorf("get = %q, %v, want the answer of the evaluation that ran on", body, err)
	}
}
