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
	t, err := a.asker.ask(r.Context(), who(r), request.SQL, b)
	if err != nil {
		a.refuse(w, r, explain(err))
		return
	}
	writeCompressed(w, r, encodeTable(t, request.SQL, 0))
}
