package socket_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/99designs/gqlgen/graphql/handler/testserver"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/gorilla/websocket"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/letterlock/letterlock/internal/failure"
	"github.com/letterlock/letterlock/internal/graphqlhttp"
	"github.com/letterlock/letterlock/internal/guard"
	"github.com/letterlock/letterlock/internal/socket"
	"github.com/letterlock/letterlock/internal/stream"
)

// subscription is what the rig's schema has, served by a source.
const subscription = `subscription { name }`

// rig is a server of sockets over a schema of its own: { name } in all three kinds of operations. Subscriptions are served by
// sources that the test has in hand.
type rig struct {
	sockets *socket.Sockets
	schema  *testserver.TestServer
	sources chan *source // in the order in which they were opened
	addr    string
	begins  func(context.Context) // is called when the executor begins with an operation
	atEnd   func()                // is called when an operation of the executor has no more answers
}

// watched calls begins and atEnd.
type watched struct {
	graphql.Transport
	rig *rig
}

// Do opens a socket, or an event stream.
func (w watched) Do(rw http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	w.Transport.Do(rw, r, watchedExecutor{exec, w.rig})
}

type watchedExecutor struct {
	graphql.GraphExecutor
	rig *rig
}

// DispatchOperation runs an operation.
func (w watchedExecutor) DispatchOperation(ctx context.Context, op *graphql.OperationContext) (graphql.ResponseHandler, context.Context) {
	if w.rig.begins != nil {
		w.rig.begins(ctx)
	}
	responses, ctx := w.GraphExecutor.DispatchOperation(ctx, op)
	return func(ctx context.Context) *graphql.Response {
		response := responses(ctx)
		if response == nil && w.rig.atEnd != nil {
			w.rig.atEnd()
		}
		return response
	}, ctx
}

func newRig(t testing.TB, change func(*socket.Options)) *rig {
	t.Helper()
	return newRigOn(t, change, (*httptest.Server).Start)
}

// newRigOn is newRig with a server that is started as start does it.
func newRigOn(t testing.TB, change func(*socket.Options), start func(*httptest.Server)) *rig {
	t.Helper()
	r := &rig{schema: testserver.New(), sources: make(chan *source, 20_000)}
	options := socket.Options{
		AllowOrigin: func(string) bool { return true },
		Init:        func(ctx context.Context, _ transport.InitPayload) (context.Context, error) { return ctx, nil },
		Live:        r,
		Guard:       guard.New(guard.Options{MaxBytes: 1 << 16, MaxDepth: 20, MaxCost: 1000}),
		Present:     failure.NewPresenter(slog.New(slog.DiscardHandler), time.Now),
		MaxOpening:  32, MaxOperations: 64, MaxBytes: 1 << 20,
		InitTimeout: time.Minute, PingInterval: time.Minute, WriteTimeout: time.Minute,
	}
	if change != nil {
		change(&options)
	}
	r.sockets = socket.New(options)
	r.schema.AddTransport(watched{r.sockets, r})
	r.schema.AddTransport(watched{&graphqlhttp.Events{
		Guard: options.Guard, Present: options.Present, MaxBytes: options.MaxBytes, PingInterval: options.PingInterval,
		WriteTimeout: options.WriteTimeout, Open: graphqlhttp.NewStreams(), Gated: r.sockets.Gated,
		Address: func(context.Context) netip.Addr { return netip.Addr{} }, Now: time.Now,
	}, r})
	r.schema.SetQueryCache(lru.New[*ast.QueryDocument](100))
	server := httptest.NewUnstartedServer(r.schema)
	start(server)
	r.addr = server.Listener.Addr().String()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		r.sockets.Stop(ctx)
		server.Close()
	})
	return r
}

// Open opens sources, but for operations with a name that says otherwise.
func (r *rig) Open(_ context.Context, op *graphql.OperationContext, ready func()) (stream.Source, error) {
	switch op.OperationName {
	case "Executor":
		return nil, nil
	case "Refused":
		return nil, errors.New("a secret cause")
	case "Defect":
		panic("a secret cause")
	}
	s := &source{payload: `{"data":{"name":"test"}}`, ready: ready, closed: make(chan struct{})}
	r.sources <- s
	return s, nil
}

// dial opens a socket and has it accepted.
func (r *rig) dial(t testing.TB) *client {
	t.Helper()
	return r.dialBy(t, websocket.Dialer{}, "ws")
}

// dialBy is dial by a dialer and a scheme of its own.
func (r *rig) dialBy(t testing.TB, dialer websocket.Dialer, scheme string) *client {
	t.Helper()
	c, response, err := r.connectBy(t, dialer, scheme)
	if response != nil {
		defer func() { _ = response.Body.Close() }()
	}
	if err != nil {
		t.Fatal(err)
	}
	c.send(`{"type":"connection_init"}`)
	c.want(`{"type":"connection_ack"}`)
	return c
}

// connect opens a socket, on which nothing is said.
func (r *rig) connect(t testing.TB) (*client, *http.Response, error) {
	return r.connectBy(t, websocket.Dialer{}, "ws")
}

func (r *rig) connectBy(t testing.TB, dialer websocket.Dialer, scheme string) (*client, *http.Response, error) {
	dialer.Subprotocols = []string{"graphql-transport-ws"}
	conn, response, err := dialer.DialContext(t.Context(), scheme+"://"+r.addr+"/", nil)
	if err != nil {
		return nil, response, err
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &client{t: t, conn: conn}, response, nil
}

// subscribe starts a subscription and gives its source.
func (r *rig) subscribe(c *client, id string) *source {
	c.send(`{"id":"` + id + `","type":"subscribe","payload":{"query":"` + subscription + `"}}`)
	return <-r.sources
}

// client is a WebSocket client that says and hears messages as they are.
type client struct {
	t    testing.TB
	conn *websocket.Conn
}

func (c *client) send(message string) {
	c.t.Helper()
	if err := c.conn.WriteMessage(websocket.TextMessage, []byte(message)); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) receive() string {
	c.t.Helper()
	_ = c.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	_, text, err := c.conn.ReadMessage()
	if err != nil {
		c.t.Fatal(err)
	}
	return string(text)
}

func (c *client) want(message string) {
	c.t.Helper()
	if got := c.receive(); got != message {
		c.t.Fatalf("received %s, want %s", got, message)
	}
}

// source is a stream.Source that has as many responses as the test has put into it.
type source struct {
	ready  func()
	closed chan struct{}

	mu       sync.Mutex
	payload  string
	numbered bool   // the payload is a number instead
	padding  string // behind the number
	waiting  int
	asked    int // how often it gave a response
	endless  bool
	defect   bool
	forbids  bool // the socket is to be closed after the error
	err      error
	entering chan struct{} // if set, Append waits for it
	once     sync.Once
}

// put gives the source n responses more.
func (s *source) put(n int) {
	s.mu.Lock()
	s.waiting += n
	s.mu.Unlock()
	s.ready()
}

// set changes the source.
func (s *source) set(change func()) {
	s.mu.Lock()
	change()
	s.mu.Unlock()
	s.ready()
}

func (s *source) given() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// Append gives the next response.
func (s *source) Append(ctx context.Context, buf []byte) ([]byte, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if entering := s.entering; entering != nil {
		s.mu.Unlock()
		select {
		case <-entering:
		case <-ctx.Done():
		}
		s.mu.Lock()
	}
	switch {
	case s.defect:
		panic("a secret cause")
	case s.numbered && (s.endless || s.waiting > 0):
		buf = append(strconv.AppendInt(append(buf, `{"data":`...), int64(s.asked), 10), s.padding...)
		s.waiting--
		s.asked++
		return append(buf, '}'), true, nil
	case s.endless, s.waiting > 0:
		s.waiting--
		s.asked++
		return append(buf, s.payload...), true, nil
	default:
		if s.forbids {
			socket.EndAfterReply(ctx, socket.CloseForbidden, "removed")
		}
		return buf, false, s.err
	}
}

// Close notes that it was called.
func (s *source) Close() { s.once.Do(func() { close(s.closed) }) }
