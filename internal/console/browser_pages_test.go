package console

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/leoluk/NetMeta/internal/console/consoletest"
)

func dataPathPage(t *testing.T, c *filled) {
	page := c.open(t, "/path")
	for stage, want := range map[string][]string{
		"datagrams": {"4,321 datagrams", "sFlow :6343"},
		"records":   {"54,321 flow records", "IPFIX: template not received yet", "17"},
		"kafka":     {"54,300 records", "messages waiting"},
		"rows":      {group(c.rows(t)) + " rows stored"},
	} {
		contains(t, "stage "+stage, page.Stage(stage), want...)
	}
	looksRight(t, page, "path", func() { page.Stage("rows") })
	page.MustBeWell()
}

func TestDataPathPageWithoutFlowsSaysWhatToDo(t *testing.T) {
	c := newConsole(t, func(config *Config) { config.Gatherer = prometheus.NewRegistry() })
	page := c.open(t, "/path")
	page.WaitFor("the page says that there are no flows", `document.querySelector(".first-run h2")?.checkVisibility()`)
	contains(t, "summary", page.Text("#summary"), "Waiting for the first flow")
	contains(t, "stage datagrams", page.Stage("datagrams"), "point a router here")
	page.Click(`.first-run a[href="/setup"]`)
	page.WaitFor("the setup page is shown", `document.querySelector("#setup-panel")?.innerText.includes("transport udp 2055")`)
	page.MustBeWell()
}

func setupPage(t *testing.T, c *filled) {
	page := c.open(t, "/setup")
	page.WaitFor("a device is shown", `document.querySelector("#setup-panel")?.innerText.includes("transport udp 2055")`)
	page.WaitFor("what has arrived is counted", `document.querySelector("#arrived").innerText.includes("4,321 datagrams have arrived")`)
	contains(t, "setup", page.Text("#setup"), "udp 6343")
	contains(t, "programs", page.Text("#programs"), "curl http://127.0.0.1:8123/")
	page.Press(`#setup [aria-selected="true"]`, kb.ArrowRight)
	page.WaitFor("the next device is shown", `document.querySelector("#setup-panel").innerText.includes("feature sflow")`)
	page.Fill(`#setup input`, "2001:db8::7")
	page.WaitFor("the address is filled in", `document.querySelector("#setup-panel").innerText.includes("sflow collector-ip 2001:db8::7")`)
	looksRight(t, page, "setup", func() { page.Stay("#setup-panel") })
	page.MustBeWell()
}

func pagesRecoverWhenNetMetaIsAway(t *testing.T, c *filled) {
	var away atomic.Bool
	intercept := func(w http.ResponseWriter, r *http.Request) bool {
		if away.Load() && strings.HasPrefix(r.URL.Path, "/api/") {
			panic(http.ErrAbortHandler)
		}
		return false
	}
	c.intercept.Store(&intercept)
	page := c.open(t, "/path")
	page.Expect("net::ERR_EMPTY_RESPONSE")
	page.Stage("rows")
	away.Store(true)
	page.WaitFor("the page says that nothing answers", `document.querySelector("#pipeline .error")?.innerText.includes("NetMeta does not answer")`)
	contains(t, "summary", page.Text("#summary"), "what is shown is old")
	away.Store(false)
	page.WaitFor("the page is well again", `document.querySelector("#pipeline .error").hidden && !document.querySelector("#summary").innerText.includes("old")`)
	page.MustBeWell()
}

func dataPathPageWithoutClickHouse(t *testing.T, c *filled) {
	c.outage.Store(true)
	page := c.open(t, "/path")
	page.Stage("rows")
	// An answer from before may have been shown first.
	page.WaitFor("the stage says what is wrong", `document.querySelector("#stage-rows").innerText.includes("ClickHouse does not answer")`)
	contains(t, "stage rows", page.Stage("rows"), "Problem")
	c.outage.Store(false)
	page.WaitFor("the stage is well again", `document.querySelector("#stage-rows").innerText.includes("`+group(c.rows(t))+` rows stored")`)
}

// group writes a number as the page does.
func group(n uint64) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// alertsAnswer has a rule in each state, with what a name from the network may contain.
func alertsAnswer(firing bool) string {
	since := time.Now().Add(-5 * time.Minute).UTC().Format(time.RFC3339)
	state := "ok"
	if firing {
		state = "firing"
	}
	return fmt.Sprintf(`{"rules":[
		{"uid":"quiet","title":"Exporter silent","severity":"warning","state":"ok","since":null,"value":0,"summary":"s","action":"a","dashboard":"netmeta-pipeline","instances":[]},
		{"uid":"host","title":"Much traffic to one host","severity":"critical","state":%q,"since":%q,"value":812345,"summary":"203.0.113.7 receives much.","action":"Filter it at the edge.","dashboard":"netmeta-attack",
		 "instances":[{"labels":{"host":"203.0.113.7<img src=x>"},"value":812345,"state":%[1]q,"since":%[2]q,"link":"/d/netmeta-attack?var-host=203.0.113.7"}]},
		{"uid":"disk","title":"Disk is filling","severity":"critical","state":"pending","since":%[2]q,"value":0.91,"summary":"s","action":"a","dashboard":"","instances":[]},
		{"uid":"broken","title":"Rule that fails","severity":"warning","state":"error","since":null,"value":null,"summary":"No such column","action":"a","dashboard":"","instances":[]},
		{"uid":"none","title":"Rule without data","severity":"info","state":"nodata","since":null,"value":null,"summary":"s","action":"a","dashboard":"","instances":[]}]}`, state, since)
}

func alertsPageShowsWhatFiresFirst(t *testing.T, c *filled) {
	var firing atomic.Bool
	firing.Store(true)
	intercept := func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/api/alerts" {
			return false
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, alertsAnswer(firing.Load()))
		return true
	}
	c.intercept.Store(&intercept)
	page := c.open(t, "/alerts")
	page.WaitFor("rules are listed", `document.querySelectorAll(".rule").length === 5`)
	contains(t, "summary", page.Text("#alerts-summary"), "1 firing", "1 pending")
	contains(t, "first rule", page.Text(".rule"), "Firing", "Much traffic to one host", "5 min", "Filter it at the edge.", "203.0.113.7<img src=x>", "812 k")
	contains(t, "badge", page.Text(`#nav a[href^="/alerts"]`), "1")
	if href := consoletest.Eval[string](page, `document.querySelector(".rule tbody a").getAttribute("href")`); href != "/d/netmeta-attack?var-host=203.0.113.7" {
		t.Errorf("the link of the instance goes to %s", href)
	}
	order := consoletest.Eval[string](page, `[...document.querySelectorAll(".rule")].map((rule) => rule.dataset.state).join(" ")`)
	if order != "firing error pending nodata ok" {
		t.Errorf("the states come in the order %s", order)
	}
	looksRight(t, page, "alerts", func() { page.Stay(".rule") })
	firing.Store(false)
	page.WaitFor("the rule is well again", `document.querySelector('.rule[data-uid="host"]').dataset.state === "ok"`)
	page.MustBeWell()
}

func sqlPageLooksRight(t *testing.T, c *filled) {
	page := c.open(t, "/sql?sql=SELECT+Source,+sum(Bytes)+AS+bytes+FROM+flows+GROUP+BY+Source+ORDER+BY+bytes+DESC+LIMIT+20")
	page.WaitFor("the result is shown", `document.querySelectorAll("#result tbody tr").length === 20`)
	page.WaitFor("tables are listed", `document.querySelector("#schema")?.innerText.includes("flows_raw")`)
	const bytes = 2160 * 1400 * 65536 // what talk has stored
	if got := consoletest.Eval[string](page, firstCells); got != fmt.Sprintf("%s|%d", talker, bytes) {
		t.Errorf("the top source is %q, want %s with %d bytes", got, talker, bytes)
	}
	looksRight(t, page, "sql", func() { page.Stay("#result tbody tr") })
	page.MustBeWell()
}
