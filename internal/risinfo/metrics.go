package risinfo

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/leoluk/NetMeta/internal/risinfo/names"
	"github.com/leoluk/NetMeta/internal/risinfo/route"
)

// The kinds of tables.
const (
	labelRoutes = "routes" // which AS originates which prefix
	labelNames  = "names"  // who holds which AS number
)

// How a refresh or a load ended.
const (
	outcomeNew       = "new"       // a new table is in use
	outcomeUnchanged = "unchanged" // no source has changed
	outcomeFailed    = "failed"    // the table of before stays in use
)

// Why a source could not be used.
const (
	reasonDownload = "download" // it could not be had
	reasonContent  = "content"  // it could not be read: damaged, empty, a web page
)

var (
	rows = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Name: "netmeta_risinfo_rows",
		Help: "Rows of the table in use: prefixes, or AS numbers with a name or country.",
	}, []string{"table"})
	builtAt = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Name: "netmeta_risinfo_built_timestamp_seconds",
		Help: "When the sources of the table in use were read, as a Unix time.",
	}, []string{"table"})
	refreshes = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "netmeta_risinfo_refreshes_total",
		Help: "Times that the sources were asked, by how it ended.",
	}, []string{"table", "outcome"})
	implausible = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "netmeta_risinfo_implausible_total",
		Help: "New tables that were refused because they have lost too much of the one in use.",
	}, []string{"table"})
	sourceFailures = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "netmeta_risinfo_source_failures_total",
		Help: "Times that a source could not be used; its last good file was, if there is one.",
	}, []string{"table", "reason"})
	rowsLeftOut = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "netmeta_risinfo_left_out_rows_total",
		Help: "Rows of sources that were left out of a table, or not taken as they are.",
	}, []string{"table", "reason"})
	loads = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "netmeta_risinfo_loads_total",
		Help: "Times that a table was to be loaded into ClickHouse, by how it ended.",
	}, []string{"table", "outcome"})
)

func init() {
	for _, table := range []string{labelRoutes, labelNames} {
		implausible.WithLabelValues(table)
		for _, outcome := range []string{outcomeNew, outcomeUnchanged, outcomeFailed} {
			refreshes.WithLabelValues(table, outcome)
		}
		for _, outcome := range []string{outcomeNew, outcomeFailed} {
			loads.WithLabelValues(table, outcome)
		}
		for _, reason := range []string{reasonDownload, reasonContent} {
			sourceFailures.WithLabelValues(table, reason)
		}
	}
	for _, reason := range []string{route.TooShort, route.BadOrigin, route.FewPeers, route.Contradictory, route.BadLine} {
		rowsLeftOut.WithLabelValues(labelRoutes, reason)
	}
	for _, reason := range []string{names.BadLine, names.BadNumber, names.Contradictory, names.Shortened} {
		rowsLeftOut.WithLabelValues(labelNames, reason)
	}
}

func countLeftOut(table string, leftOut map[string]int) {
	for reason, n := range leftOut {
		rowsLeftOut.WithLabelValues(table, reason).Add(float64(n))
	}
}
