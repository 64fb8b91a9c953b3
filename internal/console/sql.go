package console

import (
	"net/http"
	"strings"
)

const defaultSQLRows = 1000

type sqlRequest struct {
	SQL   string `json:"sql"`
	Limit int    `json:"limit"` // of rows; defaultSQLRows if 0
}

// serveSQL runs what somebody has written.
func (a *api) serveSQL(w http.ResponseWriter, r *http.Request) {
	var request sqlRequest
	if !readRequest(w, r, &request) {
		return
	}
	if strings.TrimSpace(request.SQL) == "" {
		badRequest("there is no statement").write(w)
		return
	}
	b := sqlBounds
	if request.Limit <= 0 {
		request.Limit = defaultSQLRows
	}
	b.rows = min(b.rows, request.Limit)
	a.serveTable(w, r, request.SQL, 0, b)
}
