package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/leoluk/NetMeta/internal/dashboard"
	"github.com/leoluk/NetMeta/internal/query"
)

// Kinds of failures, by which the page chooses what to show.
const (
	kindVariable    = "variable"    // a value has to be changed
	kindLimit       = "limit"       // ask for less
	kindUnavailable = "unavailable" // try again
	kindQuery       = "query"       // the query or request is wrong
	kindLogin       = "login"       // log in first
)

// failure is an answer that says why there is no other.
type failure struct {
	status   int
	Error    string `json:"error"`
	Kind     string `json:"kind"`
	Variable string `json:"variable,omitempty"`
	Hint     string `json:"hint,omitempty"` // what to do
	SQL      string `json:"sql,omitempty"`  // as executed
}

func (f failure) write(w http.ResponseWriter) {
	body, _ := json.Marshal(f) // strings always have a JSON form
	writeJSON(w, f.status, body)
}

// badRequest is the failure of a request that no page makes.
func badRequest(format string, args ...any) failure {
	return failure{status: http.StatusBadRequest, Kind: kindQuery, Error: fmt.Sprintf(format, args...)}
}

// limitCodes are ClickHouse's errors that a smaller question does not have.
var limitCodes = map[int]string{
	158: "Choose a shorter time range, or filter for less.",
	159: "It took too long: choose a shorter time range, or filter for less.",
	160: "It would take too long: choose a shorter time range, or filter for less.",
	202: "Other queries are running: try again in a moment.",
	241: "It needs too much memory: choose a shorter time range, or group by less.",
	243: "It needs too much disk: choose a shorter time range, or sort less.",
	307: "Choose a shorter time range, or filter for less.",
	396: "Choose a shorter time range, or add a LIMIT.",
}

// queryHints are for what people write themselves.
var queryHints = map[int]string{
	46:  "SELECT * FROM functions lists what NetMeta adds to ClickHouse's functions.",
	47:  "DESCRIBE the table to see its columns.",
	60:  "SHOW TABLES lists what there is.",
	164: "The console only reads.",
	456: "The page has no values for {name:Type}: write them into the statement.",
	497: "The console only reads, and only NetMeta's tables.",
}

// unavailableCodes are ClickHouse's errors that pass by themselves.
var unavailableCodes = map[int]bool{209: true, 210: true, 236: true, 279: true, 394: true, 439: true}

// explain makes a failure of what went wrong with a query.
func explain(err error) failure {
	var wrong *dashboard.ValueError
	var said *query.Error
	switch {
	case errors.As(err, &wrong):
		return failure{status: http.StatusBadRequest, Kind: kindVariable, Variable: wrong.Variable, Error: wrong.Reason}
	case errors.As(err, &said):
		return explainSaid(said)
	case errors.Is(err, errOtherFormat):
		return failure{status: http.StatusBadRequest, Kind: kindQuery, Error: err.Error(), Hint: "Leave out FORMAT; results can be downloaded as CSV and JSON."}
	case errors.Is(err, errTooManyWait):
		return failure{status: http.StatusServiceUnavailable, Kind: kindUnavailable, Error: err.Error(), Hint: "Try again in a moment, or close pages that nobody looks at."}
	case errors.Is(err, context.DeadlineExceeded):
		return failure{status: http.StatusUnprocessableEntity, Kind: kindLimit, Error: "ClickHouse gave no answer in time", Hint: limitCodes[159]}
	}
	return failure{
		status: http.StatusServiceUnavailable, Kind: kindUnavailable, Error: "ClickHouse does not answer: " + shortMessage(err.Error()),
		Hint: "The page tries again by itself.",
	}
}

func explainSaid(said *query.Error) failure {
	f := failure{status: http.StatusBadRequest, Kind: kindQuery, Error: shortMessage(said.Message), Hint: queryHints[said.Code]}
	switch hint, limited := limitCodes[said.Code]; {
	case limited:
		f.status, f.Kind, f.Hint = http.StatusUnprocessableEntity, kindLimit, hint
	case unavailableCodes[said.Code], said.Code == 0:
		f.status, f.Kind, f.Hint = http.StatusServiceUnavailable, kindUnavailable, "The page tries again by itself."
	}
	return f
}

var (
	syntaxError = regexp.MustCompile(`(?s)^(Syntax error(?: \([^)]*\))?: failed at position \d+(?: \(.{0,60}?\))?(?: \(line \d+, col \d+\))?)(: .*)$`)
	expected    = regexp.MustCompile(`(?s)(?:Expected one of: |Expected )(.*)$`)
	// What follows repeats the query, and says which step of the plan it was.
	repeated = regexp.MustCompile(`(?s)(?:\.?:? While (?:processing|executing)|:? [Ii]n scope|: [Ii]n query:).*?(\. Maybe you meant: \[.*\])?$`)
)

// maxErrorText cuts errors that are long nevertheless.
const maxErrorText = 400

// shortMessage takes the query, and most of what the parser would have liked, out of
// a message of ClickHouse.
func shortMessage(message string) string {
	if match := syntaxError.FindStringSubmatch(message); match != nil {
		message = match[1]
		if wanted := expected.FindStringSubmatch(match[2]); wanted != nil {
			message += ", expected " + firstItems(strings.TrimSuffix(wanted[1], "."), 5)
		}
	}
	message = repeated.ReplaceAllString(message, "$1")
	if runes := []rune(message); len(runes) > maxErrorText {
		message = string(runes[:maxErrorText]) + " …"
	}
	return message
}

// firstItems cuts a list with commas.
func firstItems(list string, most int) string {
	items := strings.Split(list, ", ")
	if len(items) <= most {
		return list
	}
	return strings.Join(items[:most], ", ") + " …"
}
