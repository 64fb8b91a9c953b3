package consoletest

import (
	"fmt"
	"strings"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// Goto opens a path of the console, with what follows "?", as if it were typed into
// the address bar.
func (p *Page) Goto(path string) {
	p.t.Helper()
	do(p, "open "+path, chromedp.Navigate("http://"+p.host+path))
}

// Back presses the browser's button of this name.
func (p *Page) Back() {
	p.t.Helper()
	// Within the page nothing is loaded, for which the protocol's own command waits.
	Eval[bool](p, `history.back(); true`)
}

// Address returns the path of the page and what follows it.
func (p *Page) Address() string {
	p.t.Helper()
	return Eval[string](p, `location.pathname + location.search`)
}

// Keys sends keys, also the special ones of chromedp's package kb, to whatever has
// the focus.
func (p *Page) Keys(keys string) {
	p.t.Helper()
	do(p, fmt.Sprintf("press %q", keys), chromedp.KeyEvent(keys))
}

// Chord presses a key while modifiers are held down.
func (p *Page) Chord(keys string, modifiers ...chromedp.Modifier) {
	p.t.Helper()
	do(p, fmt.Sprintf("press %q with modifiers", keys), chromedp.KeyEvent(keys, chromedp.KeyModifiers(modifiers...)))
}

// Write puts text where the focus is, as pasting it does.
func (p *Page) Write(text string) {
	p.t.Helper()
	do(p, "write a text", command(input.InsertText, input.InsertTextParams{Text: text}))
}

// Fill replaces the text of a field as a person does, who selects it and writes over
// it, and leaves the focus there.
func (p *Page) Fill(selector, text string) {
	p.t.Helper()
	p.WaitFor("the field "+selector+" is there", `document.querySelector(`+quote(selector)+`) !== null`)
	Eval[bool](p, `(() => { const field = document.querySelector(`+quote(selector)+`); field.focus(); field.select(); return true; })()`)
	if text == "" {
		p.Keys("\b")
		return
	}
	p.Write(text)
}

// Drag moves the mouse with the button held down across an element, from one share
// of its width to another, in the middle of its height.
func (p *Page) Drag(selector string, from, to float64) {
	p.t.Helper()
	type box struct{ X, Y, Width, Height float64 }
	Eval[bool](p, `document.querySelector(`+quote(selector)+`).scrollIntoView({block: "center"}); true`)
	b := Eval[box](p, `(() => { const b = document.querySelector(`+quote(selector)+`).getBoundingClientRect(); return {X: b.x, Y: b.y, Width: b.width, Height: b.height}; })()`)
	y := b.Y + b.Height/2
	event := func(kind input.DispatchMouseEventType, share float64) {
		p.t.Helper()
		do(p, "drag across "+selector, chromedp.MouseEvent(kind, b.X+share*b.Width, y, chromedp.ButtonLeft, chromedp.ClickCount(1)))
	}
	event(input.DispatchMouseEventTypeMouseMoved, from)
	event(input.DispatchMouseEventTypeMousePressed, from)
	for _, share := range []float64{0.25, 0.5, 0.75, 1} {
		event(input.DispatchMouseEventTypeMouseMoved, from+share*(to-from))
	}
	event(input.DispatchMouseEventTypeMouseReleased, to)
}

// Focused describes what has the focus: its tag and its name for people.
func (p *Page) Focused() string {
	p.t.Helper()
	return Eval[string](p, `(() => {
		let e = document.activeElement;
		while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
		return e ? e.tagName.toLowerCase() + " " + (e.getAttribute("aria-label") ?? e.innerText ?? "").trim().slice(0, 60) : "";
	})()`)
}

// TabTo presses Tab until what has the focus is described by a text that contains
// want; see Focused. It fails the test after 200 steps.
func (p *Page) TabTo(want string) {
	p.t.Helper()
	var seen []string
	for range 200 {
		p.Keys("\t")
		at := p.Focused()
		if strings.Contains(at, want) {
			return
		}
		seen = append(seen, at)
	}
	p.t.Fatalf("Tab does not come to %q; it passes %q", want, seen)
}
