package chdb

import (
	"regexp"
	"strconv"
	"strings"
)

// Codes of ClickHouse errors that this module raises or looks for, from
// ClickHouse's src/Common/ErrorCodes.cpp.
const (
	CodeBadArguments   = 36
	CodeSyntaxError    = 62
	CodeReadonly       = 164
	CodeTooManyQueries = 202
	CodeAborted        = 236
	codeUnknownSetting = 115
	codeAccessDenied   = 497
)

// Error is a ClickHouse exception.
type Error struct {
	// Code is ClickHouse's number of the error, 0 if the message had none.
	Code int
	// Message is the whole text without the leading "Code: N. DB::Exception: ",
	// ending with the error's name in parentheses.
	Message string
}

// Error formats the exception the way ClickHouse does.
func (e *Error) Error() string {
	return "Code: " + strconv.Itoa(e.Code) + ". DB::Exception: " + e.Message
}

var (
	codePrefix = regexp.MustCompile(`^Code: (\d+)\. DB::\w*Exception: `)
	// An exception thrown by a SET that runs before a query comes wrapped in a
	// second one with the same code; only the inner text says anything.
	versionSuffix = regexp.MustCompile(` \(version [^()]+(\([^()]*\))?\)\. \([A-Z_0-9]+\)$`)
)

func parseError(text string) *Error {
	text = strings.TrimSpace(text)
	e := &Error{Message: text}
	for {
		match := codePrefix.FindStringSubmatch(e.Message)
		if match == nil {
			return e
		}
		code, err := strconv.Atoi(match[1])
		if err != nil || e.Code != 0 && code != e.Code {
			return e
		}
		e.Code, e.Message = code, versionSuffix.ReplaceAllString(e.Message[len(match[0]):], "")
	}
}
