package console

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

func TestTurnsGoAround(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns(1, 10)
		leave, err := turns.take(t.Context(), "first")
		must(t, err)
		order := make(chan string, 6)
		// One page asks for four things before another asks for two.
		for _, who := range []string{"a", "a", "a", "a", "b", "b"} {
			go func() {
				leave, err := turns.take(context.Background(), who)
				if err != nil {
					t.Error(err)
					return
				}
				order <- who
				leave()
			}()
			synctest.Wait()
		}
		leave()
		synctest.Wait()
		close(order)
		var got []string
		for who := range order {
			got = append(got, who)
		}
		if diff := cmp.Diff([]string{"a", "b", "a", "b", "a", "a"}, got); diff != "" {
			t.Errorf("order of turns (-want +got):\n%s", diff)
		}
	})
}

func TestAsManyRunAtOnceAsMay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns(2, 10)
		running, most := 0, 0
		for range 8 {
			go func() {
				leave, err := turns.take(context.Background(), "a")
				if err != nil {
					t.Error(err)
					return
				}
				running++
				most = max(most, running)
				running--
				leave()
			}()
		}
		synctest.Wait()
		first, err := turns.take(t.Context(), "a")
		must(t, err)
		second, err := turns.take(t.Context(), "b")
		must(t, err)
		waits := make(chan error, 1)
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			_, err := turns.take(ctx, "c")
			waits <- err
		}()
		synctest.Wait()
		select {
		case <-waits:
			t.Error("a third runs beside two")
		default:
		}
		cancel()
		if err := <-waits; !errors.Is(err, context.Canceled) {
			t.Errorf("somebody who left the line: %v", err)
		}
		first()
		second()
		if turns.free != 2 || turns.waiting != 0 || len(turns.lines) != 0 || len(turns.order) != 0 {
			t.Errorf("afterwards %d are free, %d wait in %d lines", turns.free, turns.waiting, len(turns.lines))
		}
	})
}

func TestALineHasAnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns(0, 1)
		ctx, cancel := context.WithCancel(t.Context())
		go turns.take(ctx, "a")
		synctest.Wait()
		if _, err := turns.take(t.Context(), "b"); !errors.Is(err, errTooManyWait) {
			t.Errorf("one too many: %v", err)
		}
		cancel()
		synctest.Wait()
	})
}

func TestThoseWhoAskTheSameShareAnEvaluation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f flights[int]
		evaluations := 0
		end := make(chan struct{})
		evaluate := func(context.Context) (int, error) {
			evaluations++
			<-end
			return evaluations, nil
		}
		results := make(chan int, 3)
		for range 3 {
			go func() {
				n, err := f.join(context.Background(), "same", evaluate)
				if err != nil {
					t.Error(err)
				}
				results <- n
			}()
		}
		synctest.Wait()
		close(end)
		for range 3 {
			if n := <-results; n != 1 {
				t.Errorf("evaluation %d, want the first", n)
			}
		}
		if n, _ := f.join(t.Context(), "same", evaluate); n != 2 {
			t.Errorf("afterwards evaluation %d, want a new one", n)
		}
	})
}

func TestAnEvaluationEndsWithTheLastWhoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f flights[int]
		cancelled := false
		evaluate := func(ctx context.Context) (int, error) {
			<-ctx.Done()
			cancelled = true
			return 0, ctx.Err()
		}
		first, leaveFirst := context.WithCancel(t.Context())
		second, leaveSecond := context.WithCancel(t.Context())
		for _, ctx := range []context.Context{first, second} {
			go f.join(ctx, "same", evaluate)
		}
		synctest.Wait()
		leaveFirst()
		synctest.Wait()
		if cancelled {
			t.Fatal("it was cancelled while somebody waited")
		}
		leaveSecond()
		synctest.Wait()
		if !cancelled || len(f.running) != 0 {
			t.Errorf("cancelled %t, %d running after the last has left", cancelled, len(f.running))
		}
	})
}
