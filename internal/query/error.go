package query

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// Error is what ClickHouse says against a query.
type Error struct {
	Code    int    // ClickHouse's number of it, 0 if there is none
	Name    string // for example UNKNOWN_TABLE
	Message string // one line, without code, name and version
}

// Error writes it in one line, with a hint where there is one.
func (e *Error) Error() string {
	text := "ClickHouse: " + e.Message
	if e.Code != 0 {
		text += fmt.Sprintf(" (code %d, %s)", e.Code, e.Name)
	}
	if hint := hints[e.Code]; hint != "" {
		text += ": " + hint
	}
	return text
}

// hints say what to do about common errors, by code.
var hints = map[int]string{
	47:  "DESCRIBE the table to see its columns",
	60:  "SHOW TABLES lists what there is; netmeta migrate creates the tables of NetMeta",
	81:  "look at the database in --clickhouse; netmeta migrate creates the tables in it",
	158: "ask for less time, or fewer columns",
	159: "ask for less time, or give the query more with --max-time",
	160: "ask for less time, or give the query more with --max-time",
	164: "this access only reads",
	193: "look at the user and password in --clickhouse",
	194: "give a user and password in --clickhouse or NETMETA_CLICKHOUSE",
	202: "try again in a moment",
	241: "ask for less time, or group by less; SETTINGS max_memory_usage = ... at the end of the query allows more, as far as the server lets you",
	307: "ask for less time, or fewer columns",
	456: "give it with --param NAME=VALUE",
	516: "look at the user and password in --clickhouse",
}

var (
	codePrefix = regexp.MustCompile(`^Code: (\d+)\. DB::\w*Exception: `)
	nameSuffix = regexp.MustCompile(`\.? ?\(([A-Z][A-Z0-9_]+)\)\s*$`)
	// A stack trace is only there where the server was told to send it.
	behind = regexp.MustCompile(`(?s)(?:,? Stack trace.*| \(version [^()]*(?:\([^()]*\))?[^()]*\)\s*)$`)
	spaces = regexp.MustCompile(`\s*\n\s*`)
)

// parseError takes apart the text with which ClickHouse answers instead of a result.
func parseError(status int, text string) *Error {
	e := &Error{Message: strings.TrimSpace(text)}
	if match := codePrefix.FindStringSubmatch(e.Message); match != nil {
		e.Code, _ = strconv.Atoi(match[1]) // digits: only too many of them are no number
		e.Message = e.Message[len(match[0]):]
	}
	e.Message = behind.ReplaceAllString(e.Message, "")
	if match := nameSuffix.FindStringSubmatchIndex(e.Message); match != nil {
		e.Name = e.Message[match[2]:match[3]]
		e.Message = e.Message[:match[0]]
	}
	e.Message = strings.TrimSuffix(spaces.ReplaceAllString(strings.TrimSpace(e.Message), " "), ".")
	if e.Code == 0 {
		const most = 300
		if runes := []rune(e.Message); len(runes) > most {
			e.Message = string(runes[:most]) + "…"
		}
		e.Message = fmt.Sprintf("status %d: %s (is --clickhouse the address of its HTTP interface?)", status, e.Message)
	}
	return e
}

// withoutURL takes the URL, which has the values of parameters, out of an error of
// net/http.
func withoutURL(err error) error {
	var failed *url.Error
	if errors.As(err, &failed) {
		return failed.Err
	}
	return err
}

// exceptionReader passes on a result without the exception that may end it.
// ClickHouse frames it with a tag that it has announced in a header, since the status
// was sent before it knew:
//
//	\r\n__exception__\r\nTAG\r\nMESSAGE\nLENGTH TAG\r\n__exception__\r\n
type exceptionReader struct {
	body io.Reader
	mark []byte // nil: the server announced none
	held []byte // read, and not passed on yet
	err  error  // of body
}

func newExceptionReader(body io.Reader, tag string) *exceptionReader {
	r := &exceptionReader{body: body}
	if tag != "" {
		r.mark = []byte("\r\n__exception__\r\n" + tag + "\r\n")
	}
	return r
}

// Read implements io.Reader. What may be the beginning of an exception is held back
// until it is known.
func (r *exceptionReader) Read(p []byte) (int, error) {
	for {
		if at := bytes.Index(r.held, r.mark); len(r.mark) > 0 && at >= 0 {
			if at > 0 {
				return r.pass(p, at), nil
			}
			return 0, r.exception()
		}
		free := len(r.held)
		if r.err == nil && len(r.mark) > 0 {
			free -= len(r.mark) - 1
		}
		if free > 0 {
			return r.pass(p, free), nil
		}
		if r.err != nil {
			return 0, r.err
		}
		r.fill()
	}
}

func (r *exceptionReader) pass(p []byte, free int) int {
	n := copy(p, r.held[:free])
	r.held = r.held[n:]
	return n
}

func (r *exceptionReader) fill() {
	const size = 64 << 10
	buffer := make([]byte, len(r.held)+size)
	kept := copy(buffer, r.held)
	n, err := r.body.Read(buffer[kept:])
	r.held, r.err = buffer[:kept+n], err
	if errors.Is(err, io.ErrUnexpectedEOF) {
		r.err = errors.New("ClickHouse broke off in the middle of the result (its log says why)")
	}
}

// exception returns the error that the rest of the body holds.
func (r *exceptionReader) exception() error {
	const most = 1 << 20
	// The connection is broken off behind an exception: that is no error here.
	rest, _ := io.ReadAll(io.LimitReader(r.body, most))
	text := string(append(r.held[len(r.mark):], rest...))
	if end := strings.LastIndex(text, "\r\n__exception__"); end >= 0 {
		text = text[:end]
	}
	if end := strings.LastIndex(strings.TrimRight(text, "\r\n"), "\n"); end >= 0 {
		text = text[:end] // the line with the length
	}
	return parseError(0, text)
}
