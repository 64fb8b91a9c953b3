package console

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/leoluk/NetMeta/internal/console/consoletest"
)

// The busiest conversation of the last three hours, by far.
const (
	talker   = "192.0.2.177"
	listener = "192.0.2.201"
)

// talk stores the busiest conversation: a packet every five seconds, each of which
// stands for many.
func talk(t *testing.T, c *filled) {
	t.Helper()
	_, err := c.write.Exec(`INSERT INTO flows_raw
		(TimeReceived, FlowType, SamplerAddress, SamplingRate, SamplingRateSource, FlowDirection, Bytes, Packets, SrcAddr, DstAddr, EType, Proto, SrcPort, DstPort, InIf, OutIf, SrcAS, DstAS)
		SELECT toDateTime(now() - number * 5, 'UTC'), 'SFLOW_5', toIPv6('192.0.2.1'), 65536, 'packet', 0, 1400, 1,
			toIPv6('` + talker + `'), toIPv6('` + listener + `'), 2048, 17, 443, 50000, 3, 6, 64500, 64497
		FROM numbers(2160)`)
	must(t, err)
}

// panel is a panel as the page shows it.
type panel struct{ ID, Title, State, Text string }

// panels waits until every panel has loaded, and returns all of them. Those beyond the
// window load when they come into view: see unfold.
func panels(page *consoletest.Page) []panel {
	page.WaitFor("the panels are there", `document.querySelector(".panel") !== null`)
	// A machine that tests much else at once may take longer than a query has. Whether
	// queries are fast is for benchmarks; here people try again.
	page.WaitFor("all panels have loaded", `(() => {
		const all = [...document.querySelectorAll(".panel")];
		const late = all.filter((panel) => panel.dataset.state === "error" && /Timeout exceeded|no answer in time/.test(panel.innerText));
		for (const panel of late) [...panel.querySelectorAll(".panel-note button")].find((b) => b.innerText === "Try again")?.click();
		const inView = all.filter((panel) => panel.getBoundingClientRect().top < innerHeight);
		return late.length === 0 && inView.every((panel) => !["waiting", "loading"].includes(panel.dataset.state));
	})()`)
	return consoletest.Eval[[]panel](page, `[...document.querySelectorAll(".panel")].map((panel) => ({
		ID: panel.id, Title: panel.querySelector("h2").innerText, State: panel.dataset.state,
		// What is drawn on a canvas is told to those who do not see it.
		Text: panel.innerText + [...panel.querySelectorAll("[aria-label]")].filter((e) => e.checkVisibility()).map((e) => " " + e.getAttribute("aria-label")).join("")}))`)
}

// unfold opens all rows of a dashboard and makes the window as high as the page, so
// that all panels are in view.
func unfold(page *consoletest.Page, width int64) { unfoldRow(page, width, "") }

// unfoldRow is unfold for the rows whose title contains a text.
func unfoldRow(page *consoletest.Page, width int64, title string) {
	page.WaitFor("the dashboard is there", `document.querySelector(".panel") !== null`)
	page.WaitFor("the rows are open", fmt.Sprintf(`(() => {
		const closed = [...document.querySelectorAll('.row-toggle[aria-expanded="false"]')].find((row) => row.innerText.includes(%q));
		closed?.click();
		return closed === undefined;
	})()`, title))
	page.Resize(width, min(9000, consoletest.Eval[int64](page, `document.documentElement.scrollHeight + 100`)))
}

// withoutErrors checks that no panel has failed, and returns what all of them say.
func withoutErrors(t *testing.T, page *consoletest.Page) string {
	t.Helper()
	all := ""
	for _, p := range panels(page) {
		if p.State == "error" {
			t.Errorf("%s: the panel %s says:\n%s", page.Address(), p.Title, p.Text)
		}
		all += p.Text + "\n"
	}
	return all
}

// of is the address of a dashboard of the last three hours.
func of(uid string, filters ...string) string {
	query := url.Values{"from": {"now-3h"}, "to": {"now"}}
	for i := 0; i < len(filters); i += 2 {
		query.Add("var-"+filters[i], filters[i+1])
	}
	return "/d/" + uid + "?" + query.Encode()
}

// dashboardsShowTheTopTalker opens every dashboard, with all of its panels.
func dashboardsShowTheTopTalker(t *testing.T, c *filled) {
	page := c.open(t, "/sql")
	for _, d := range c.config.Dashboards {
		t.Run(d.UID, func(t *testing.T) {
			page := page.For(t)
			address := of(d.UID)
			if d.UID == "netmeta-host" {
				address = of(d.UID, "host", listener)
			}
			page.Goto(address)
			unfold(page, 1600)
			text := withoutErrors(t, page)
			// The pipeline is about tables, too, and there are neither web servers nor traces.
			want := map[string]string{"netmeta-host": talker, "netmeta-pipeline": "flows_raw", "netmeta-web": "never", "netmeta-traces": "never",
				"netmeta-aws": "never", "netmeta-gcp": "never", "netmeta-hosts": "never"}[d.UID]
			if want == "" {
				want = listener
			}
			contains(t, d.UID, text, want)

			zooms(t, page)
			page.Goto(address)
			looksRight(t, page, strings.TrimPrefix(d.UID, "netmeta-"), func() {
				unfold(page, consoletest.Eval[int64](page, `innerWidth`))
				withoutErrors(t, page)
			})
			page.MustBeWell()
		})
	}
}

// zooms drags across a chart, if there is one, and goes back.
func zooms(t *testing.T, page *consoletest.Page) {
	t.Helper()
	if !consoletest.Eval[bool](page, `document.querySelector('[data-kind="timeseries"][data-state="ready"] .plot') !== null`) {
		return
	}
	page.Drag(`[data-kind="timeseries"][data-state="ready"] .plot`, 0.7, 0.9)
	page.WaitFor("a part of the time is shown", `/from=\d{13}&to=\d{13}/.test(location.search)`)
	withoutErrors(t, page)
	span := consoletest.Eval[int64](page, `(() => { const at = new URLSearchParams(location.search); return Math.round((at.get("to") - at.get("from")) / 1000); })()`)
	if span < 600 || span > 3*3600/2 {
		t.Errorf("dragging across a fifth of a chart of three hours shows %d s", span)
	}
	page.Back()
	page.WaitFor("all of the time is shown", `location.search.includes("from=now-3h")`)
	withoutErrors(t, page)
}

// clickValue clicks a value of a table and chooses from its menu.
func clickValue(page *consoletest.Page, title, value, choice string) {
	find := fmt.Sprintf(`[...document.querySelectorAll(".panel")].filter((p) => p.querySelector("h2").innerText.startsWith(%q)).flatMap((p) => [...p.querySelectorAll("td .value")]).find((v) => v.innerText === %q)`, title, value)
	page.WaitFor(fmt.Sprintf("%s shows %s", title, value), find+` !== undefined`)
	consoletest.Eval[bool](page, find+`.click(); true`)
	item := fmt.Sprintf(`[...document.querySelectorAll('.menu [role="menuitem"]')].find((i) => i.innerText.trim().startsWith(%q))`, choice)
	page.WaitFor("the menu offers "+choice, item+` !== undefined`)
	consoletest.Eval[bool](page, item+`.click(); true`)
}

// clickingFiltersAndExcludes clicks on the top talker, and looks at the link elsewhere.
func clickingFiltersAndExcludes(t *testing.T, c *filled) {
	page := c.open(t, of("netmeta-overview"))
	unfoldRow(page, 1600, "Hosts")
	clickValue(page, "Top destinations", listener, "Filter by this")
	page.WaitFor("the address has the filter", fmt.Sprintf(`[...new URLSearchParams(location.search)].some(([name, value]) => name.startsWith("var-") && value === %q)`, listener))
	contains(t, "filtered overview", withoutErrors(t, page), listener, talker)
	if text := withoutErrors(t, page); strings.Contains(text, "2001:db8") {
		t.Errorf("the filtered overview shows other hosts:\n%s", text)
	}
	other := c.open(t, page.Address())
	unfoldRow(other, 1600, "Hosts")
	contains(t, "the same link in another browser", withoutErrors(t, other), listener, talker)
	other.MustBeWell()

	page.Goto(of("netmeta-overview"))
	unfoldRow(page, 1600, "Hosts")
	clickValue(page, "Top destinations", listener, "Exclude")
	page.WaitFor("the address has the exclusion", fmt.Sprintf(`[...new URLSearchParams(location.search)].some(([name, value]) => name.startsWith("var-") && value === %q)`, "!"+listener))
	if text := withoutErrors(t, page); strings.Contains(text, listener) {
		t.Errorf("the overview shows what is excluded:\n%s", text)
	}
	page.Back()
	page.WaitFor("the filter is gone", `!location.search.includes("var-")`)
	contains(t, "overview", withoutErrors(t, page), listener)
	page.MustBeWell()
}

// aLinkShowsTheSame compares what two browsers show of a range that has passed.
func aLinkShowsTheSame(t *testing.T, c *filled) {
	page := c.open(t, of("netmeta-overview"))
	page.Resize(1600, 3000)
	panels(page)
	page.Drag(`[data-kind="timeseries"][data-state="ready"] .plot`, 0.5, 0.8)
	page.WaitFor("a part of the time is shown", `/from=\d{13}&to=\d{13}/.test(location.search)`)
	page.Fill(`[data-variable="host"] input`, listener)
	page.Keys("\r")
	page.WaitFor("the filter is in the address", fmt.Sprintf(`location.search.includes("var-host=%s")`, listener))
	here := withoutErrors(t, page)
	other := c.open(t, page.Address())
	other.Resize(1600, 3000)
	there := strings.Split(withoutErrors(t, other), "\n")
	for i, line := range strings.Split(here, "\n") {
		if i >= len(there) || there[i] != line {
			t.Errorf("another browser shows\n%s\nwant from line %d on\n%s", strings.Join(there, "\n"), i+1, line)
			break
		}
	}
	dir := screenshots(t)
	page.Screenshot(filepath.Join(dir, "link-here.png"))
	other.Screenshot(filepath.Join(dir, "link-there.png"))
}
