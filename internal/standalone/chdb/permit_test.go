package chdb

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/leoluk/NetMeta/internal/serverconfig"
)

func TestReadOnlyRefuses(t *testing.T) {
	db := database(t)
	exec(t, "CREATE TABLE "+db+".t (a UInt8) ENGINE = MergeTree ORDER BY a")
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("secret words\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "out")
	const refused, denied, unsupported = CodeReadonly, codeAccessDenied, 1
	for _, c := range []struct {
		promise, sql string
		want         int
	}{
		{"insert", "INSERT INTO t VALUES (1)", refused},
		{"create", "CREATE TABLE u (a UInt8) ENGINE = Memory", refused},
		{"temporary table", "CREATE TEMPORARY TABLE u (a UInt8)", refused},
		{"drop", "DROP TABLE t", refused},
		{"alter", "ALTER TABLE t DELETE WHERE 1", refused},
		{"truncate", "TRUNCATE TABLE t", refused},
		{"optimize", "OPTIMIZE TABLE t", refused},
		{"system", "SYSTEM STOP MERGES", refused},
		{"kill", "KILL QUERY WHERE 1", refused},
		{"function", "CREATE FUNCTION f AS x -> x", refused},
		{"named collection", "CREATE NAMED COLLECTION c AS a = 1", refused},
		{"grant", "GRANT FILE ON *.* TO default", refused},
		{"backup", "BACKUP TABLE t TO File('x')", refused},
		{"leaving read-only", "SET readonly = 0", refused},
		{"leaving read-only in the query", "SELECT 1 SETTINGS readonly = 0", refused},
		{"hiding from cancellation", "SELECT 1 SETTINGS log_comment = 'x'", refused},
		{"comment before a write", "/* SELECT */ -- 1\nDROP TABLE t", refused},
		{"second statement", "SELECT 1; DROP TABLE t", CodeSyntaxError},
		{"writing a file", "SELECT 1 INTO OUTFILE '" + out + "'", refused},
		{"writing a file by show", "SHOW TABLES INTO OUTFILE '" + out + "'", refused},
		{"writing a file by explain", "EXPLAIN SELECT 1 INTO OUTFILE '" + out + "'", refused},
		{"writing a file by describe", "DESCRIBE TABLE t INTO OUTFILE '" + out + "'", refused},
		{"writing by table function", "INSERT INTO FUNCTION file('" + out + "', CSV, 'a UInt8') VALUES (1)", refused},
		{"reading by table function", "SELECT * FROM file('" + secret + "', RawBLOB)", refused},
		{"reading by the default database", "SELECT * FROM default.`" + secret + "`", denied},
		{"reading by function", "SELECT file('" + secret + "')", refused},
		{"reading by escaped function", "SELECT `f\\x69le`('" + secret + "')", refused},
		{"reading by function as argument", "SELECT arrayMap(file, ['" + secret + "'])", refused},
		{"reading by column transformer", "SELECT * APPLY(file) FROM (SELECT '" + secret + "')", refused},
		{"reading by show", "SHOW TABLES WHERE file('" + secret + "') != ''", refused},
		{"reading by explain", "EXPLAIN SELECT file('" + secret + "')", refused},
		{"reading behind a comment", "SELECT file/* ' */('" + secret + "')", refused},
		{"reading behind a heredoc", "SELECT $a$ ' $a$, file('" + secret + "')", refused},
		{"fetching a url", "SELECT * FROM url('http://127.0.0.1:1/', RawBLOB)", denied},
		{"asking another server", "SELECT * FROM remote('127.0.0.1:1', system.one)", denied},
		{"asking another server by function", "SELECT hasColumnInTable('127.0.0.1:1', 'system', 'one', 'dummy')", refused},
		{"a table format on the disk", "SELECT * FROM icebergLocal('" + filepath.Dir(secret) + "')", denied},
		{"another table format on the disk", "SELECT * FROM deltaLakeLocal('" + filepath.Dir(secret) + "')", denied},
		{"listing a directory", "SELECT * FROM filesystem('" + filepath.Dir(secret) + "')", denied},
		{"running a program", "SELECT * FROM executable('/bin/cat " + secret + "', RawBLOB, 's String')", unsupported},
		{"reading by a format", "SELECT 1 FORMAT Template SETTINGS format_template_row = '" + secret + "'", refused},
		{"reading by a format of results", "SELECT 1 FORMAT Template SETTINGS format_template_resultset = '" + secret + "'", refused},
		{"reading by the format of a value", "SELECT * FROM format(Template, 'a String', 'x') SETTINGS format_template_row = '" + secret + "'", refused},
		{"reading a definition", "SELECT 1 AS a FORMAT Protobuf SETTINGS format_schema = '" + secret + ":a'", refused},
		{"writing a definition", "SELECT 1 AS a FORMAT Protobuf SETTINGS output_format_schema = '" + out + "'", refused},
		{"writing errors", "SELECT * FROM format(CSV, 'a UInt8', 'x') SETTINGS input_format_allow_errors_num = 1, input_format_record_errors_file_path = '" + out + "'", refused},
		{"asking a registry", "SELECT * FROM format(AvroConfluent, 'a UInt8', unhex('000000000100')) SETTINGS format_avro_schema_registry_url = 'http://127.0.0.1:1/'", refused},
		{"asking a registry in a subquery", "SELECT * FROM (SELECT * FROM format(AvroConfluent, 'a UInt8', unhex('000000000100')) SETTINGS format_avro_schema_registry_url = 'http://127.0.0.1:1/')", refused},
		{"another language", "SET dialect = 'kusto'", refused},
		{"object storage", "SELECT * FROM s3('http://127.0.0.1:1/bucket/b', CSV)", denied},
	} {
		t.Run(c.promise, func(t *testing.T) {
			got, err := ask(Query{SQL: []byte(c.sql), Database: db, ReadOnly: true})
			if code(err) != c.want {
				t.Errorf("got %q, %v, want code %d", got, err, c.want)
			}
			if strings.Contains(got, "secret words") {
				t.Error("the file was read")
			}
		})
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("a file was written")
	}
	if _, err := ask(Query{SQL: []byte("SELECT {f:Identifier}('x')"), Params: map[string]string{"f": "file"}, ReadOnly: true}); err == nil {
		t.Error("a function named by a parameter was called")
	}
	if _, err := ask(Query{SQL: []byte("SELECT 1"), Settings: map[string]string{"readonly": "0"}, ReadOnly: true}); code(err) != CodeReadonly {
		t.Errorf("readonly = 0 as a setting: got %v, want code %d", err, CodeReadonly)
	}
	const constant = 452
	for name := range serverconfig.Escapes {
		value := map[string]string{"dialect": "kusto", "format_schema_source": "string", "stream_like_engine_allow_direct_select": "1"}[name]
		if value == "" {
			value = secret
		}
		if _, err := ask(Query{SQL: []byte("SELECT 1"), Settings: map[string]string{name: value}, ReadOnly: true}); code(err) != constant {
			t.Errorf("%s as a setting: got %v, want code %d", name, err, constant)
		}
	}
	if got, err := ask(Query{SQL: []byte("SELECT count() FROM t"), Database: db}); err != nil || got != "0" {
		t.Errorf("the table afterwards: %q, %v", got, err)
	}
}

func TestReadOnlyAllows(t *testing.T) {
	db := database(t)
	exec(t, "CREATE TABLE "+db+".t (a UInt8, `file` String) ENGINE = MergeTree ORDER BY a")
	for _, sql := range []string{
		"SELECT 1 SETTINGS max_threads = 1",
		"WITH 1 AS x SELECT x",
		"(SELECT 1) UNION ALL (SELECT 2)",
		"SELECT 'file(1)', '\\'', 'it''s a file'",
		"SELECT count() FROM t WHERE a IN (SELECT number FROM numbers(3))",
		"SHOW TABLES", "SHOW CREATE TABLE t", "DESCRIBE TABLE t", "EXISTS TABLE t", "EXPLAIN SELECT 1", "SHOW PROCESSLIST",
		"SET max_threads = 2", "USE system",
		"SELECT name, value FROM system.settings LIMIT 1",
		"SELECT 1;",
	} {
		t.Run(sql, func(t *testing.T) {
			if _, err := ask(Query{SQL: []byte(sql), Database: db, ReadOnly: true}); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestOneStatementPerQuery(t *testing.T) {
	db := database(t)
	exec(t, "CREATE TABLE "+db+".t (s String) ENGINE = MergeTree ORDER BY s;\n")
	if _, err := ask(Query{SQL: []byte("DROP TABLE t; SELECT 1"), Database: db}); code(err) != CodeSyntaxError {
		t.Errorf("got %v, want code %d", err, CodeSyntaxError)
	}
	for _, sql := range []string{
		"INSERT INTO t VALUES ('a; b')",
		"-- data; too\nINSERT INTO t FORMAT TabSeparated\nc; d\n",
		"INSERT INTO t FORMAT JSONEachRow {\"s\": \"e; f\"}",
	} {
		if _, err := ask(Query{SQL: []byte(sql), Database: db}); err != nil {
			t.Errorf("%s: %v", sql, err)
		}
	}
	if got, err := ask(Query{SQL: []byte("SELECT s FROM t ORDER BY s"), Database: db}); err != nil || got != "a; b\nc; d\ne; f" {
		t.Errorf("got %q, %v", got, err)
	}
}
