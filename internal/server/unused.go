package server

import (
	"net"
	"net/http"
	"sync"

	"github.com/letterlock/letterlock/internal/slim"
)

// unused keeps the connections on which nothing was asked yet, as clients open in advance. http.Server.Shutdown waits
// five seconds for each.
type unused struct {
	mu    sync.Mutex
	conns slim.Map[net.Conn, struct{}]
}

// note is an http.Server's ConnState.
func (u *unused) note(c net.Conn, state http.ConnState) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if state != http.StateNew {
		u.conns.Delete(c)
		return
	}
	u.conns.Put(c, struct{}{})
}

// close hangs up on them.
func (u *unused) close() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for c := range u.conns.Keys() {
		_ = c.Close() // nothing was to be said on it
	}
}
