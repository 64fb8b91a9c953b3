// Package exporter keeps what must be remembered of every exporter between its
// datagrams: templates, sampling rates, when it was started, names of applications,
// sequence numbers, data sets that wait for a template, and what is counted for it.
//
// A datagram passes like this: Table.Get finds (or creates) the State of its exporter;
// the decoder tells it what arrived (Received, Sequence, AddRecords), what options data
// and template sets say (SetTemplate, SetRate, SetBoot, SetApplication), and asks what
// it needs for a record (Template, Rate, Boot, Application, Keep).
//
//	config.go    the bounds, and what is configured
//	table.go     all exporters: newcomers and established ones, expiry
//	state.go     one exporter, and how its size is accounted for
//	kept.go      the bounded map that everything below is kept in
//	template.go  templates
//	rate.go      sampling rates, and which one holds for a record
//	said.go      what else options data say: times of start, names of applications
//	sequence.go  gaps, late and repeated datagrams of one stream, by their numbers alone
//	count.go     counters of one exporter
//	limit.go     the limit of flows a second, by numbers alone
//	hold.go      data sets that wait for their template
//	override.go  what is configured for single exporters
//	save.go      everything as lines of JSON
//	load.go      and back
//	persist.go   the file that these are in
//	metrics.go   the counters of all exporters as Prometheus metrics
//
// Exporters are told apart by address only. A source port says nothing: it
// changes when an exporter restarts, and one exporter may use several.
//
// Addresses can be forged, so everything is bounded: the number of exporters, what is
// kept of each, and the bytes of all together. Where a bound is reached the least
// recently used goes, and is counted. An exporter is a newcomer until it was heard of
// in two different seconds, and newcomers have small bounds of their own: a flood of
// datagrams from addresses that never come again replaces newcomers by newcomers and
// leaves the others alone.
//
// State holds data only, no functions or compiled forms, so that it can be written
// to disk as it is.
package exporter
