package chdb

import (
	"io"
	"testing"
)

// What a person asks ends by itself, and there is no way around it.
func TestReadLimits(t *testing.T) {
	testEngine(t)
	const outOfBounds, timeout, memory, rows = 452, 159, 241, 158
	for _, c := range []struct {
		promise string
		q       Query
		want    int
	}{
		{"time can be asked for", Query{SQL: []byte("SELECT 1 SETTINGS max_execution_time = 600")}, 0},
		{"time without end cannot", Query{SQL: []byte("SELECT 1 SETTINGS max_execution_time = 0")}, outOfBounds},
		{"nor too much time", Query{SQL: []byte("SELECT 1 SETTINGS max_execution_time = 601")}, outOfBounds},
		{"as a setting too", Query{SQL: []byte("SELECT 1"), Settings: map[string]string{"max_execution_time": "601"}}, outOfBounds},
		{"a subquery cannot ask for more", Query{SQL: []byte("SELECT sum(number) FROM (SELECT number FROM numbers(10000000000) SETTINGS max_execution_time = 0) SETTINGS max_execution_time = 0.2")}, timeout},
		{"nor with another profile", Query{SQL: []byte("SELECT 1 SETTINGS profile = 'default', max_execution_time = 601")}, outOfBounds},
		{"the profile stays", Query{SQL: []byte("SELECT 1 SETTINGS max_execution_time = 0"), Settings: map[string]string{"profile": "default"}}, CodeReadonly},
		{"memory without end", Query{SQL: []byte("SELECT 1 SETTINGS max_memory_usage = 0")}, outOfBounds},
		{"too much memory", Query{SQL: []byte("SELECT 1 SETTINGS max_memory_usage = 100000000000")}, outOfBounds},
		{"memory of all", Query{SQL: []byte("SELECT 1 SETTINGS max_memory_usage_for_user = 0")}, outOfBounds},
		{"endless", Query{SQL: []byte("SELECT sum(number) FROM numbers(10000000000) SETTINGS max_execution_time = 0.2")}, timeout},
		{"endless output", Query{SQL: []byte("SELECT number FROM numbers(10000000000) SETTINGS max_execution_time = 1")}, timeout},
		{"endless output behind a comment", Query{SQL: []byte("/* a */ -- b\nSELECT number FROM numbers(10000000000) SETTINGS max_execution_time = 1")}, timeout},
		{"too many rows", Query{SQL: []byte("SELECT sum(number) FROM numbers(100000000000)")}, rows},
		{"rows without end", Query{SQL: []byte("SELECT 1 SETTINGS max_rows_to_read = 0")}, outOfBounds},
		{"threads without end", Query{SQL: []byte("SELECT 1 SETTINGS max_threads = 1000")}, outOfBounds},
		{"too many groups", Query{SQL: []byte("SELECT number, count() FROM numbers(10000000000) GROUP BY number SETTINGS max_memory_usage = 100000000")}, memory},
		{"too large an array", Query{SQL: []byte("SELECT groupArray(number) FROM numbers(10000000000) SETTINGS max_memory_usage = 100000000")}, memory},
	} {
		t.Run(c.promise, func(t *testing.T) {
			c.q.ReadOnly = true
			r, err := engine.Query(t.Context(), c.q)
			if err == nil {
				_, err = io.Copy(io.Discard, r)
				r.Close()
			}
			if (err == nil) != (c.want == 0) || err != nil && code(err) != c.want {
				t.Errorf("got %v, want code %d", err, c.want)
			}
		})
	}
}
