package console

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"

	"github.com/leoluk/NetMeta/internal/console/access"
)

// withLogin passes on what everybody may see, the page without any data and whether
// the process is ready, and the rest from those who may use the console.
func (a *api) withLogin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, ok := a.keeper.User(r); !ok && needsLogin(r.URL.Path) {
			failure{status: http.StatusUnauthorized, Kind: kindLogin, Error: "you are not logged in", Hint: "Log in, then try again."}.write(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// needsLogin reports whether a path is not for everybody: all data is below /api/.
func needsLogin(path string) bool {
	switch path {
	case "/api/session", "/api/login", "/api/logout":
		return false
	}
	return strings.HasPrefix(path, "/api/")
}

// session is who uses the console.
type session struct {
	User  *string `json:"user"`  // null: nobody has logged in
	Login bool    `json:"login"` // whether somebody has to
}

func (a *api) serveSession(w http.ResponseWriter, r *http.Request) {
	s := session{Login: a.keeper.Restricted()}
	if name, ok := a.keeper.User(r); ok && name != "" {
		s.User = &name
	}
	writeValue(w, r, s)
}

func (a *api) serveLogin(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Password string `json:"password"`
	}
	if !readRequest(w, r, &request) {
		return
	}
	cookie, err := a.keeper.Login(r, request.Password)
	f := failure{status: http.StatusUnauthorized, Kind: kindLogin}
	var tooMany *access.TooManyError
	switch {
	case err == nil:
		http.SetCookie(w, cookie)
		writeValue(w, r, map[string]bool{"ok": true})
		return
	case errors.As(err, &tooMany):
		f.status = http.StatusTooManyRequests
		w.Header().Set("Retry-After", fmt.Sprintf("%.0f", math.Ceil(tooMany.Wait.Seconds())))
	case errors.Is(err, access.ErrWrong):
		f.Hint = "Whoever runs this NetMeta knows it."
	case errors.Is(err, access.ErrNoPassword):
		f.status = http.StatusForbidden
	default:
		return // nobody reads an answer
	}
	f.Error = err.Error()
	f.write(w)
}

func (a *api) serveLogout(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, a.keeper.Logout(r))
	writeValue(w, r, map[string]bool{"ok": true})
}
