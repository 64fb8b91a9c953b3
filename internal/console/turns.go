package console

import (
	"context"
	"errors"
	"sync"
)

// errTooManyWait is what somebody gets who would have to wait behind too many.
var errTooManyWait = errors.New("too many queries wait for their turn")

// turns lets a few queries run at once, so that storing flows is never what has to
// wait, and lets those who ask have their turns one after the other: a page with
// thirty panels does not keep another from its first one.
type turns struct {
	mu      sync.Mutex
	free    int
	most    int                        // who may wait
	waiting int                        // in all lines
	lines   map[string][]chan struct{} // of those who wait, by who they are
	order   []string                   // of the lines, the next one first
}

// newTurns lets so many run at once, and so many wait.
func newTurns(running, waiting int) *turns {
	return &turns{free: running, most: waiting, lines: map[string][]chan struct{}{}}
}

// take waits for a turn, which ends with a call of leave. Those with the same name
// wait in one line. The error is ctx's, or errTooManyWait.
func (t *turns) take(ctx context.Context, who string) (leave func(), err error) {
	t.mu.Lock()
	if t.free > 0 {
		t.free--
		t.mu.Unlock()
		return t.leave, nil
	}
	if t.waiting == t.most {
		t.mu.Unlock()
		return nil, errTooManyWait
	}
	turn := make(chan struct{})
	if len(t.lines[who]) == 0 {
		t.order = append(t.order, who)
	}
	t.lines[who] = append(t.lines[who], turn)
	t.waiting++
	t.mu.Unlock()
	select {
	case <-turn:
		return t.leave, nil
	case <-ctx.Done():
		t.giveUp(who, turn)
		return nil, ctx.Err()
	}
}

// giveUp leaves the line, or passes on a turn that came at the same moment.
func (t *turns) giveUp(who string, turn chan struct{}) {
	t.mu.Lock()
	line := t.lines[who]
	for i, waiter := range line {
		if waiter == turn {
			t.setLine(who, append(line[:i:i], line[i+1:]...))
			t.waiting--
			t.mu.Unlock()
			return
		}
	}
	t.mu.Unlock()
	t.leave()
}

// leave ends a turn: the first of the next line has it now.
func (t *turns) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.order) == 0 {
		t.free++
		return
	}
	who := t.order[0]
	line := t.lines[who]
	close(line[0])
	t.waiting--
	t.setLine(who, line[1:])
	if len(line) > 1 {
		t.order = append(t.order[1:], who)
	}
}

// setLine replaces a line, and takes one that has become empty out of the order.
func (t *turns) setLine(who string, line []chan struct{}) {
	if len(line) > 0 {
		t.lines[who] = line
		return
	}
	delete(t.lines, who)
	for i, name := range t.order {
		if name == who {
			t.order = append(t.order[:i:i], t.order[i+1:]...)
			return
		}
	}
}
