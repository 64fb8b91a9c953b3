// Package consoletest opens the console in a real browser and reads what a person
// would see there. It works against any running console: the package's own tests
// use it with a bare handler, end-to-end tests with a whole NetMeta.
package consoletest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is how long a page may take to show something. A test that passes does
// not wait for it.
const patience = 3 * time.Minute

// Page is the console in a browser. Its methods fail the test where the page does
// not come to show what was asked for.
type Page struct {
	t    testing.TB
	ctx  context.Context
	host string

	mu       sync.Mutex
	problems []string
	expected []string
}

// Open starts a browser of its own for the test, 1920 by 1080 pixels, and opens
// the console at address there, a URL. The browser ends with the test.
func Open(t testing.TB, address string) *Page {
	t.Helper()
	at, err := url.Parse(address)
	if err != nil {
		t.Fatalf("open the console at %q: %v", address, err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(browser(t)),
		chromedp.NoSandbox, // Chromium refuses to run as root with it, as in containers.
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.WSURLReadTimeout(patience),
	)
	ctx, cancelAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancelAllocator)
	ctx, cancel := chromedp.NewContext(ctx)
	t.Cleanup(cancel)

	p := &Page{t: t, ctx: ctx, host: at.Host}
	// This starts the browser, which lives as long as its context: no deadline.
	if err := chromedp.Listen(ctx, p.watch); err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	do(p, "watch the network", command(network.Enable, network.EnableParams{}))
	do(p, "watch the log", command(log.Enable, cdp.Empty{}))
	p.Resize(1920, 1080)
	do(p, "open "+address, chromedp.Navigate(address))
	return p
}

// For returns the same page for a subtest, which fails in the place of the test that
// has opened it. Problems so far are not those of the subtest.
func (p *Page) For(t testing.TB) *Page {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.t, p.problems = t, nil
	return p
}

// browser finds Chromium or Chrome.
func browser(t testing.TB) string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("no chromium, chromium-browser or google-chrome in PATH: scripts/test.sh installs what the tests need")
	return ""
}

// watch collects what must not happen on the page.
func (p *Page) watch(event any) {
	switch event := event.(type) {
	case *runtime.EventExceptionThrown:
		details := event.ExceptionDetails
		p.report("exception: %s %s (%s:%d)", details.Text, arguments([]*runtime.RemoteObject{details.Exception}), details.URL, details.LineNumber+1)
	case *runtime.EventConsoleAPICalled:
		if event.Type == runtime.ConsoleAPICalledTypeError || event.Type == runtime.ConsoleAPICalledTypeWarning {
			p.report("console.%s: %s", event.Type, arguments(event.Args))
		}
	case *log.EventEntryAdded:
		if event.Entry.Level == log.EntryLevelError || event.Entry.Level == log.EntryLevelWarning {
			p.report("%s: %s (%s)", event.Entry.Source, event.Entry.Text, event.Entry.URL)
		}
	case *network.EventRequestWillBeSent:
		to, err := url.Parse(event.Request.URL)
		if err != nil || to.Scheme != "data" && to.Host != p.host {
			p.report("request to another host: %s", event.Request.URL)
		}
	}
}

func arguments(args []*runtime.RemoteObject) string {
	text := ""
	for _, arg := range args {
		if arg == nil {
			continue
		}
		text += " " + string(arg.Value) + arg.Description
	}
	return text
}

func (p *Page) report(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.problems = append(p.problems, fmt.Sprintf(format, args...))
}

// Expect makes problems whose text contains one of these no problems:
// a browser also reports answers with a status that says that something was wrong
// with what a test has done on purpose, for example "status of 400".
func (p *Page) Expect(texts ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expected = append(p.expected, texts...)
}

// MustBeWell fails the test if there are problems.
func (p *Page) MustBeWell() {
	p.t.Helper()
	if problems := p.Problems(); len(problems) > 0 {
		p.t.Errorf("problems on the page at %s:\n%s", p.Address(), strings.Join(problems, "\n"))
	}
}

// Problems returns what went wrong on the page so far: exceptions, errors and
// warnings on the browser's console, failed and forbidden loads, and requests to
// other hosts.
func (p *Page) Problems() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(p.problems), func(problem string) bool {
		return slices.ContainsFunc(p.expected, func(text string) bool { return strings.Contains(problem, text) })
	})
}

// do runs one action in p, within patience, and returns its result.
func do[T any](p *Page, what string, action chromedp.Action[T]) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	result, err := chromedp.Run(ctx, action)
	if err != nil {
		p.t.Fatalf("%s: %v; problems on the page: %q", what, err, p.Problems())
	}
	return result
}

// command is an action that sends one command of the DevTools protocol.
func command[P, R any](c cdp.Command[P, R], params P) chromedp.Action[R] {
	return func(ctx context.Context, target *chromedp.Target) (R, error) {
		return cdp.Call(ctx, target, c, params)
	}
}

// Eval evaluates JavaScript in the page and returns the result, by way of JSON.
func Eval[T any](p *Page, script string) T {
	p.t.Helper()
	return do(p, "evaluate "+script, chromedp.Evaluate[T](script))
}

// WaitFor waits until the JavaScript expression is true; what names it for people:
// "the chart is drawn".
func (p *Page) WaitFor(what, expression string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	poll := chromedp.Poll[bool](expression, chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(patience))
	_, err := chromedp.Run(ctx, poll)
	// Another page has been loaded meanwhile: that of which the expression is true, maybe.
	for err != nil && ctx.Err() == nil && strings.Contains(err.Error(), "(-32000)") {
		_, err = chromedp.Run(ctx, poll)
	}
	if err != nil {
		p.t.Fatalf("wait until %s: %v; problems: %q; the page says:\n%s", what, err, p.Problems(), p.Text("body"))
	}
}

// Text returns the visible text of the first element that selector matches, empty
// if there is none.
func (p *Page) Text(selector string) string {
	p.t.Helper()
	return Eval[string](p, fmt.Sprintf(`document.querySelector(%s)?.innerText ?? ""`, quote(selector)))
}

// Click clicks the first element that selector matches.
func (p *Page) Click(selector string) {
	p.t.Helper()
	do(p, "click "+selector, chromedp.Click(chromedp.CSS(selector)))
}

// Press sends keys, also the special ones of chromedp's package kb, to the first
// element that selector matches.
func (p *Page) Press(selector, keys string) {
	p.t.Helper()
	do(p, "press a key at "+selector, chromedp.SendKeys(chromedp.CSS(selector), keys))
}

// Resize makes the window width by height CSS pixels.
func (p *Page) Resize(width, height int64) {
	p.t.Helper()
	do(p, "resize the window", chromedp.EmulateViewport(width, height))
}

// Screenshot writes the whole page as a PNG to the file at path.
func (p *Page) Screenshot(path string) {
	p.t.Helper()
	Eval[bool](p, `scrollTo(0, 0); true`) // else the sticky header lies across the middle
	picture := do(p, "take a screenshot", chromedp.FullScreenshot(100))
	if err := os.WriteFile(path, picture, 0o644); err != nil {
		p.t.Fatalf("save the screenshot: %v", err)
	}
}

// Picture writes what is in the window as a PNG to the file at path.
func (p *Page) Picture(path string) {
	p.t.Helper()
	picture := do(p, "take a picture", chromedp.CaptureScreenshot())
	if err := os.WriteFile(path, picture, 0o644); err != nil {
		p.t.Fatalf("save the picture: %v", err)
	}
}

// quote writes text as a JavaScript string.
func quote(text string) string {
	// A string always has a JSON form, which JavaScript reads.
	quoted, _ := json.Marshal(text)
	return string(quoted)
}
