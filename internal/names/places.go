package names

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/leoluk/NetMeta/internal/geoip"
	"github.com/leoluk/NetMeta/internal/risinfo/load"
	"github.com/leoluk/NetMeta/internal/settings"
)

var placesLoads = promauto.NewCounterVec(prometheus.CounterOpts{
	Name: "netmeta_names_geoip_loads_total",
	Help: "Times that a GeoIP database was read, by outcome: loaded, or failed, which leaves the table places as it was. The log and as_loads say why.",
}, []string{"outcome"})

const (
	placesTable   = "places"
	placesRetry   = time.Minute // after a failure
	placesTimeout = 10 * time.Minute
	placesAtOnce  = 50_000     // rows that are sent to ClickHouse at once: some MiB
	maxPlaces     = 20_000_000 // a database of cities has 3 to 5 million networks
	// minPlaces is which share of the addresses that the table knows a new database has to
	// know, of IPv4 and of IPv6: one that knows less is damaged, or another kind of database.
	minPlaces = 0.7
)

// places brings a GeoIP database into the table places. It takes a while: everything else
// goes on meanwhile.
type places struct {
	config  *settings.GeoIP
	at      origin
	next    time.Time  // when it is looked at again
	loading chan error // of the load that is under way; nil: none is
	cleared bool       // there is no database, and the table is empty
	failure string     // that was told last
}

// step begins a load where it is time, and takes up one that has ended.
func (p *places) step(ctx context.Context, db *sql.DB, config *settings.GeoIP, now time.Time) error {
	if p.loading != nil {
		select {
		case err := <-p.loading:
			p.loading = nil
			p.finish(ctx, db, now, err)
		default:
			return nil
		}
	}
	switch {
	case config == nil && p.cleared:
		return nil
	case config == nil:
		p.config, p.at = nil, origin{}
		err := p.clear(ctx, db)
		p.cleared = err == nil
		return err
	case p.config == nil || *p.config != *config:
		p.config, p.at, p.next, p.cleared = config, origin{}, now, false
	}
	if now.Before(p.next) {
		return nil
	}
	p.next = now.Add(config.Interval)
	p.loading = make(chan error, 1)
	go func(done chan error) {
		ctx, cancel := context.WithTimeout(ctx, placesTimeout)
		defer cancel()
		done <- p.load(ctx, db, *config)
	}(p.loading)
	return nil
}

// finish tells how a load went: the same failure once.
func (p *places) finish(ctx context.Context, db *sql.DB, now time.Time, err error) {
	if err == nil {
		p.failure = ""
		return
	}
	p.at, p.next = origin{}, now.Add(placesRetry)
	if ctx.Err() != nil {
		return
	}
	placesLoads.WithLabelValues("failed").Inc()
	if text := err.Error(); text != p.failure {
		p.failure = text
		slog.Error("names: countries and cities stay as they were, since the GeoIP database cannot be used", "database", p.config.Name, "error", err)
		noteLoad(ctx, db, "failed", 0, time.Unix(0, 0), text)
	}
}

// noteLoad adds a row to as_loads. Where ClickHouse is away, there is only the log.
func noteLoad(ctx context.Context, db *sql.DB, outcome string, rows int, built time.Time, message string) {
	if err := load.New(db).Note(ctx, placesTable, outcome, rows, built, message); err != nil {
		slog.Warn("names: as_loads does not say how the load of a GeoIP database went", "outcome", outcome, "error", err)
	}
}

// load brings the database into the table, unless it is there already. Until it has
// returned, nothing else touches p.at.
func (p *places) load(ctx context.Context, db *sql.DB, config settings.GeoIP) error {
	b, err := p.at.fetch(ctx, config.URL, config.File, geoip.MaxSize)
	if err != nil || b == nil {
		return err
	}
	database, err := geoip.Read(config.Name, b)
	if err != nil {
		return err
	}
	defer database.Close()
	from := fmt.Sprintf("%s of %s, %d bytes", database.Kind(), database.Built().UTC().Format("2006-01-02 15:04"), len(b))
	if is, err := isLoaded(ctx, db, from); err != nil || is {
		return err
	}
	loading := placesTable + "_loading"
	defer db.ExecContext(context.WithoutCancel(ctx), "DROP TABLE IF EXISTS "+loading+" SYNC")
	if err := execAll(ctx, db, "CREATE OR REPLACE TABLE "+loading+" AS "+placesTable); err != nil {
		return fmt.Errorf("load %s: %w", placesTable, err)
	}
	rows, err := insertPlaces(ctx, db, loading, database)
	if err != nil {
		return err
	}
	if err := isEnough(ctx, db, loading, rows); err != nil {
		return fmt.Errorf("GeoIP database %s (%s): %w", config.Name, from, err)
	}
	if err := execAll(ctx, db, "EXCHANGE TABLES "+loading+" AND "+placesTable, "SYSTEM RELOAD DICTIONARY Places"); err != nil {
		return fmt.Errorf("exchange %s: %w", placesTable, err)
	}
	tableRows.WithLabelValues(placesTable).Set(float64(rows))
	placesLoads.WithLabelValues("loaded").Inc()
	noteLoad(ctx, db, "loaded", rows, database.Built(), from)
	slog.Info("names: countries and cities are those of a GeoIP database", "database", config.Name, "is", from, "networks", rows)
	return nil
}

// isLoaded says whether the table has that database, as after a restart.
func isLoaded(ctx context.Context, db *sql.DB, from string) (is bool, err error) {
	err = db.QueryRowContext(ctx, `
		SELECT count() > 0 AND argMax(Message, Time) = ? AND argMax(Rows, Time) = (SELECT count() FROM places)
		FROM as_loads WHERE Table = 'places' AND Outcome = 'loaded'`, from).Scan(&is)
	if err != nil {
		return false, fmt.Errorf("read what was loaded last: %w", err)
	}
	return is, nil
}

// insertPlaces stores all networks, and returns how many there are.
func insertPlaces(ctx context.Context, db *sql.DB, table string, database *geoip.Database) (rows int, err error) {
	head := "INSERT INTO " + table + " (Prefix, Country, City) FORMAT TSV\n"
	escape := strings.NewReplacer(`\`, `\\`)
	statement := []byte(head)
	flush := func() error {
		if len(statement) == len(head) {
			return nil
		}
		err := execAll(ctx, db, string(statement))
		statement = statement[:len(head)]
		return err
	}
	for place, err := range database.Networks() {
		if err != nil {
			return 0, err
		}
		if rows++; rows > maxPlaces {
			return 0, fmt.Errorf("it has more than %d networks", maxPlaces)
		}
		statement = place.Network.AppendTo(statement)
		statement = append(append(statement, '\t'), place.Country...)
		statement = append(append(append(statement, '\t'), escape.Replace(clean(place.City))...), '\n')
		if rows%placesAtOnce == 0 {
			if err := flush(); err != nil {
				return 0, fmt.Errorf("load %s: %w", placesTable, err)
			}
		}
	}
	if err := flush(); err != nil {
		return 0, fmt.Errorf("load %s: %w", placesTable, err)
	}
	return rows, nil
}

// isEnough refuses a table that knows far fewer addresses than the one in use.
func isEnough(ctx context.Context, db *sql.DB, loading string, rows int) error {
	if rows == 0 {
		return errors.New("it says of no network in which country it is")
	}
	var stored int
	if err := db.QueryRowContext(ctx, "SELECT toInt64(count()) FROM "+loading).Scan(&stored); err != nil {
		return err
	} else if stored != rows {
		return fmt.Errorf("%d of %d rows are there", stored, rows)
	}
	var had, has [2]float64
	for table, known := range map[string]*[2]float64{placesTable: &had, loading: &has} {
		// In addresses of IPv4, and networks of IPv6 that are /64.
		err := db.QueryRowContext(ctx, `
			SELECT sumIf(exp2(32 - bits), IPv4), sumIf(exp2(64 - least(bits, 64)), NOT IPv4)
			FROM (SELECT toUInt8(splitByChar('/', Prefix)[2]) AS bits, position(Prefix, ':') = 0 AS IPv4 FROM `+table+`)`).Scan(&known[0], &known[1])
		if err != nil {
			return fmt.Errorf("count the addresses of %s: %w", table, err)
		}
	}
	for i, family := range []string{"IPv4", "IPv6"} {
		if has[i] < minPlaces*had[i] {
			return fmt.Errorf("it knows %.0f %% of the %s addresses that are known now; if that is right, take geoip out of the settings for a moment",
				math.Floor(100*has[i]/cmp.Or(had[i], 1)), family)
		}
	}
	return nil
}

// clear empties the table, since there is no database any more.
func (p *places) clear(ctx context.Context, db *sql.DB) error {
	var rows uint64
	if err := db.QueryRowContext(ctx, "SELECT count() FROM "+placesTable).Scan(&rows); err != nil {
		return fmt.Errorf("look whether there are places: %w", err)
	}
	tableRows.WithLabelValues(placesTable).Set(0)
	if rows == 0 {
		return nil
	}
	slog.Info("names: there is no GeoIP database any more, so that no countries and cities are known")
	if err := execAll(ctx, db, "TRUNCATE TABLE "+placesTable, "SYSTEM RELOAD DICTIONARY Places"); err != nil {
		return err
	}
	noteLoad(ctx, db, "loaded", 0, time.Now(), "the settings name no GeoIP database any more")
	return nil
}

func execAll(ctx context.Context, db *sql.DB, statements ...string) error {
	for _, statement := range statements {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("%.60s: %w", statement, err)
		}
	}
	return nil
}
