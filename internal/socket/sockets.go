// Package socket serves GraphQL over WebSocket for gqlgen, on gorilla/websocket, in the subprotocols graphql-transport-ws and
// graphql-ws (legacy). It keeps what gqlgen leaves open: deadlines, pings, bounds, and the protocol's close codes.
package socket

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/gorilla/websocket"

	"github.com/letterlock/letterlock/internal/failure"
	"github.com/letterlock/letterlock/internal/guard"
	"github.com/letterlock/letterlock/internal/problem"
)

// Options bound sockets.
type Options struct {
	AllowOrigin   func(origin string) bool // for requests that name one; others are not from a browser
	Init          transport.WebsocketInitFunc
	Guard         *guard.Guard
	Present       *failure.Presenter
	MaxSockets    int
	MaxOperations int           // at once on one socket
	MaxBytes      int64         // of one message from a client
	InitTimeout   time.Duration // until connection_init
	PingInterval  time.Duration
	WriteTimeout  time.Duration // for one message
}

// Sockets is the gqlgen transport for WebSockets, and knows all that are open.
type Sockets struct {
	options  Options
	upgrader websocket.Upgrader

	mu      sync.Mutex
	open    map[*conn]struct{}
	owned   map[string]map[*conn]struct{} // by device id
	stopped bool
}

// New makes Sockets.
func New(options Options) *Sockets {
	s := &Sockets{options: options, open: map[*conn]struct{}{}, owned: map[string]map[*conn]struct{}{}}
	s.upgrader = websocket.Upgrader{
		HandshakeTimeout: options.WriteTimeout,
		ReadBufferSize:   1 << 10,
		WriteBufferSize:  4 << 10,
		WriteBufferPool:  &sync.Pool{},
		Subprotocols:     []string{modern, legacy},
		CheckOrigin:      func(*http.Request) bool { return true }, // checked before, with an answer that says why
		Error: func(w http.ResponseWriter, r *http.Request, status int, _ error) {
			options.Present.Write(r.Context(), w, status, "application/json; charset=utf-8",
				problem.New(problem.BadInput, "This is not a WebSocket handshake that the server understands (RFC 6455, version 13)."))
		},
	}
	return s
}

// Supports reports whether the request asks for a WebSocket. With POST, clients offer HTTP/2 by the same header.
func (s *Sockets) Supports(r *http.Request) bool {
	return r.Method == http.MethodGet && r.Header.Get("Upgrade") != ""
}

// Do serves one WebSocket until it ends.
func (s *Sockets) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	c := s.accept(w, r)
	if c == nil {
		return
	}
	defer c.finish()
	ctx := context.WithValue(r.Context(), key{}, c)
	transport.Websocket{
		Implementation:        accepted{c},
		InitFunc:              s.options.Init,
		KeepAlivePingInterval: s.options.PingInterval, // what legacy clients know a live server by
	}.Do(w, r.WithContext(ctx), s.options.Guard.Over(exec, true))
}

// accept upgrades the request, or answers it and gives nil.
func (s *Sockets) accept(w http.ResponseWriter, r *http.Request) *conn {
	if status, err := s.unwelcome(r); err != nil {
		s.options.Present.Write(r.Context(), w, status, "application/json; charset=utf-8", err)
		return nil
	}
	ws, err := s.upgrader.Upgrade(w, r, nil)
	if err != nil {
		return nil // The upgrader has answered.
	}
	c := newConn(s, ws)
	if !s.add(c) {
		c.end(CloseRestart, "the server is stopping")
		c.finish()
		return nil
	}
	if ws.Subprotocol() == "" {
		c.end(CloseSubprotocol, "ask for the subprotocol graphql-transport-ws or graphql-ws")
		c.finish()
		return nil
	}
	c.start()
	return c
}

func (s *Sockets) unwelcome(r *http.Request) (int, error) {
	if origins := r.Header["Origin"]; len(origins) > 1 || len(origins) == 1 && !s.options.AllowOrigin(origins[0]) {
		return http.StatusForbidden, problem.New(problem.BadInput,
			"Pages of this origin may not connect. The operator allows origins by LETTERLOCK_ALLOWED_ORIGINS.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.open) >= s.options.MaxSockets {
		return http.StatusServiceUnavailable, &problem.Error{
			Code: problem.Overloaded, Stored: problem.No, RetryAfter: 10 * time.Second,
			Message: "All sockets of this server are taken. Try again later.",
		}
	}
	return 0, nil
}

func (s *Sockets) add(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return false
	}
	s.open[c] = struct{}{}
	return true
}

func (s *Sockets) own(c *conn, device string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.owner = device
	if s.owned[device] == nil {
		s.owned[device] = map[*conn]struct{}{}
	}
	s.owned[device][c] = struct{}{}
	c.ws.SetReadLimit(s.options.MaxBytes)
}

func (s *Sockets) remove(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, c)
	delete(s.owned[c.owner], c)
	if len(s.owned[c.owner]) == 0 {
		delete(s.owned, c.owner)
	}
}

// Devices gives the ids of the devices that have sockets open.
func (s *Sockets) Devices() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.owned))
}

// EndDevice closes all sockets of a device that has been removed: code 4403.
func (s *Sockets) EndDevice(device string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.owned[device] {
		go c.end(CloseForbidden, "this device was removed from its user's list")
	}
}

// Stop closes all sockets with code 1012 and takes no new ones. It waits until they have ended, or until ctx ends; then the
// rest is cut off.
func (s *Sockets) Stop(ctx context.Context) {
	s.mu.Lock()
	s.stopped = true
	ending := make([]*conn, 0, len(s.open))
	for c := range s.open {
		ending = append(ending, c)
	}
	s.mu.Unlock()
	for _, c := range ending {
		go c.end(CloseRestart, "the server is stopping: connect again")
	}
	for _, c := range ending {
		select {
		case <-c.finished:
		case <-ctx.Done():
			_ = c.ws.Close()
		}
	}
}

// Open gives how many sockets are open.
func (s *Sockets) Open() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

// accepted hands gqlgen a connection that has been accepted before.
type accepted struct{ conn *conn }

// Accept gives the connection.
func (a accepted) Accept(http.ResponseWriter, *http.Request, transport.WebsocketAcceptOptions) (transport.WebsocketConn, error) {
	return a.conn, nil
}

type key struct{}

// Own names the device that a socket belongs to, so that EndDevice finds it, and that may send long messages. It is for the
// init function. Outside a socket it does nothing.
func Own(ctx context.Context, device string) {
	if c, ok := ctx.Value(key{}).(*conn); ok {
		c.sockets.own(c, device)
	}
}

// EndAfterReply closes the socket of ctx once the operation that ends next has said its last word. Outside a socket it does
// nothing.
func EndAfterReply(ctx context.Context, code int, reason string) {
	if c, ok := ctx.Value(key{}).(*conn); ok {
		c.endAfterReply(code, reason)
	}
}
