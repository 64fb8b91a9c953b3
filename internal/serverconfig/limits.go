// Package serverconfig says what NetMeta needs of a ClickHouse server, and what people
// may do there: their limits, accounts with quotas and privileges, and the server's own
// logs. Files writes it as configuration for any server; the embedded engine takes its
// limits and settings from here as well, so that both shapes agree.
package serverconfig

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// DefaultProfile are settings of the default profile, in which ClickHouse runs what
// it does in the background, such as the inserts of Kafka tables.
var DefaultProfile = map[string]string{
	// A producer that sends times from hundreds of days must not stop ingestion.
	"max_partitions_per_insert_block": "0",
	// A block of sums has each row once already, by the GROUP BY of its view. To look for
	// equal rows once more costs half as much as storing the flows.
	"optimize_on_insert": "0",
}

// Server are settings of the server.
var Server = map[string]string{
	// The settings of Kafka tables, which are no secret here, can be compared. Without
	// the privilege displaySecretsInShowAndSelect, they stay hidden all the same.
	"display_secrets_in_show_and_select": "1",
	// Each Kafka table takes a thread while it waits for messages, or for its share of the
	// partitions, which takes 15 s while Kafka waits for a consumer that is gone. The embedded
	// engine would have one for each core, and flows would wait for the counters.
	"background_message_broker_schedule_pool_size": "16",
}

// Limit is what a setting is for people, and between which values their queries may
// set it. Mostly, 0 would be no limit at all. Without a Default the setting stays what
// it is in ClickHouse.
type Limit struct{ Default, Min, Max string }

const gibibyte = 1 << 30

func size(gibibytes int) string { return strconv.Itoa(gibibytes * gibibyte) }

// ReadLimits keep one query of a person from taking ClickHouse down, or what it needs
// to store flows. Memory is in bytes; what exceeds the half of it goes to the disk
// first, as temporary data.
var ReadLimits = map[string]Limit{
	"max_execution_time":                        {"60", "0.001", "600"}, // seconds
	"max_memory_usage":                          {size(2), "1", size(4)},
	"max_memory_usage_for_user":                 {size(4), "1", size(4)}, // of all queries together
	"max_temporary_data_on_disk_size_for_query": {size(4), "1", size(8)},
	"max_temporary_data_on_disk_size_for_user":  {size(8), "1", size(8)},
	"max_rows_to_read":                          {"20000000000", "1", "100000000000"},
	"max_threads":                               {"", "1", "64"}, // as many as cores, unless asked for
}

// sharedLimits come on top where many share a server. The embedded engine counts its
// readers itself, and gives out results as they come.
var sharedLimits = map[string]Limit{
	"max_result_rows":                 {"1000000", "1", "100000000"},
	"max_result_bytes":                {size(1), "1", size(8)},
	"max_concurrent_queries_for_user": {"32", "1", "32"},
}

// Escapes are settings that lead a read-only query out of the tables, with the reason:
// formats take the name of a file or an address as a setting, and no privilege covers
// that. They cannot be set by people.
var Escapes = map[string]string{
	"dialect":                                "its grammar is not checked",
	"format_avro_schema_registry_url":        "it connects to other servers",
	"format_schema":                          "it reads files of the machine",
	"format_schema_source":                   "it fills a cache that is never cleared",
	"format_template_resultset":              "it reads files of the machine",
	"format_template_row":                    "it reads files of the machine",
	"input_format_record_errors_file_path":   "it writes files of the machine",
	"output_format_schema":                   "it writes files of the machine",
	"stream_like_engine_allow_direct_select": "it takes messages out of Kafka that were not stored",
}

// Constraints is the XML element that holds people to limits and keeps them from
// Escapes, as a part of a profile.
func Constraints(limits map[string]Limit) string {
	var out strings.Builder
	out.WriteString("      <constraints>\n")
	for _, name := range slices.Sorted(maps.Keys(limits)) {
		limit := limits[name]
		out.WriteString("        <" + name + "><min>" + limit.Min + "</min><max>" + limit.Max + "</max></" + name + ">\n")
	}
	for _, name := range slices.Sorted(maps.Keys(Escapes)) {
		out.WriteString("        <" + name + "><const/></" + name + ">\n")
	}
	out.WriteString("      </constraints>")
	return out.String()
}
