package console

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/leoluk/NetMeta/internal/console/consoletest"
)

// inEditor is the root that the editor of the SQL page has to itself.
const inEditor = `document.querySelector(".sql-editor").shadowRoot`

// writeSQL replaces what is in the editor and leaves the cursor behind it.
func writeSQL(page *consoletest.Page, sql string) {
	page.WaitFor("the editor is there", `document.querySelector(".sql-editor")?.shadowRoot.querySelector(".cm-content") != null`)
	consoletest.Eval[bool](page, inEditor+`.querySelector(".cm-content").focus(); true`)
	page.Chord("a", chromedp.ModifierCtrl)
	page.Write(sql)
}

// runSQL runs a statement and waits for what comes of it.
func runSQL(page *consoletest.Page, sql string) {
	writeSQL(page, sql)
	page.Chord(kb.Enter, chromedp.ModifierCtrl)
	page.WaitFor("the statement has ended", `document.querySelector("#cancel").disabled && /row|Failed|Cancelled/.test(document.querySelector("#sql-status").innerText)`)
}

// firstCells are the texts of the first row of the result.
const firstCells = `[...document.querySelectorAll("#result tbody tr:first-child td")].map((cell) => cell.innerText).join("|")`

func sqlPageCompletes(t *testing.T, c *filled) {
	page := c.open(t, "/sql")
	page.WaitFor("tables are listed", `document.querySelector("#schema")?.innerText.includes("flows")`)

	for _, step := range []struct{ before, typed, offers, explains string }{
		{"SELECT count() FROM ", "flows_r", "flows_raw", "un-aggregated"},
		{"SELECT f. FROM flows AS f WHERE f.", "Sour", "Source", "address"},
		{"SELECT Time FROM flows WHERE ", "SamplingR", "SamplingRate", "sampl"},
		{"SELECT ", "addressToS", "addressToString", "addressToString(address)"},
		{"SELECT ", "quantileTD", "quantileTDigest", ""},
	} {
		writeSQL(page, step.before)
		page.Keys(step.typed)
		page.WaitFor(fmt.Sprintf("%s is offered after %q", step.offers, step.before+step.typed),
			inEditor+`.querySelector(".cm-tooltip-autocomplete li[aria-selected]")?.innerText.includes(`+fmt.Sprintf("%q", step.offers)+`)`)
		if step.explains != "" {
			page.WaitFor(step.offers+" is explained", inEditor+`.querySelector(".cm-completionInfo")?.innerText.includes(`+fmt.Sprintf("%q", step.explains)+`)`)
		}
		// An offer is not taken in the moment it appears: one may just have typed on.
		page.WaitFor("the offer has been there for a moment", `(window.offered ??= performance.now()) < performance.now() - 200`)
		page.Keys(kb.Enter)
		page.WaitFor("the offer is taken", inEditor+`.querySelector(".cm-content").innerText.includes(`+fmt.Sprintf("%q", step.offers)+`) && delete window.offered`)
		page.Keys(kb.Escape)
	}
	page.MustBeWell()
}

func sqlPageRunsAndShares(t *testing.T, c *filled) {
	page := c.open(t, "/sql")
	runSQL(page, "SELECT count() AS flows FROM flows_raw")
	page.WaitFor("the count is shown", fmt.Sprintf(`%s === "%d"`, firstCells, c.rows(t)))
	contains(t, "status", page.Text("#sql-status"), "1 row in", "rows read")

	perHour := "SELECT toStartOfHour(Time) AS hour, Direction, sum(Bits) AS bits FROM flows GROUP BY hour, Direction ORDER BY hour, Direction"
	runSQL(page, perHour)
	page.Click(`#result [data-value="chart"]`)
	page.WaitFor("the chart is drawn", `document.querySelector("#result canvas")?.width > 0`)
	page.Click(`#result [data-value="table"]`)
	page.WaitFor("the table is back", `document.querySelectorAll("#result tbody tr").length > 2`)
	page.Click("#result thead th:nth-child(3) button")
	page.WaitFor("the third column falls", `(() => {
		const values = [...document.querySelectorAll("#result tbody td:nth-child(3)")].map((cell) => Number(cell.innerText));
		return document.querySelector("#result th:nth-child(3)").ariaSort === "descending" && values.every((v, i) => i === 0 || v <= values[i - 1]);
	})()`)

	consoletest.Eval[bool](page, `window.saved = []; const make = URL.createObjectURL; URL.createObjectURL = (blob) => { saved.push(blob); return make.call(URL, blob); }; true`)
	page.Click("#save-csv")
	page.WaitFor("CSV is saved", `saved[0]?.text().then((text) => { window.csv = text; }), window.csv?.startsWith("hour,Direction,bits\r\n")`)
	page.Click("#save-json")
	page.WaitFor("JSON is saved", `saved[1]?.text().then((text) => { window.json = JSON.parse(text); }), window.json?.length === document.querySelectorAll("#result tbody tr").length`)

	other := c.open(t, page.Address())
	other.WaitFor("the link shows the same", `document.querySelector("#result thead")?.innerText.includes("bits")`)
	page.Back()
	page.WaitFor("Back shows the statement before", fmt.Sprintf(`%s === "%d"`, firstCells, c.rows(t)))
	contains(t, "history", consoletest.Eval[string](page, `document.querySelector("#history").textContent`), "toStartOfHour", "SELECT count()")
	page.MustBeWell()
	other.MustBeWell()
}

func sqlPageSaysWhatIsWrong(t *testing.T, c *filled) {
	before := c.rows(t)
	page := c.open(t, "/sql")
	page.Expect("status of 4")
	for _, bad := range []struct{ sql, marked, says string }{
		{"SELECT Sorce FROM flows", "Sorce", "Sorce"},
		{"SELECT 'ÄÖ→', Source\nFORM flows", "flows", "Syntax error"},
		{"SELECT count() FROM flovs", "flovs", "flovs"},
		{"SELECT adressToString(Source) FROM flows", "adressToString", "adressToString"},
	} {
		runSQL(page, bad.sql)
		contains(t, bad.sql, page.Text("#sql-error"), bad.says)
		page.WaitFor("the place is marked in "+bad.sql, inEditor+`.querySelector(".cm-lintRange-error")?.innerText.includes(`+fmt.Sprintf("%q", bad.marked)+`)`)
	}
	for _, forbidden := range []string{
		"DROP TABLE flows_raw", "INSERT INTO flows_raw (Bytes) VALUES (1)", "SELECT * FROM url('http://192.0.2.1/', CSV, 'a String')",
		"SELECT * FROM file('/etc/passwd', CSV, 'a String')", "SET readonly = 0", "SELECT 1 SETTINGS readonly = 0; DROP TABLE flows_raw",
	} {
		runSQL(page, forbidden)
		if text := page.Text("#sql-error"); text == "" {
			t.Errorf("%s is not refused", forbidden)
		}
		if text := page.Text("#result"); text != "" {
			t.Errorf("%s shows a result: %s", forbidden, text)
		}
	}
	if after := c.rows(t); after != before {
		t.Errorf("flows_raw has %d rows, want %d", after, before)
	}
	page.MustBeWell()
}

func sqlPageCancelsAndTruncates(t *testing.T, c *filled) {
	page := c.open(t, "/sql")
	for _, stop := range []struct {
		press func()
		says  string
	}{
		{func() { page.Click("#cancel") }, `document.querySelector("#sql-status").innerText === "Cancelled"`},
		{func() { page.Keys(kb.Escape) }, `document.querySelector("#sql-status").innerText === "Cancelled"`},
		{func() { page.Click(`#nav a[href^="/setup"]`) }, `location.pathname === "/setup"`}, // the page moves on
	} {
		page.Goto("/sql")
		writeSQL(page, endless("sql-page"))
		page.Chord(kb.Enter, chromedp.ModifierCtrl)
		page.WaitFor("time passes on the page", `/Running … [\d.]+ m?s/.test(document.querySelector("#sql-status").innerText)`)
		eventually(t, "ClickHouse works on it", func() bool { return running(t, c.config, "sql-page") == 1 })
		// Escape closes a list of completions first, if one has just opened.
		eventually(t, "the page says so", func() bool {
			if consoletest.Eval[bool](page, stop.says) {
				return true
			}
			stop.press()
			return consoletest.Eval[bool](page, stop.says)
		})
		eventually(t, "ClickHouse has stopped", func() bool { return running(t, c.config, "sql-page") == 0 })
	}

	page.Goto("/sql")
	page.WaitFor("the limits are there", `document.querySelector("#limit") !== null`)
	consoletest.Eval[bool](page, `document.querySelector("#limit").value = "100"; true`)
	runSQL(page, "SELECT number FROM numbers(1000)")
	page.WaitFor("100 rows are shown", `document.querySelectorAll("#result tbody tr").length === 100`)
	contains(t, "notice", page.Text("#truncated"), "Only the first 100 rows")
	if !strings.Contains(page.Address(), "limit=100") {
		t.Errorf("the address %s does not keep the limit", page.Address())
	}
	page.MustBeWell()
}
