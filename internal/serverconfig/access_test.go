package serverconfig_test

import (
	"strings"
	"testing"
)

// ClickHouse's numbers of errors.
const (
	accessDenied         = 497
	authenticationFailed = 516
	outOfBounds          = 452
	readonly             = 164
	timeout              = 159
	tooManyRows          = 158
	tooManyResultRows    = 396
	quotaExceeded        = 201
	noTablesMatch        = 636
)

func TestPeopleLogInWithTheirPassword(t *testing.T) {
	for _, c := range []struct {
		promise, account, password string
		want                       int
	}{
		{"from the file", "reader", password, 0},
		{"from the environment", "grafana", password, 0},
		{"not with another", "reader", "correct horse ", authenticationFailed},
		{"not without", "grafana", "", authenticationFailed},
	} {
		t.Run(c.promise, func(t *testing.T) {
			got, err := login(t, c.account, c.password, "currentUser()", "")
			if code(err) != c.want || err == nil && got != c.account {
				t.Errorf("got %q, %v, want code %d", got, err, c.want)
			}
		})
	}
}

// Every table of the schema, those of later migrations included, can be read, but for
// the Kafka tables.
func TestPeopleReadEverythingButTheQueues(t *testing.T) {
	const list = "SELECT engine, name FROM system.tables WHERE database = '" + database + "' AND NOT startsWith(name, 'login') AND NOT startsWith(name, '.')"
	tables, err := ask(t, list)
	if err != nil {
		t.Fatal(err)
	}
	queues := 0
	for line := range strings.Lines(tables) {
		engine, name, _ := strings.Cut(strings.TrimSpace(line), "\t")
		t.Run(name, func(t *testing.T) {
			want := 0
			switch {
			case engine == "Kafka":
				queues, want = queues+1, accessDenied
			case strings.HasSuffix(name, "_gate"): // reads one
				want = accessDenied
			}
			if got, err := login(t, "reader", password, "count()", "FROM `"+database+"`."+name); code(err) != want {
				t.Errorf("got %q, %v, want code %d", got, err, want)
			}
		})
	}
	if queues != 4 {
		t.Errorf("%d Kafka tables were tried, want 4", queues)
	}
}

// What Grafana's data source, DBeaver and clickhouse-go ask for before anything else.
func TestProgramsFindTheirWay(t *testing.T) {
	for _, c := range []struct{ promise, value, rest, want string }{
		{"server", "version()", "", "26.7.2.1"},
		{"databases", "arrayStringConcat(groupArray(name), ' ')", "FROM (SELECT name FROM system.databases WHERE name = '" + database + "')", database},
		{"the tables that can be read", "count()", "FROM system.tables WHERE database = '" + database + "' AND name IN ('flows', 'flows_raw', 'flows_queue')", "2"},
		{"their columns", "count() > 20", "FROM system.columns WHERE database = '" + database + "' AND table = 'flows'", "1"},
		{"functions", "count() > 1000", "FROM system.functions", "1"},
		{"settings", "count() > 1000", "FROM system.settings", "1"},
		{"types", "count() > 50", "FROM system.data_type_families", "1"},
		{"one row", "count()", "FROM system.one", "1"},
		{"a generator of rows", "count()", "FROM numbers(10)", "10"},
		{"the standard's views", "count() > 20", "FROM information_schema.columns WHERE table_schema = '" + database + "' AND table_name = 'flows'", "1"},
		{"how full the disk is", "filesystemAvailable() > 0 AND filesystemCapacity() > 0", "", "1"},
		{"how busy ClickHouse is", "count()", "FROM system.metrics WHERE metric IN ('Query', 'Merge', 'MemoryTracking')", "3"},
		{"how much is stored", "sum(rows)", "FROM (SELECT database, table, rows, bytes_on_disk, active FROM system.parts WHERE active AND table = 'flows_raw')", "0"},
	} {
		t.Run(c.promise, func(t *testing.T) {
			if got, err := login(t, "grafana", password, c.value, c.rest); err != nil || got != c.want {
				t.Errorf("got %q, %v, want %q", got, err, c.want)
			}
		})
	}
}

func TestPeopleGetNoFurther(t *testing.T) {
	if _, err := ask(t, "CREATE TABLE IF NOT EXISTS default.secrets (s String) ENGINE = Memory"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		promise, value, rest string
		want                 int
	}{
		{"another database", "count()", "FROM default.secrets", accessDenied},
		{"a table of another database by merge", "count()", "FROM merge('default', '.*')", noTablesMatch},
		{"a file", "count()", "FROM file('/etc/passwd', LineAsString)", accessDenied},
		{"an address", "count()", "FROM url('http://127.0.0.1:1/', LineAsString)", accessDenied},
		{"another server", "count()", "FROM remote('127.0.0.1:1', system.one)", accessDenied},
		{"object storage", "count()", "FROM s3('http://127.0.0.1:1/bucket/b', LineAsString)", accessDenied},
		{"another database's server", "count()", "FROM mysql('127.0.0.1:1', 'd', 't', 'u', 'p')", accessDenied},
		{"a program", "count()", "FROM executable('cat', LineAsString, 's String')", accessDenied},
		{"users", "count()", "FROM system.users", accessDenied},
		{"grants", "count()", "FROM system.grants", accessDenied},
		{"profiles", "count()", "FROM system.settings_profiles", accessDenied},
		{"quotas of others", "count()", "FROM system.quotas_usage", accessDenied},
		{"names of tables of other databases", "throwIf(count() > 0)", "FROM system.tables WHERE database = 'default'", 0},
		{"brokers", "throwIf(count() > 0)", "FROM system.named_collections", 0},
		{"users behind a view", "count()", "FROM view(SELECT * FROM system.users)", accessDenied},
		{"a registry", "count()", "FROM (SELECT * FROM format(AvroConfluent, 'a UInt8', unhex('000000000100')) SETTINGS format_avro_schema_registry_url = 'http://127.0.0.1:1/')", accessDenied},
		{"a file by a format", "any(a)", "FROM (SELECT * FROM format(Template, 'a String', 'x') SETTINGS format_template_row = '/etc/passwd')", accessDenied},
		{"addresses of the program", "addressToLine(1)", "", accessDenied},
	} {
		t.Run(c.promise, func(t *testing.T) {
			if got, err := login(t, "grafana", password, c.value, c.rest); code(err) != c.want {
				t.Errorf("got %q, %v, want code %d", got, err, c.want)
			}
		})
	}
}

// That a query ends where it takes too much memory is tested in chdb: what a dictionary
// asks is not in the list of processes, by which memory is counted.
func TestPeoplesQueriesAreLimited(t *testing.T) {
	for _, c := range []struct {
		promise, value, rest string
		want                 int
	}{
		{"the limits hold from the start", "throwIf(getSetting('max_execution_time') != 60 OR getSetting('max_memory_usage') != 2 * 1024 * 1024 * 1024 OR getSetting('readonly') != 2)", "", 0},
		{"more time can be asked for", "1", "SETTINGS max_execution_time = 600", 0},
		{"too much cannot", "1", "SETTINGS max_execution_time = 601", outOfBounds},
		{"nor time without end", "1", "SETTINGS max_execution_time = 0", outOfBounds},
		{"nor memory without end", "1", "SETTINGS max_memory_usage = 0", outOfBounds},
		{"nor temporary files", "1", "SETTINGS max_temporary_data_on_disk_size_for_query = 0", outOfBounds},
		{"nor rows", "1", "SETTINGS max_rows_to_read = 0", outOfBounds},
		{"nor results", "1", "SETTINGS max_result_rows = 0", outOfBounds},
		{"nor threads", "1", "SETTINGS max_threads = 1000", outOfBounds},
		{"nor queries at once", "1", "SETTINGS max_concurrent_queries_for_user = 0", outOfBounds},
		{"read-only stays", "1", "SETTINGS readonly = 0", readonly},
		{"a file as a setting", "1", "SETTINGS format_schema = 'a'", outOfBounds},
		{"reading a queue as a setting", "1", "SETTINGS stream_like_engine_allow_direct_select = 1", outOfBounds},
		{"another profile takes no limit away", "1", "SETTINGS profile = 'default', max_execution_time = 601", outOfBounds},
		{"endless", "sum(number)", "FROM numbers(19000000000) SETTINGS max_execution_time = 0.2", timeout},
		{"endless in a subquery that asks for more", "sum(n)", "FROM (SELECT number AS n FROM numbers(19000000000) SETTINGS max_execution_time = 0) SETTINGS max_execution_time = 0.2", timeout},
		{"too many rows", "sum(number)", "FROM numbers(21000000000)", tooManyRows},
		{"too large a result", "number", "FROM numbers(3000000)", tooManyResultRows},
	} {
		t.Run(c.promise, func(t *testing.T) {
			if got, err := login(t, "reader", password, c.value, c.rest); code(err) != c.want {
				t.Errorf("got %q, %v, want code %d", got, err, c.want)
			}
		})
	}
}

func TestQuotas(t *testing.T) {
	t.Run("what is beyond it is refused", func(t *testing.T) {
		_, err := login(t, "greedy", password, "sum(number)", "FROM numbers(100000)")
		if code(err) != quotaExceeded || !strings.Contains(err.Error(), "Quota for user `greedy` for 3600s has been exceeded") {
			t.Errorf("got %v, want code %d and which quota it was", err, quotaExceeded)
		}
	})
	t.Run("other accounts go on", func(t *testing.T) {
		if _, err := login(t, "reader", password, "sum(number)", "FROM numbers(100000)"); err != nil {
			t.Error(err)
		}
	})
	// Queries of dictionaries are not counted, so the engine has to say what it would count to.
	t.Run("each account has its own, which a site may change", func(t *testing.T) {
		got, err := ask(t, "SELECT quota_name, duration, max_queries, max_read_rows, max_execution_time FROM system.quota_limits WHERE quota_name != 'default' ORDER BY quota_name")
		const want = "grafana\t3600\t100000\t2000000000000\t14400\n" +
			"greedy\t3600\t1000\t1000\t10\n" +
			"reader\t3600\t1000\t2000000000000\t14400"
		if err != nil || got != want {
			t.Errorf("got %v\n%s\nwant\n%s", err, got, want)
		}
	})
}

// No privilege but reading is granted, so that nothing hangs on read-only mode alone:
// no INSERT, no table functions that need one, no KILL, no SYSTEM, no DDL.
func TestPeopleAreGrantedNothingButReading(t *testing.T) {
	got, err := ask(t, `
		SELECT access_type, database, table, is_partial_revoke
		FROM system.grants
		WHERE user_name = 'reader'
		GROUP BY ALL
		ORDER BY ALL`)
	const want = "SELECT\tINFORMATION_SCHEMA\t\\N\t0\n" +
		"SELECT\tinformation_schema\t\\N\t0\n" +
		"SELECT\tnet-meta\tcounters_queue\t1\n" +
		"SELECT\tnet-meta\tflows_queue\t1\n" +
		"SELECT\tnet-meta\tpipeline_queue\t1\n" +
		"SELECT\tnet-meta\ttraces_queue\t1\n" +
		"SELECT\tnet-meta\t\\N\t0\n" +
		"SELECT\tsystem\tmetrics\t0\n" +
		"SELECT\tsystem\tparts\t0\n" +
		"dictGet\tnet-meta\t\\N\t0"
	if err != nil || got != want {
		t.Errorf("got %v\n%s\nwant\n%s", err, got, want)
	}
}
