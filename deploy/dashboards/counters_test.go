package dashboards_test

import (
	"database/sql"
	"testing"
)

func insertCounters(t *testing.T, db *sql.DB) { t.Helper() }
