// Package doc holds the pages of the documentation that programs show.
package doc

import _ "embed"

// SQL is the page about asking in SQL, with its questions and their queries.
//
//go:embed sql.md
var SQL string
