package console

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/leoluk/NetMeta/internal/console/consoletest"
)

// secret is in a table beside the flows, where no dashboard looks.
const secret = "Xyzzy-4711"

// textVariables are the text fields of the shared filters, each with a value that
// can be used, so that the field is shown.
var textVariables = map[string]string{
	"host": "192.0.2.0/24", "source": "192.0.2.1", "destination": "192.0.2.1", "port": "443", "protocol": "tcp", "asn": "64496",
	"srcAS": "64496", "dstAS": "64496", "nextHop": "192.0.2.1", "vlan": "12", "sql": "Bytes > 0",
}

// badValues are what nobody can filter by.
var badValues = []string{
	`'`, `"`, "`", `\`, `\'`, `';--`, `'; DROP TABLE flows_raw; --`, `(`, `)`, `]`, `{}`, `1)) OR (1=1`, `.*`, `^192\.0\.[`, `(?i)x+$`,
	`') UNION ALL SELECT Value FROM secret --`, `192.0.2.1' OR '1'='1`, `${host:raw}`, `$__timeFilter(TimeReceived)`, `<img src=x onerror=alert(1)>`,
	`zürich`, `日本`, "\u202e1.2.0.291", `999.1.2.3`, `192.0.2.0/99`, strings.Repeat("a", 20_000), strings.Repeat("192.0.2.1, ", 3000) + "'",
}

// protocolLike has the form of a protocol's name.
var protocolLike = regexp.MustCompile(`^[\w+./ -]{1,40}$`)

// badConditions are conditions that do not end where their field does.
var badConditions = []string{
	`'`, `"`, `;`, `';--`, `1=1; DROP TABLE flows_raw`, `1=1) UNION ALL SELECT Value FROM secret --`, `1=1 /* `, `1=1 -- `, `(`, `)`, `1)) OR (1=1`, `[1`,
	`Source = '` + strings.Repeat("a", 20_000), `日本'`,
}

// badInputIsRefusedInItsField types what cannot be used into every field.
func badInputIsRefusedInItsField(t *testing.T, c *filled) {
	_, err := c.write.Exec("CREATE TABLE secret (Value String) ENGINE = MergeTree ORDER BY Value")
	must(t, err)
	_, err = c.write.Exec("INSERT INTO secret VALUES ('" + secret + "')")
	must(t, err)
	var before, after uint64
	must(t, c.write.QueryRow("SELECT sum(cityHash64(*)) FROM flows_raw").Scan(&before))

	var filters []string
	for name, value := range textVariables {
		filters = append(filters, name, value)
	}
	page := c.open(t, of("netmeta-flows", filters...))
	page.Expect("status of 400")
	panels(page)
	good := page.Address()
	for name := range textVariables {
		values := badValues
		if name == "sql" {
			values = badConditions
		}
		for _, value := range values {
			// Which names of protocols there are is the database's to know, and some have dots and digits.
			if name == "protocol" && protocolLike.MatchString(value) {
				continue
			}
			refused(t, page, name, value)
		}
	}
	if page.Address() != good {
		t.Errorf("a value that was refused has changed the address to %s", page.Address())
	}

	// Links can hold what no field has seen.
	for _, value := range []string{badValues[5], badValues[11], badValues[15], badConditions[5]} {
		for _, name := range []string{"host", "port", "sql"} {
			page.Goto(of("netmeta-flows", name, value))
			page.WaitFor(fmt.Sprintf("the field %s says what is wrong with %q", name, value), fieldError(name)+` !== ""`)
			text := ""
			for _, p := range panels(page) {
				text += p.Text
			}
			if strings.Contains(text, secret) || strings.Contains(text, "DB::Exception") || strings.Contains(text, "Syntax error") {
				t.Errorf("%s = %q: the page shows\n%s", name, value, text)
			}
		}
	}
	must(t, c.write.QueryRow("SELECT sum(cityHash64(*)) FROM flows_raw").Scan(&after))
	if before != after {
		t.Error("the stored flows have changed")
	}
	page.MustBeWell()
}

// refused types a value into the field of a variable and expects a message there.
func refused(t *testing.T, page *consoletest.Page, name, value string) {
	t.Helper()
	short := value
	if len(short) > 40 {
		short = short[:40] + "…"
	}
	page.Fill(`[data-variable="`+name+`"] input`, value)
	page.Keys("\r")
	page.WaitFor(fmt.Sprintf("the field %s says what is wrong with %q", name, short), fieldError(name)+` !== ""`)
	if text := consoletest.Eval[string](page, fieldError(name)); len(text) > 400 || strings.Contains(text, "DB::Exception") {
		t.Errorf("%s = %q: the message is %q", name, short, text)
	}
	// The next value has a message of its own to show.
	page.Fill(`[data-variable="`+name+`"] input`, textVariables[name])
	page.Keys("\r")
	page.WaitFor("the message is gone", fieldError(name)+` === ""`)
}

// fieldError is the message at the field of a variable.
func fieldError(name string) string {
	return `(document.querySelector('[data-variable="` + name + `"] .field-error')?.innerText ?? "")`
}

func impossibleTimesAreRefused(t *testing.T, c *filled) {
	page := c.open(t, "/d/netmeta-overview?from=now&to=now-3h")
	page.WaitFor("the page says that the range is impossible", `document.querySelector(".range-error")?.innerText.includes("ends before it begins")`)
	page.Click(".range-error button")
	contains(t, "overview of the usual range", withoutErrors(t, page), "Throughput")

	for _, wrong := range []struct{ from, to, says string }{
		{"yesterdayish", "now", "is not a time"},
		{"now", "now-1h", "ends before it begins"},
		{"2026-02-30", "now", "is not a time"},
		{"1969-01-01", "now", "before 1970"},
		{"now-999999y", "now", ""},
		{"'; DROP TABLE flows_raw", "now", "is not a time"},
	} {
		page.Click(".timebar .range")
		page.Fill(".range-form input", wrong.from)
		page.Fill(".range-form input:nth-of-type(2)", wrong.to)
		page.Keys("\r")
		page.WaitFor(fmt.Sprintf("the picker refuses %q to %q", wrong.from, wrong.to), `document.querySelector(".range-form .field-error")?.checkVisibility()`)
		contains(t, "picker", page.Text(".range-form .field-error"), wrong.says)
		page.Keys("\x1b")
	}
	page.Click(".timebar .range")
	page.Fill(".range-form input", "now-90m")
	page.Fill(".range-form input:nth-of-type(2)", "now")
	page.Keys("\r")
	page.WaitFor("what was typed is shown", `location.search.includes("from=now-90m")`)
	withoutErrors(t, page)
	page.MustBeWell()
}

func aQueryOverItsLimitsSaysSo(t *testing.T, c *filled) {
	page := c.open(t, of("netmeta-flows", "sql", "sleepEachRow(3) = 0"))
	page.Expect("status of 422")
	page.WaitFor("a panel says that the query takes too much", `[...document.querySelectorAll(".panel-note")].some((note) => note.innerText.includes("takes too much"))`)
	contains(t, "panel", page.Text(".panel-note"), "shorter time range")
	page.Click(".clear-filters")
	contains(t, "flows without the condition", withoutErrors(t, page), listener)
	page.MustBeWell()
}

func dashboardsRecoverWhenClickHouseIsAway(t *testing.T, c *filled) {
	page := c.open(t, of("netmeta-overview"))
	page.Expect("status of 503")
	withoutErrors(t, page)
	c.outage.Store(true)
	page.Keys("r")
	page.WaitFor("the panels say that ClickHouse does not answer", `[...document.querySelectorAll('.panel[data-state="error"] .panel-note')].some((note) => note.innerText.includes("ClickHouse does not answer"))`)
	c.outage.Store(false)
	page.WaitFor("the panels are well again without a click", `[...document.querySelectorAll(".panel")].filter((panel) => panel.getBoundingClientRect().top < innerHeight).every((panel) => panel.dataset.state === "ready")`)
	page.MustBeWell()
}
