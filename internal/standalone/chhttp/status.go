package chhttp

import (
	"context"
	"errors"
	"net/http"

	"github.com/leoluk/NetMeta/internal/standalone/chdb"
)

// Codes that the HTTP side raises itself.
const (
	codeNotImplemented = 48
	codeTimeout        = 159
	codeQueryTooLarge  = 229
	codeTooManyBytes   = 396
	codeStdException   = 1001
)

// statuses are the HTTP statuses of exceptions, as ClickHouse 26.7 maps them;
// every other exception, READONLY (164) among them, is a 500.
var statuses = func() map[int]int {
	m := map[int]int{
		194: http.StatusUnauthorized,          // REQUIRED_PASSWORD
		229: http.StatusRequestEntityTooLarge, // QUERY_IS_TOO_LARGE
		48:  http.StatusNotImplemented,        // NOT_IMPLEMENTED
		76:  http.StatusServiceUnavailable,    // CANNOT_OPEN_FILE
		209: http.StatusServiceUnavailable,    // SOCKET_TIMEOUT
		439: http.StatusServiceUnavailable,    // CANNOT_SCHEDULE_TASK
		381: http.StatusLengthRequired,        // HTTP_LENGTH_REQUIRED
		159: http.StatusRequestTimeout,        // TIMEOUT_EXCEEDED
		779: http.StatusUnsupportedMediaType,  // UNSUPPORTED_MEDIA_TYPE
	}
	for status, codes := range map[int][]int{
		// The user or the right is wanting.
		http.StatusForbidden: {192, 193, 497, 512, 516},
		// Texts and values that cannot be parsed or do not fit.
		http.StatusBadRequest: {6, 8, 15, 25, 26, 27, 36, 37, 38, 41, 44, 53, 62, 72, 117, 123, 167, 168, 223, 321, 376, 427, 441, 675, 676},
		// Names that nothing is known by.
		http.StatusNotFound: {46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 152, 336, 511},
	} {
		for _, code := range codes {
			m[code] = status
		}
	}
	return m
}()

// statusOf returns the HTTP status of an exception.
func statusOf(code int) int {
	if status, ok := statuses[code]; ok {
		return status
	}
	return http.StatusInternalServerError
}

// codeOf returns the number of the exception that err is or is told as.
func codeOf(err error) int {
	var exception *chdb.Error
	switch {
	case errors.As(err, &exception) && exception.Code != 0:
		return exception.Code
	case errors.Is(err, context.DeadlineExceeded):
		return codeTimeout
	}
	return codeStdException
}

// contentTypes are those of the formats that clients look at; the others are text.
var contentTypes = map[string]string{
	"TabSeparated": "text/tab-separated-values; charset=UTF-8", "TSV": "text/tab-separated-values; charset=UTF-8",
	"TabSeparatedWithNames": "text/tab-separated-values; charset=UTF-8", "TSVWithNames": "text/tab-separated-values; charset=UTF-8",
	"TabSeparatedWithNamesAndTypes": "text/tab-separated-values; charset=UTF-8", "TSVWithNamesAndTypes": "text/tab-separated-values; charset=UTF-8",
	"CSV": "text/csv; charset=UTF-8; header=absent", "CSVWithNames": "text/csv; charset=UTF-8; header=present",
	"JSON": "application/json; charset=UTF-8", "JSONCompact": "application/json; charset=UTF-8", "JSONStrings": "application/json; charset=UTF-8",
	"JSONEachRow": "application/x-ndjson; charset=UTF-8", "JSONCompactEachRow": "application/x-ndjson; charset=UTF-8",
	"Native": "application/octet-stream", "RowBinary": "application/octet-stream", "RowBinaryWithNamesAndTypes": "application/octet-stream",
	"Parquet": "application/octet-stream", "ArrowStream": "application/octet-stream",
}

func contentType(format string) string {
	return first(contentTypes[format], "text/plain; charset=UTF-8")
}
