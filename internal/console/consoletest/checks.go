package consoletest

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// SeeTraffic waits until the chart of the window that is chosen is drawn and shows
// traffic coming in: pixels of that colour, not only axes.
func (p *Page) SeeTraffic() {
	p.t.Helper()
	p.WaitFor("the chart shows incoming traffic", `(() => {
		const canvas = document.querySelector("#throughput canvas");
		if (!canvas || canvas.width === 0) return false;
		const probe = document.querySelector("#throughput .legend .in dt");
		if (!probe) return false;
		const [r, g, b] = getComputedStyle(probe, "::before").backgroundColor.match(/\d+/g).map(Number);
		const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", {willReadFrequently: true});
		copy.drawImage(canvas, 0, 0);
		const {data} = copy.getImageData(0, 0, canvas.width, canvas.height);
		let pixels = 0;
		for (let i = 0; i < data.length; i += 4)
			if (Math.abs(data[i] - r) + Math.abs(data[i + 1] - g) + Math.abs(data[i + 2] - b) < 24 && data[i + 3] > 200) pixels++;
		return pixels > 100;
	})()`)
}

// ChooseWindow presses the button of a time window, 15m, 1h, 6h or 24h, and waits
// until every part shows it.
func (p *Page) ChooseWindow(name string) {
	p.t.Helper()
	p.Click(`#windows [data-value="` + name + `"]`)
	p.WaitFor("all parts show the window "+name,
		fmt.Sprintf(`["throughput", "exporters", "top"].every((id) => document.getElementById(id).dataset.window === %s)`, quote(name)))
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
