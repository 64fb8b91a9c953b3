package console

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/leoluk/NetMeta/internal/console/consoletest"
)

// clicks counts how often somebody has to click.
type clicks struct {
	page *consoletest.Page
	n    int
}

func (c *clicks) on(selector string) {
	c.n++
	c.page.Click(selector)
}

// aNewcomerFindsTheVictim looks for the host that the staged attack hits, knowing
// nothing but what the pages say.
func aNewcomerFindsTheVictim(t *testing.T, c *filled) {
	victim, _, sources := c.traffic.Victim()
	if sources < 20 {
		t.Fatalf("no attack is in the traffic: at most %d sources in a minute", sources)
	}
	page := c.open(t, "/")
	panels(page)
	person := clicks{page: page}
	person.on(`#nav a[href*="netmeta-attack"]`)
	panels(page)
	person.on(".timebar .range")
	page.WaitFor("quick ranges are offered", `[...document.querySelectorAll(".quick-ranges button")].some((b) => b.innerText === "Last 24 hours")`)
	consoletest.Eval[bool](page, `[...document.querySelectorAll(".quick-ranges button")].find((b) => b.innerText === "Last 24 hours").id = "last-day"; true`)
	person.on("#last-day")
	page.WaitFor("a day is shown", `location.search.includes("from=now-24h")`)
	page.WaitFor(fmt.Sprintf("%s is on top of who is hit", victim), fmt.Sprintf(
		`[...document.querySelectorAll(".panel")].find((p) => p.querySelector("h2").innerText.startsWith("Who is hit"))?.querySelector("tbody tr")?.innerText.includes(%q)`, victim))
	if person.n > 4 {
		t.Errorf("it takes %d clicks, at most 4 are promised", person.n)
	}
	other := c.open(t, page.Address())
	other.WaitFor("the link shows the same", fmt.Sprintf(
		`[...document.querySelectorAll(".panel")].find((p) => p.querySelector("h2").innerText.startsWith("Who is hit"))?.querySelector("tbody tr")?.innerText.includes(%q)`, victim))
	page.MustBeWell()
}

// withoutAMouse goes from Home to a value in a chart and a filter by the keyboard.
func withoutAMouse(t *testing.T, c *filled) {
	page := c.open(t, "/")
	panels(page)
	page.TabTo("Skip to the content")
	page.Keys("\r")
	page.Goto("/")
	panels(page)
	page.TabTo("a Overview")
	page.Keys("\r")
	page.WaitFor("the overview is shown", `location.pathname === "/d/netmeta-overview"`)
	panels(page)

	page.Keys("c")
	page.WaitFor("the picker is open", `document.querySelector(".range-form") !== null`)
	page.Write("now-2h")
	page.Keys("\r")
	page.WaitFor("two hours are shown", `location.search.includes("from=now-2h")`)
	panels(page)

	page.Keys("f")
	page.WaitFor("a filter has the focus", `document.activeElement.closest(".filters") !== null`)
	page.Write(listener)
	page.Keys("\r")
	page.WaitFor("the filter is applied", fmt.Sprintf(`location.search.includes("var-host=%s")`, listener))
	contains(t, "filtered overview", withoutErrors(t, page), talker)

	page.TabTo("Throughput")
	consoletest.Eval[bool](page, `document.querySelector('[data-kind="timeseries"] .plot').focus(); true`)
	page.Keys(kb.ArrowLeft)
	page.Keys(kb.ArrowLeft)
	page.WaitFor("the arrow keys show values", `document.querySelector(".tip")?.innerText.includes("bit/s")`)
	page.Keys("\r")
	for range 10 {
		page.Keys(kb.ArrowLeft)
	}
	page.Keys("\r")
	page.WaitFor("Enter twice zooms", `/from=\d{13}&to=\d{13}/.test(location.search)`)
	withoutErrors(t, page)

	page.Keys("?")
	page.WaitFor("the keys are listed", `document.querySelector("dialog[open]")?.innerText.includes("Go to Home")`)
	page.Keys(kb.Escape)
	page.Keys("g")
	page.Keys("s")
	page.WaitFor("the SQL page is shown", `location.pathname === "/sql"`)
	page.MustBeWell()
}

func TestLoginInABrowser(t *testing.T) {
	page := consoletest.Open(t, serve(t, locked(t))+"/setup?x=1")
	page.Expect("status of 401", "status of 503")
	page.WaitFor("the password is asked for", `location.pathname === "/login" && document.activeElement?.type === "password"`)
	looksRight(t, page, "login", func() { page.Stay("#password") })
	page.Fill("#password", "open barley")
	page.Keys("\r")
	page.WaitFor("the wrong password is refused", `document.querySelector('.login [role="alert"]')?.checkVisibility()`)
	page.Fill("#password", "open sesame")
	page.Keys("\r")
	page.WaitFor("the page that was asked for is shown", `location.pathname + location.search === "/setup?x=1" && document.querySelector("#setup-panel") !== null`)
	page.WaitFor("one can log out", `document.querySelector(".account button") !== null`)
	page.Click(".account button")
	page.WaitFor("the password is asked for again", `location.pathname === "/login" && document.querySelector("#password") !== null`)
	page.Goto("/login?next=https://192.0.2.1/")
	page.Fill("#password", "open sesame")
	page.Keys("\r")
	page.WaitFor("a link cannot lead elsewhere", `location.pathname === "/"`)
	page.MustBeWell()
}
