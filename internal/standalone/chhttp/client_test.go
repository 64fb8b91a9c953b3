package chhttp

import (
	"context"
	"database/sql"
	"errors"
	"math/big"
	"net"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/golang-migrate/migrate/v4"
	migrateclickhouse "github.com/golang-migrate/migrate/v4/database/clickhouse"
	"github.com/golang-migrate/migrate/v4/source/iofs"
	"github.com/shopspring/decimal"

	"github.com/leoluk/NetMeta/internal/standalone/chdbtest"
)

func clientOptions(t *testing.T, address, db string, method clickhouse.CompressionMethod) *clickhouse.Options {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return &clickhouse.Options{
		Addr: []string{u.Host}, Protocol: clickhouse.HTTP, Auth: clickhouse.Auth{Database: db, Username: "default", Password: "ignored"},
		Compression: &clickhouse.Compression{Method: method},
	}
}

const typesTable = `CREATE TABLE types (
	time DateTime, micros DateTime64(6), day Date, address IPv6, v4 IPv4, name LowCardinality(String), maybe Nullable(UInt32),
	path Array(UInt32), kind Enum8('in' = 1, 'out' = 2), price Decimal(18, 4), wide UInt128, tags Map(String, UInt64),
	point Tuple(UInt8, String), mac FixedString(6), flag Bool, id UUID, ratio Float64
) ENGINE = MergeTree ORDER BY time`

func typesRow() []any {
	seven := uint32(7)
	wide, _ := new(big.Int).SetString("340282366920938463463374607431768211455", 10)
	return []any{
		time.Unix(1700000000, 0).UTC(), time.UnixMicro(1700000000123456).UTC(), time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC),
		net.ParseIP("2001:db8::1"), net.ParseIP("192.0.2.1").To4(), "an exporter", &seven,
		[]uint32{64496, 64511}, "out", decimal.RequireFromString("12.3456"), *wide, map[string]uint64{"a": 1},
		[]any{uint8(3), "x"}, "\x00\x01\x02\x03\x04\x05", true, "61f0c404-5cb3-11e7-907b-a6006ad3dba0", 0.25,
	}
}

// TestTypesSurviveTheRoundTrip writes and reads through clickhouse-go's native
// interface, with every compression that it offers over HTTP.
func TestTypesSurviveTheRoundTrip(t *testing.T) {
	server := serve(t, false)
	for _, method := range []clickhouse.CompressionMethod{clickhouse.CompressionNone, clickhouse.CompressionGZIP,
		clickhouse.CompressionDeflate, clickhouse.CompressionBrotli, clickhouse.CompressionLZ4, clickhouse.CompressionZSTD} {
		t.Run(method.String(), func(t *testing.T) {
			db, ctx := chdbtest.Database(t), context.Background()
			conn, err := clickhouse.Open(clientOptions(t, server.URL, db, method))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if err := conn.Exec(ctx, typesTable); err != nil {
				t.Fatal(err)
			}
			batch, err := conn.PrepareBatch(ctx, "INSERT INTO types")
			if err != nil {
				t.Fatal(err)
			}
			if err := batch.Append(typesRow()...); err != nil {
				t.Fatal(err)
			}
			if err := batch.Send(); err != nil {
				t.Fatal(err)
			}
			rows, err := conn.Query(ctx, "SELECT * FROM types")
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			want, got := typesRow(), []any{}
			for _, column := range rows.ColumnTypes() {
				got = append(got, reflect.New(column.ScanType()).Interface())
			}
			if !rows.Next() {
				t.Fatalf("no row: %v", rows.Err())
			}
			if err := rows.Scan(got...); err != nil {
				t.Fatal(err)
			}
			for i, column := range rows.Columns() {
				if value := reflect.ValueOf(got[i]).Elem().Interface(); !same(value, want[i]) {
					t.Errorf("%s: got %#v, want %#v", column, value, want[i])
				}
			}
		})
	}
}

// same compares the forms in which clickhouse-go hands a value out and takes it.
func same(got, want any) bool {
	switch want := want.(type) {
	case time.Time:
		return want.Equal(got.(time.Time))
	case net.IP:
		return want.Equal(got.(net.IP))
	case decimal.Decimal:
		return want.Equal(got.(decimal.Decimal))
	case big.Int:
		return want.Cmp(got.(*big.Int)) == 0
	case string:
		if text, ok := got.(interface{ String() string }); ok {
			return text.String() == want
		}
	}
	return reflect.DeepEqual(got, want)
}

func TestDatabaseSQL(t *testing.T) {
	server := serve(t, true)
	db := clickhouse.OpenDB(clientOptions(t, server.URL, "default", clickhouse.CompressionGZIP))
	defer db.Close()
	t.Run("named parameters", func(t *testing.T) {
		var text string
		if err := db.QueryRow("SELECT {s:String}", clickhouse.Named("s", "it's \\ a\ttest\n")).Scan(&text); err != nil || text != "it's \\ a\ttest\n" {
			t.Errorf("got %q, %v", text, err)
		}
	})
	t.Run("many blocks", func(t *testing.T) {
		rows, err := db.Query("SELECT number FROM numbers(300000)")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		var n, sum uint64
		for rows.Next() {
			if err := rows.Scan(&n); err != nil {
				t.Fatal(err)
			}
			sum += n
		}
		if rows.Err() != nil || sum != 300000*299999/2 {
			t.Errorf("sum %d, %v", sum, rows.Err())
		}
	})
	t.Run("no rows", func(t *testing.T) {
		var n uint64
		if err := db.QueryRow("SELECT number FROM numbers(0)").Scan(&n); !errors.Is(err, sql.ErrNoRows) {
			t.Errorf("got %v, want sql.ErrNoRows", err)
		}
	})
	for promise, c := range map[string]struct {
		query string
		code  int32
	}{
		"an exception has its code":                 {"SELECT * FROM nowhere", 60},
		"a write is refused":                        {"CREATE TABLE x (a UInt8) ENGINE = Memory", 164},
		"an exception after data does not get lost": {"SELECT throwIf(number = 900000) FROM numbers(1000000)", 395},
	} {
		t.Run(promise, func(t *testing.T) {
			rows, err := db.Query(c.query)
			if err == nil {
				for rows.Next() {
					continue
				}
				err = rows.Err()
				rows.Close()
			}
			var exception *clickhouse.Exception
			if !errors.As(err, &exception) || exception.Code != c.code {
				t.Errorf("got %v, want code %d", err, c.code)
			}
		})
	}
}

func TestMigrations(t *testing.T) {
	name := chdbtest.Database(t)
	db := OpenInternal(chdbtest.Engine(t))
	defer db.Close()
	files, err := iofs.New(fstest.MapFS{
		"0001_table.up.sql":   {Data: []byte("CREATE TABLE " + name + ".t (a UInt8 COMMENT 'one; two') ENGINE = MergeTree ORDER BY a")},
		"0001_table.down.sql": {Data: []byte("DROP TABLE " + name + ".t")},
		"0002_view.up.sql":    {Data: []byte("CREATE VIEW " + name + ".v AS SELECT a FROM " + name + ".t;\n")},
		"0002_view.down.sql":  {Data: []byte("DROP VIEW " + name + ".v")},
		"0003_wrong.up.sql":   {Data: []byte("CREATE VIEW " + name + ".w AS SELECT b FROM " + name + ".nowhere")},
	}, ".")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { chdbtest.Exec(t, "DROP TABLE default.schema_migrations SYNC") })
	driver, err := migrateclickhouse.WithInstance(db, &migrateclickhouse.Config{DatabaseName: "default", MigrationsTableEngine: "MergeTree"})
	if err != nil {
		t.Fatal(err)
	}
	m, err := migrate.NewWithInstance("iofs", files, "clickhouse", driver)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Migrate(2); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("INSERT INTO " + name + ".t VALUES (1), (2)"); err != nil {
		t.Fatal(err)
	}
	var sum uint64
	if err := db.QueryRow("SELECT sum(a) FROM " + name + ".v").Scan(&sum); err != nil || sum != 3 {
		t.Errorf("sum %d, %v, want 3", sum, err)
	}
	if err := m.Migrate(3); err == nil || !strings.Contains(err.Error(), "UNKNOWN_TABLE") {
		t.Errorf("the wrong migration: got %v", err)
	}
	if version, dirty, err := m.Version(); version != 3 || !dirty || err != nil {
		t.Errorf("version %d, dirty %v, %v, want 3, true", version, dirty, err)
	}
}

func TestInternalClientCloses(t *testing.T) {
	db := OpenInternal(chdbtest.Engine(t))
	if err := db.Ping(); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := db.Ping(); err == nil {
		t.Error("a closed client answers")
	}
}
