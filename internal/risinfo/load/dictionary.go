package load

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/leoluk/NetMeta/internal/clickhouse"
)

// dictionary is one of the dictionaries that migrations make without a source. source is
// what it reads, {table} stands for the table with its database: a dictionary has none of its
// own.
type dictionary struct {
	name, table string
	attributes  string // as the migration has them, up to the source
	layout      string // and behind it
	source      string
}

// isIPv4 tells prefixes of IPv4, which are stored as ::ffff:a.b.c.d.
const isIPv4 = `Length >= 96 AND Prefix BETWEEN toIPv6('::ffff:0.0.0.0') AND toIPv6('::ffff:255.255.255.255')`

// dictionaries: IP_TRIE alone costs half a microsecond a lookup where the addresses are all
// over the internet, an array by /24 a hundredth of it. So the array has IPv4 and the trie
// the rest: IPv6, and of IPv4 what is longer than /24 together with all that is around it.
var dictionaries = []dictionary{
	{
		name: "as_of_ipv4", table: Prefixes,
		attributes: "(Network UInt64, ASN UInt32) PRIMARY KEY Network",
		layout:     "LAYOUT(FLAT(INITIAL_ARRAY_SIZE 1024 MAX_ARRAY_SIZE 16777216)) LIFETIME(0) COMMENT 'AS of each /24 of IPv4, by the upper 24 bits of its addresses; 4294967295 where it has longer prefixes: as_of_prefix has them'",
		// Of the rows with the same key the last one stays: the longest prefix.
		source: `SELECT
			arrayJoin(range(first, first + bitShiftLeft(toUInt64(1), toUInt8(120 - least(Length, 120))))) AS Network,
			if(Length > 120, toUInt32(4294967295), ASN) AS ASN
		FROM
		(
			SELECT toUInt64(bitAnd(bitShiftRight(toUInt128(Prefix), 8), 0xffffff)) AS first, Length, ASN
			FROM {table}
			WHERE ` + isIPv4 + `
			ORDER BY Length
		)
		SETTINGS max_threads = 1`,
	},
	{
		name: "as_of_prefix", table: Prefixes,
		attributes: "(Prefix String, ASN UInt32) PRIMARY KEY Prefix",
		layout:     "LAYOUT(IP_TRIE) LIFETIME(0) COMMENT 'AS of each IPv6 prefix, and of the IPv4 prefixes that as_of_ipv4 cannot tell'",
		source: `SELECT concat(toString(p.Prefix), '/', toString(p.Length)) AS route, p.ASN
		FROM {table} AS p
		WHERE NOT (` + isIPv4 + `) OR Length > 120 OR (p.Prefix, p.Length) IN
		(
			SELECT tupleElement(IPv6CIDRToRange(Prefix, around), 1), around
			FROM {table}
			ARRAY JOIN arrayMap(l -> toUInt8(l), range(96, 121)) AS around
			WHERE Length > 120 AND ` + isIPv4 + `
		)`,
	},
	{
		name: "as_registry", table: Names,
		attributes: "(ASN UInt64, Name String, Country String) PRIMARY KEY ASN",
		layout:     "LAYOUT(HASHED) LIFETIME(0) COMMENT 'as_names, to look names up'",
		source:     `SELECT toUInt64(ASN) AS ASN, Name, toString(Country) AS Country FROM {table}`,
	},
}

// empty is the dictionary as migrations make it.
func (d dictionary) empty(create string) string {
	return create + " " + d.name + " " + d.attributes + " SOURCE(NULL()) " + d.layout
}

// reading is the dictionary under another name, reading its table in database.
func (d dictionary) reading(create, name, database string) string {
	table := "`" + strings.NewReplacer(`\`, `\\`, "`", "\\`").Replace(database) + "`." + d.table
	query := strings.ReplaceAll(strings.Join(strings.Fields(d.source), " "), "{table}", table)
	return create + " " + name + " " + d.attributes + " SOURCE(CLICKHOUSE(QUERY " + clickhouse.Literal(query) + ")) " + d.layout
}

// reload has a dictionary read its table. Until it has, it answers as before; so it does
// where it cannot read it.
func (l *Loader) reload(ctx context.Context, d dictionary) error {
	active, err := l.active(ctx, d)
	if err != nil {
		return err
	}
	if active {
		return l.exec(ctx, `SYSTEM RELOAD DICTIONARY `+d.name)
	}
	var database string
	if err := l.db.QueryRowContext(ctx, `SELECT currentDatabase()`).Scan(&database); err != nil {
		return fmt.Errorf("ask for the current database: %w", err)
	}
	next := d.name + "_next"
	defer l.db.ExecContext(context.WithoutCancel(ctx), `DROP DICTIONARY IF EXISTS `+next+` SYNC`)
	for _, statement := range []string{
		d.reading(`CREATE OR REPLACE DICTIONARY`, next, database),
		`SYSTEM RELOAD DICTIONARY ` + next,
		d.empty(`CREATE DICTIONARY IF NOT EXISTS`),
		`EXCHANGE DICTIONARIES ` + d.name + ` AND ` + next,
	} {
		if err := l.exec(ctx, statement); err != nil {
			return fmt.Errorf("dictionary %s: %w", d.name, err)
		}
	}
	return nil
}

// active says whether a dictionary exists and reads its table.
func (l *Loader) active(ctx context.Context, d dictionary) (active bool, err error) {
	err = l.db.QueryRowContext(ctx, `
		SELECT count() > 0 FROM system.tables
		WHERE database = currentDatabase() AND name = ? AND create_table_query LIKE '%SOURCE(CLICKHOUSE(%'`, d.name).Scan(&active)
	if err != nil {
		return false, fmt.Errorf("look for dictionary %s: %w", d.name, err)
	}
	return active, nil
}

// Heal makes sure that every dictionary can be asked, since the view that stores flows would
// wait for one that is missing, or cannot be loaded, for ever. It returns whether one had to
// be made anew, without a source: the tables have to be loaded once more.
func (l *Loader) Heal(ctx context.Context) (healed bool, err error) {
	states, err := l.states(ctx)
	if err != nil {
		return false, err
	}
	for _, d := range dictionaries {
		state, exists := states[d.name]
		switch {
		case !exists:
			err = l.exec(ctx, d.empty(`CREATE DICTIONARY IF NOT EXISTS`))
			slog.Warn("risinfo: a dictionary was missing and is made anew", "dictionary", d.name)
		case state == "FAILED" || state == "FAILED_AND_RELOADING":
			err = l.exec(ctx, d.empty(`CREATE OR REPLACE DICTIONARY`))
			slog.Warn("risinfo: ClickHouse cannot load a dictionary, which is emptied so that flows go on to be stored", "dictionary", d.name)
		default:
			continue
		}
		if err != nil {
			return healed, fmt.Errorf("make dictionary %s anew: %w", d.name, err)
		}
		healed = true
	}
	return healed, nil
}

// states returns how ClickHouse stands to each dictionary that exists.
func (l *Loader) states(ctx context.Context) (states map[string]string, err error) {
	rows, err := l.db.QueryContext(ctx, `SELECT name, toString(status) FROM system.dictionaries WHERE database = currentDatabase()`)
	if err != nil {
		return nil, fmt.Errorf("ask for the state of dictionaries: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	states = map[string]string{}
	for rows.Next() {
		var name, state sql.NullString
		if err := rows.Scan(&name, &state); err != nil {
			return nil, err
		}
		states[name.String] = state.String
	}
	return states, rows.Err()
}
