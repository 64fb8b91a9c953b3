//go:build linux

package main

var designs = []design{
	original,
	{name: "five", about: "", partition: base.partition, order: fiveMinutes},
	{name: "fifteen", partition: base.partition, order: fifteenMinutes},
	{name: "hour", partition: base.partition, order: hour},
	{name: "five1k", partition: base.partition, order: fiveMinutes, settings: "index_granularity = 1024"},
	{name: "five2k", partition: base.partition, order: fiveMinutes, settings: "index_granularity = 2048"},
	{name: "hour2k", partition: base.partition, order: hour, settings: "index_granularity = 2048"},
	{name: "fifteen2k", partition: base.partition, order: fifteenMinutes, settings: "index_granularity = 2048"},
	{name: "hourly", partition: "toStartOfHour(TimeReceived)", order: fiveMinutes},
}
