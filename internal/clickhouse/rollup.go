package clickhouse

import "slices"

// rollup is a table with sums of flows_raw.
type rollup struct {
	table string
	start string // SQL function that turns the time of a flow into that of its row
}

// rollups are all of them. What is inserted into one also gets into those behind it.
var rollups = []rollup{{"flows_1m", "toStartOfMinute"}, {"flows_1h", "toStartOfHour"}}

func isRollup(table string) bool {
	return slices.ContainsFunc(rollups, func(r rollup) bool { return r.table == table })
}
