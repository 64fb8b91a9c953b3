package query

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// Progress is how far a query has come.
type Progress struct {
	Rows  uint64 // read from tables
	Bytes uint64 // of them, uncompressed
	Total uint64 // rows that have to be read, as far as is known; 0: unknown
}

// byID finds a query in system.processes: on a server by its id, in the embedded
// engine, which gives ids itself, by the end of log_comment.
const byID = `(query_id = {id:String} OR endsWith(Settings['log_comment'], concat(' ', {id:String})))`

// ask runs a short statement about the query of an id, for 5 s at most.
func (c *Client) ask(ctx context.Context, id, sql string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	params := c.endpoint.URL.Query()
	params.Set("param_id", paramEscaper.Replace(id))
	response, err := c.post(ctx, params, sql)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	return io.ReadAll(response.Body)
}

// Progress asks how far the query of an id has come. It returns false where it does
// not run, not yet or not any more.
func (c *Client) Progress(ctx context.Context, id string) (p Progress, running bool, err error) {
	text, err := c.ask(ctx, id, `SELECT read_rows, read_bytes, greatest(total_rows_approx, 0)
		FROM system.processes
		WHERE `+byID+`
		LIMIT 1
		FORMAT TabSeparated`)
	if err != nil {
		return p, false, fmt.Errorf("ask for the progress of query %s: %w", id, err)
	}
	if len(text) == 0 {
		return p, false, nil
	}
	if _, err := fmt.Sscan(string(text), &p.Rows, &p.Bytes, &p.Total); err != nil {
		return p, false, fmt.Errorf("read the progress of query %s, %q: %w", id, text, err)
	}
	return p, true, nil
}

// Stop ends the query of an id, whose connection the caller has broken off, and
// returns when it is gone, or an error after 10 s.
//
// A server is told to kill it, which everybody may do to queries of their own. The
// embedded engine kills by itself a query whose client is gone; its read-only access
// refuses to be told.
func (c *Client) Stop(id string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	retry := time.NewTicker(50 * time.Millisecond)
	defer retry.Stop()
	// The server may have read the query and not registered it: it has to be gone for a
	// while.
	const enough = 4
	for gone := 0; ; {
		var refused *Error
		if _, err := c.ask(ctx, id, `KILL QUERY WHERE `+byID+` ASYNC FORMAT Null`); err != nil && !errors.As(err, &refused) {
			return fmt.Errorf("kill query %s: %w", id, err)
		}
		_, running, err := c.Progress(ctx, id)
		if err != nil {
			return err
		}
		if gone++; running {
			gone = 0
		}
		if gone == enough {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("query %s still runs in ClickHouse: end it there with KILL QUERY WHERE query_id = '%s'", id, id)
		case <-retry.C:
		}
	}
}
