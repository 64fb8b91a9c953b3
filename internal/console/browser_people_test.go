package console

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/leoluk/NetMeta/internal/console/consoletest"
	"github.com/leoluk/NetMeta/internal/generate"
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

// onText clicks the first of the elements that selector matches whose text begins so.
func (c *clicks) onText(selector, text string) {
	find := fmt.Sprintf(`[...document.querySelectorAll(%q)].find((e) => e.innerText.trim().startsWith(%q))`, selector, text)
	c.page.WaitFor(text+" is there to be clicked", find+` !== undefined`)
	consoletest.Eval[bool](c.page, `document.querySelector("#to-be-clicked")?.removeAttribute("id"); `+find+`.id = "to-be-clicked"; true`)
	c.on("#to-be-clicked")
}

// demoRate is how many flows the demo has in a second, as a mean.
const demoRate = 35

// aNewcomerFindsTheVictim looks for the host that the staged attack hits, knowing
// nothing but what the pages say.
func aNewcomerFindsTheVictim(t *testing.T, c *filled) {
	// Around the attack there is as much traffic as in the demo.
	_, at, _ := c.traffic.Victim()
	from := time.Unix(int64(at), 0).Add(-3 * time.Minute)
	attack := consoletest.StoreHistory(t, c.write, generate.HistoryOptions{From: from, To: from.Add(8 * time.Minute), Flows: 8 * 60 * demoRate, Seed: 1})
	victim, _, sources := attack.Victim()
	if sources < 200 {
		t.Fatalf("no attack is in the traffic: at most %d sources in a minute", sources)
	}
	page := c.open(t, "/")
	panels(page)
	person := clicks{page: page}
	person.on(`#nav a[href*="netmeta-attack"]`)
	panels(page)
	person.on(".timebar .range")
	person.onText(".quick-ranges button", "Last 24 hours")
	page.WaitFor("a day is shown", `location.search.includes("from=now-24h")`)
	panels(page)
	page.WaitFor(fmt.Sprintf("%s is on top of who is hit", victim), `document.querySelector(".panel tbody tr")?.innerText.includes("`+victim.String()+`")`)
	if person.n > 4 {
		t.Errorf("it takes %d clicks, at most 4 are promised", person.n)
	}
	other := c.open(t, page.Address())
	other.WaitFor("the link shows the host", `document.querySelector(".panel tbody")?.innerText.includes("`+victim.String()+`")`)
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
	// The protocol types a key's letter even where the page has made use of the key.
	page.Chord("a", chromedp.ModifierCtrl)
	page.Write("now-2h")
	page.Keys("\r")
	page.WaitFor("two hours are shown", `location.search.includes("from=now-2h")`)
	panels(page)

	page.Keys("f")
	page.WaitFor("a filter has the focus", `document.activeElement.closest(".filters") !== null`)
	page.Chord("a", chromedp.ModifierCtrl)
	page.Write(listener)
	page.Keys("\r")
	page.WaitFor("the filter is applied", fmt.Sprintf(`location.search.includes("var-host=%s")`, listener))
	text := withoutErrors(t, page)
	contains(t, "filtered overview", text, "UDP in") // all that the host gets
	if strings.Contains(text, "TCP in") {
		t.Errorf("the filtered overview shows the traffic of others:\n%s", text)
	}

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
	page.Expect("status of 401", "status of 503", "/api/dashboards/netmeta-home") // it has no dashboards
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
