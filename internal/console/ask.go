package console

import (
	"context"
	"runtime"
	"time"

	"github.com/leoluk/NetMeta/internal/query"
)

// bounds are what one query may cost, and how much of its result is passed on.
type bounds struct {
	time   time.Duration
	memory string // bytes
	rows   int
	bytes  int // of JSON
}

var (
	// panelBounds are those of what a dashboard asks. A heat map has the most rows.
	panelBounds = bounds{time: 20 * time.Second, memory: "1073741824", rows: 200_000, bytes: 16 << 20}
	// variableBounds are those of the options of a variable.
	variableBounds = bounds{time: 20 * time.Second, memory: "1073741824", rows: 10_000, bytes: 4 << 20}
	// sqlBounds are those of what people write; rows are at the most.
	sqlBounds = bounds{time: 60 * time.Second, memory: "2147483648", rows: 100_000, bytes: 32 << 20}
)

const (
	// maxWaiting is how many queries may wait, of all who use the console.
	maxWaiting = 500
	// grace is how much longer than a query's time its answer is waited for.
	grace = 5 * time.Second
)

// runningAtOnce leaves half of a large machine to storing flows, and is not less than
// what hides the time between two queries.
func runningAtOnce() int { return min(max(3, runtime.NumCPU()/2), 8) }

// asker runs the queries of people, a few at once.
type asker struct {
	client *query.Client
	turns  *turns
	same   flights[*table]
}

func newAsker(client *query.Client) *asker {
	return &asker{client: client, turns: newTurns(runningAtOnce(), maxWaiting)}
}

// ask runs a statement for who, whose other queries do not come before those of
// others. The same statement is run once for all who ask while it runs, and is
// cancelled in ClickHouse when none of them is left.
func (a *asker) ask(ctx context.Context, who, sql string, b bounds) (*table, error) {
	key := b.memory + " " + b.time.String() + " " + sql
	return a.same.join(ctx, key, func(ctx context.Context) (*table, error) {
		started := time.Now()
		leave, err := a.turns.take(ctx, who)
		if err != nil {
			return nil, err
		}
		defer leave()
		waited := time.Since(started)
		t, err := a.run(ctx, sql, b)
		if err != nil {
			return nil, err
		}
		t.waited, t.elapsed = waited, time.Since(started)-waited
		return t, nil
	})
}

func (a *asker) run(ctx context.Context, sql string, b bounds) (*table, error) {
	ctx, cancel := context.WithTimeout(ctx, b.time+grace)
	defer cancel()
	settings := map[string]string{
		"max_memory_usage": b.memory,
		"max_threads":      "2",
		"cancel_http_readonly_queries_on_client_close": "1",
	}
	for name, value := range tableSettings {
		settings[name] = value
	}
	result, err := a.client.Run(ctx, query.NewID(), query.Query{SQL: sql, Format: tableFormat, MaxTime: b.time, Settings: settings})
	if err != nil {
		return nil, err
	}
	defer result.Close()
	return readTable(result, b.rows, b.bytes)
}
