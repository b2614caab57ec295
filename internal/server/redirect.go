package server

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const clearText = `This server takes requests over https alone. Nothing was done.

What was sent came in clear text: whoever is on the way could read it. If a token was in it, take it for leaked:
until it expires, ten minutes at the most, others can use it, and what they have opened with it ends then, too.
Correct the URL in the client that sent this.
`

// redirectTo sends who reads on to one of the server's origins: that of the name that was asked for, or else the first. What
// would go wrong without a sound is refused instead: a body, a token or a WebSocket that went over the wire in clear text.
func redirectTo(origins []string) http.Handler {
	byHost := map[string]*url.URL{}
	for _, origin := range slices.Backward(origins) {
		if u, err := url.Parse(origin); err == nil { // they are canonical
			byHost[u.Hostname()], byHost[""] = u, u
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reads := r.Method == http.MethodGet || r.Method == http.MethodHead
		if !reads || r.Header.Get("Authorization") != "" || r.Header.Get("Upgrade") != "" {
			w.Header().Set("Connection", "close")
			text(w, http.StatusForbidden, clearText)
			return
		}
		to, known := byHost[hostname(r.Host)]
		if !known {
			to = byHost[""]
		}
		location := url.URL{Scheme: to.Scheme, Host: to.Host, Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
		w.Header().Set("Location", location.String())
		text(w, http.StatusPermanentRedirect, "This server speaks https.\n")
	})
}

func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.Trim(host, "[]"))
}
