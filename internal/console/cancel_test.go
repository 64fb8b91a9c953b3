package console

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// running counts the queries in ClickHouse that have mark in them.
func running(t *testing.T, config Config, mark string) (n uint64) {
	t.Helper()
	// Split, so that the question is not among what it asks for.
	must(t, config.DB.QueryRow(fmt.Sprintf(`SELECT count() FROM system.processes WHERE query LIKE concat('%%', '%s', '%s', '%%')`, mark[:3], mark[3:])).Scan(&n))
	return n
}

// eventually waits for a state.
func eventually(t *testing.T, what string, state func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !state() {
		if time.Now().After(deadline) {
			t.Fatalf("after a minute: not %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// endless is a query that takes a minute.
func endless(mark string) string {
	return `SELECT sum(sleepEachRow(0.05)), '` + mark + `' FROM numbers(1200) SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 1000000000`
}

func TestAQueryEndsInClickHouseWhenTheBrowserGoesAway(t *testing.T) {
	config := bareConfig(t)
	server := serve(t, New(config))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		request, err := http.NewRequestWithContext(ctx, "POST", server+"/api/sql", strings.NewReader(fmt.Sprintf(`{"sql": %q}`, endless("gone-away"))))
		if err == nil {
			var response *http.Response
			if response, err = http.DefaultClient.Do(request); err == nil {
				response.Body.Close()
			}
		}
		ended <- err
	}()
	eventually(t, "running", func() bool { return running(t, config, "gone-away") == 1 })
	cancel()
	if err := <-ended; err == nil {
		t.Error("the request was answered before it was given up")
	}
	eventually(t, "gone from system.processes", func() bool { return running(t, config, "gone-away") == 0 })
}

func TestBrowsersThatAskTheSameShareAQuery(t *testing.T) {
	config := bareConfig(t)
	asker := newAsker(config.ClickHouse)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 2)
	for _, browser := range []string{"a", "b"} {
		go func() {
			_, err := asker.ask(ctx, browser, endless("asked-twice"), sqlBounds)
			ended <- err
		}()
	}
	eventually(t, "asked by both", func() bool {
		asker.same.mu.Lock()
		defer asker.same.mu.Unlock()
		for _, f := range asker.same.running {
			return f.askers == 2 && running(t, config, "asked-twice") > 0
		}
		return false
	})
	if n := running(t, config, "asked-twice"); n != 1 {
		t.Errorf("%d queries run for two browsers", n)
	}
	cancel()
	<-ended
	<-ended
	eventually(t, "gone from system.processes", func() bool { return running(t, config, "asked-twice") == 0 })
}
