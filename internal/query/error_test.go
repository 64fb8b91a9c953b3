package query

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestErrorsAreOneLine(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"of the embedded engine": {
			"Code: 60. DB::Exception: Unknown table expression identifier 'x' in scope SELECT * FROM x. (UNKNOWN_TABLE) (version 26.7.2.1)\n",
			"ClickHouse: Unknown table expression identifier 'x' in scope SELECT * FROM x (code 60, UNKNOWN_TABLE): SHOW TABLES lists what there is; netmeta migrate creates the tables of NetMeta",
		},
		"of a server": {
			"Code: 62. DB::Exception: Syntax error: failed at position 10:\n\nSELECT 1 +\n\n. Expected one of: a, b. (SYNTAX_ERROR) (version 26.7.2.1 (official build))\n",
			"ClickHouse: Syntax error: failed at position 10: SELECT 1 + . Expected one of: a, b (code 62, SYNTAX_ERROR)",
		},
		"with a stack trace": {
			"Code: 395. DB::Exception: Value passed to 'throwIf' function is non-zero. (FUNCTION_THROW_IF_VALUE_IS_NON_ZERO), Stack trace (when copying this message, always include the lines below):\n\n0. DB::Exception::Exception\n1. main (version 26.7.2.1)",
			"ClickHouse: Value passed to 'throwIf' function is non-zero (code 395, FUNCTION_THROW_IF_VALUE_IS_NON_ZERO)",
		},
		"of something else": {
			"<html>\n<body>404 page not found</body>",
			"ClickHouse: status 404: <html> <body>404 page not found</body> (is --clickhouse the address of its HTTP interface?)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := parseError(404, test.text).Error(); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestExceptionBehindDataIsAnErrorAndNoData(t *testing.T) {
	const tag = "ABCDEFGHIJKLMNOP"
	const text = "Code: 395. DB::Exception: Non-zero. (NAME) (version 26.7.2.1)"
	exception := "\r\n__exception__\r\n" + tag + "\r\n" + text + "\n62 " + tag + "\r\n__exception__\r\n"
	data := strings.Repeat("1,\"\r\n__exception__\r\n another\"\n", 5000)
	for name, wrap := range map[string]func(io.Reader) io.Reader{
		"in large pieces": func(r io.Reader) io.Reader { return r },
		"byte by byte":    iotest.OneByteReader,
		"broken off":      func(r io.Reader) io.Reader { return io.MultiReader(r, iotest.ErrReader(io.ErrUnexpectedEOF)) },
	} {
		t.Run(name, func(t *testing.T) {
			got, err := io.ReadAll(newExceptionReader(wrap(strings.NewReader(data+exception)), tag))
			var failed *Error
			if string(got) != data || !errors.As(err, &failed) || failed.Code != 395 || failed.Name != "NAME" || failed.Message != "Non-zero" {
				t.Errorf("got %d bytes of %d, %v", len(got), len(data), err)
			}
		})
	}
	if got, err := io.ReadAll(newExceptionReader(strings.NewReader(data), tag)); string(got) != data || err != nil {
		t.Errorf("without an exception: %d bytes of %d, %v", len(got), len(data), err)
	}
	if got, err := io.ReadAll(newExceptionReader(strings.NewReader(data), "")); string(got) != data || err != nil {
		t.Errorf("without a tag: %d bytes of %d, %v", len(got), len(data), err)
	}
}
