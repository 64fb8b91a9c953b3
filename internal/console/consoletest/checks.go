package consoletest

import (
	"os"
	"path/filepath"
	"runtime"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// Stay waits until selector matches something that is visible, and until the page
// has drawn it.
func (p *Page) Stay(selector string) {
	p.t.Helper()
	p.WaitFor(selector+" is visible", `document.querySelector(`+quote(selector)+`)?.checkVisibility()`)
	do(p, "wait for a frame", chromedp.Evaluate[bool](`new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`, chromedp.EvalAwaitPromise))
}

// Stage returns the text of a stage of the data path: datagrams, records, kafka, rows.
func (p *Page) Stage(id string) string {
	p.t.Helper()
	p.WaitFor("the stage "+id+" is shown", `document.querySelector("#stage-`+id+`") !== null`)
	return p.Text("#stage-" + id)
}

// Dark switches the page to its dark or light colours.
func (p *Page) Dark(dark bool) {
	p.t.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	do(p, "prefer "+scheme, command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	}))
}

// OverflowsSideways returns the elements that make the page wider than the window.
func (p *Page) OverflowsSideways() []string {
	p.t.Helper()
	return Eval[[]string](p, `(() => {
		const width = document.documentElement.clientWidth;
		if (document.documentElement.scrollWidth <= width) return [];
		return [...document.querySelectorAll("body *")]
			.filter((e) => e.getBoundingClientRect().right > width + 1)
			.map((e) => e.tagName + "." + e.getAttribute("class") + "#" + e.id);
	})()`)
}

// HiddenSideways returns the sections with a table that is wider than its place.
func (p *Page) HiddenSideways() []string {
	p.t.Helper()
	return Eval[[]string](p, `[...document.querySelectorAll(".scroll")]
		.filter((e) => e.scrollWidth > e.clientWidth)
		.map((e) => e.getAttribute("aria-label"))`)
}

// AccessibilityViolations runs axe-core on the page as it is and returns what it
// finds, one line for each rule that is broken.
func (p *Page) AccessibilityViolations() []string {
	p.t.Helper()
	// This file's place tells where the module is; the working directory need not.
	_, here, _, _ := runtime.Caller(0)
	source, err := os.ReadFile(filepath.Join(filepath.Dir(here), "../../../.build/web/node_modules/axe-core/axe.min.js"))
	if err != nil {
		p.t.Fatalf("%v: scripts/web.sh --install installs axe-core", err)
	}
	Eval[bool](p, string(source)+"; true")
	return do(p, "run axe-core", chromedp.Evaluate[[]string](`axe.run(document, {resultTypes: ["violations"]}).then((found) => found.violations.map(
		(v) => v.id + ": " + v.help + ": " + v.nodes.map((n) => n.target + " " + n.failureSummary).join(" | ")))`, chromedp.EvalAwaitPromise))
}
