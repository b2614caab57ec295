// Package socket serves GraphQL over WebSocket, on gorilla/websocket: the subprotocol graphql-transport-ws by a transport of our
// own for gqlgen, which an idle connection costs one goroutine and little memory, and the legacy subprotocol graphql-ws by
// gqlgen's. It keeps deadlines, pings, bounds, and the protocol's close codes.
package socket

import (
	"container/list"
	"context"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/gorilla/websocket"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/letterlock/letterlock/internal/failure"
	"github.com/letterlock/letterlock/internal/guard"
	"github.com/letterlock/letterlock/internal/places"
	"github.com/letterlock/letterlock/internal/problem"
	"github.com/letterlock/letterlock/internal/shortcut"
	"github.com/letterlock/letterlock/internal/slim"
	"github.com/letterlock/letterlock/internal/stream"
)

// The subprotocols.
const (
	modern = "graphql-transport-ws"
	legacy = "graphql-ws"
)

const (
	// maxOperationID bounds what a client may call an operation.
	maxOperationID = 128
	// maxAnonymous bounds the messages of a socket that belongs to no device: what needs no token is short.
	maxAnonymous = 128 << 10
	// grace is how long a socket that is being closed waits for the client's close frame. Closing at once would make the
	// network throw away our own frame together with what the client was still sending.
	grace = 2 * time.Second
	// maxDrained bounds what is read and thrown away in that time.
	maxDrained = 16 << 20
)

// Options bound sockets.
type Options struct {
	AllowOrigin   func(origin string) bool // for requests that name one; others are not from a browser
	Init          Init
	Renew         Renew                                          // nil for sockets that only Init limits
	Carry         func(to, from context.Context) context.Context // gives to what Init needs of the request's; may be nil
	Live          stream.Opener                                  // serves what it can of the subscriptions; may be nil
	Answers       shortcut.Answerer                              // answers what it can of the mutations; may be nil
	Guard         *guard.Guard
	Present       *failure.Presenter
	Places        *places.Places                       // taken by each socket; nil has room for all
	Address       func(ctx context.Context) netip.Addr // that a request's context comes from; nil if nobody counts by it
	MaxOpening    int                                  // handshakes, tokens and subscriptions that are worked on at once; the rest waits
	Crowded       func(waiting int)                    // told, once a minute at the most, that as many wait as are worked on; may be nil
	MaxOperations int                                  // at once on one socket
	MaxBytes      int64                                // of one message from a client
	Timeout       time.Duration                        // for a query or mutation that the executor serves; 0: for ever
	InitTimeout   time.Duration                        // until connection_init
	IdleTimeout   time.Duration                        // without a token and an operation; 0: for ever
	PingInterval  time.Duration
	WriteTimeout  time.Duration    // for a write that makes no progress
	Now           func() time.Time // the clock that tokens go by; default time.Now
}

// Init looks at the payload of connection_init and gives the context for the socket's operations, made of ctx. An error closes
// the socket.
type Init func(ctx context.Context, payload transport.InitPayload) (context.Context, error)

// Sockets is the gqlgen transport for WebSockets, and knows all that are open.
type Sockets struct {
	options  Options
	upgrader websocket.Upgrader
	gate     *gate
	buffers  buffers
	sweeper  sweeper
	traffic  traffic

	mu      sync.Mutex
	open    slim.Map[member, struct{}]
	owned   slim.Map[string, few] // by device id
	stopped bool
}

// New makes Sockets.
func New(options Options) *Sockets {
	if options.Now == nil {
		options.Now = time.Now
	}
	s := &Sockets{options: options, gate: newGate(options.MaxOpening, options.Crowded)}
	s.sweeper.every = min(options.InitTimeout, options.PingInterval) / sweepsPerInterval
	s.upgrader = websocket.Upgrader{
		HandshakeTimeout: options.WriteTimeout,
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

// Do opens one WebSocket. A legacy one it serves until that ends; all others have a goroutine of their own, so that net/http's
// goroutine, its buffers and the request can go.
func (s *Sockets) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	if status, err := s.unwelcome(r); err != nil {
		s.options.Present.Write(r.Context(), w, status, "application/json; charset=utf-8", err)
		return
	}
	from := s.address(r)
	if err := s.options.Places.Take(from); err != nil {
		s.options.Present.Write(r.Context(), w, places.Status(err), "application/json; charset=utf-8", err)
		return
	}
	if !s.gate.enter(r.Context(), greeting) {
		s.options.Places.Leave(from)
		s.options.Present.Write(r.Context(), w, http.StatusServiceUnavailable, "application/json; charset=utf-8", s.gate.refusal())
		return
	}
	network := &wire{}
	ws, expected, err := s.upgrade(w, r, network)
	if err != nil {
		s.options.Places.Leave(from)
		return // The upgrader has answered.
	}
	if ws.Subprotocol() == legacy {
		c := newLegacyConn(s, ws)
		c.expected, c.from = expected, from
		s.serveLegacy(c, r, exec)
		return
	}
	network.reader.Reset(network.Conn) // Gorilla has set it to the wire, which takes one call more.
	c := newConn(s, ws, network, exec)
	c.expected, c.from = expected, from
	if s.options.Carry != nil {
		c.ctx = s.options.Carry(c.ctx, r.Context())
	}
	s.serve(c)
}

// upgrade is the work of a handshake. The gate is left with it, and expects the socket's token.
func (s *Sockets) upgrade(w http.ResponseWriter, r *http.Request, network *wire) (*websocket.Conn, *list.Element, error) {
	defer s.gate.leave()
	expected := s.gate.expect() // before the client can answer
	ws, err := s.upgrader.Upgrade(&hijacker{w, network}, r, nil)
	if err != nil {
		s.gate.arrived(expected)
	}
	return ws, expected, err
}

// init asks Init, when it is this socket's turn.
func (s *Sockets) init(ctx context.Context, payload transport.InitPayload) (context.Context, error) {
	if m, ok := ctx.Value(key{}).(member); ok {
		s.arrived(m)
	}
	if !s.gate.enter(ctx, initialising) {
		return nil, s.gate.refusal()
	}
	defer s.gate.leave()
	return s.options.Init(ctx, payload)
}

// bounded gives the context that an operation of the executor has: a subscription's lasts.
func (s *Sockets) bounded(ctx context.Context, op *graphql.OperationContext) (context.Context, context.CancelFunc) {
	if s.options.Timeout <= 0 || op.Operation.Operation == ast.Subscription {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, s.options.Timeout)
}

func (s *Sockets) serve(c *conn) {
	if !s.add(c) {
		c.end(CloseRestart, "the server is stopping")
		c.serve()
		return
	}
	if c.ws.Subprotocol() != modern {
		c.end(CloseSubprotocol, "ask for the subprotocol graphql-transport-ws or graphql-ws")
	}
	s.sweeper.add(c)
	go c.serve()
}

func (s *Sockets) unwelcome(r *http.Request) (int, error) {
	if origins := r.Header["Origin"]; len(origins) > 1 || len(origins) == 1 && !s.options.AllowOrigin(origins[0]) {
		return http.StatusForbidden, problem.New(problem.BadInput,
			"Pages of this origin may not connect. The operator allows origins by LETTERLOCK_ALLOWED_ORIGINS.")
	}
	return 0, nil
}

// address gives where a request comes from.
func (s *Sockets) address(r *http.Request) netip.Addr {
	if s.options.Address == nil {
		return netip.Addr{}
	}
	return s.options.Address(r.Context())
}

// refusal gives how a socket is closed whose connection_init was refused.
func (s *Sockets) refusal(ctx context.Context, err error) (code int, reason string) {
	switch problem.CodeOf(err) {
	case problem.Unauthenticated, problem.DeviceRemoved:
		code = CloseForbidden
	default:
		code = CloseTryLater
	}
	return code, s.options.Present.Present(ctx, err).Message
}

type key struct{}

// Own names the device that a socket belongs to, so that EndDevice finds it, and that may send long messages. It is for the
// init function. Outside a socket it does nothing.
func Own(ctx context.Context, device string) {
	if m, ok := ctx.Value(key{}).(member); ok {
		m.own(device)
	}
}

// EndAfterReply closes the socket of ctx once the operation that ends next has said its last word. Outside a socket it does
// nothing.
func EndAfterReply(ctx context.Context, code int, reason string) {
	if m, ok := ctx.Value(key{}).(member); ok {
		m.endAfterReply(code, reason)
	}
}
