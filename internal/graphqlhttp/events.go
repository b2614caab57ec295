package graphqlhttp

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/letterlock/letterlock/internal/failure"
	"github.com/letterlock/letterlock/internal/guard"
	"github.com/letterlock/letterlock/internal/places"
	"github.com/letterlock/letterlock/internal/stream"
	"github.com/letterlock/letterlock/internal/term"
)

// Events is the gqlgen transport for server-sent events, in the graphql-sse protocol's distinct connections mode.
type Events struct {
	Guard        *guard.Guard
	Present      *failure.Presenter
	MaxBytes     int64         // of a request's body
	PingInterval time.Duration // between comments that show that the stream is alive
	WriteTimeout time.Duration // for each event
	// Now is the clock that tokens go by. When that of a stream has ended it is cut off, so that the client connects again.
	Now     func() time.Time
	Open    *Streams
	Places  *places.Places                                         // taken by each stream
	Address func(ctx context.Context) netip.Addr                   // that a request's context comes from
	Gated   func(exec graphql.GraphExecutor) graphql.GraphExecutor // has subscriptions wait for their turn to begin
}

// Supports reports whether the request asks for a stream, after Front has let it through.
func (t *Events) Supports(r *http.Request) bool {
	return r.Method == http.MethodPost && accepted(r) == mediaEvents
}

// Do serves one stream.
func (t *Events) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	from := t.Address(r.Context())
	if err := t.Places.Take(from); err != nil {
		t.Present.Write(r.Context(), w, places.Status(err), mediaJSON+charset, err)
		return
	}
	defer t.Places.Leave(from)
	var body bytes.Buffer
	no := readBody(&body, w, r, t.MaxBytes)
	if no == nil {
		no = decode(body.Bytes(), &graphql.RawParams{})
	}
	if no != nil {
		t.Present.Write(r.Context(), w, no.status, mediaJSON+charset, no.err)
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	ctx, tenure := term.With(ctx)
	out := newEventWriter(w, t.WriteTimeout, func() bool { return tenure.Over(t.Now()) }, cancel)
	defer out.close()
	defer t.Open.add(out.cut)()
	request := r.WithContext(ctx)
	request.Body = io.NopCloser(&body)
	transport.SSE{KeepAlivePingInterval: t.PingInterval}.Do(out, request, endings{t.Guard.Over(t.Gated(exec), true)})
}

// endings adds the error that a stream ended with as its last event.
type endings struct{ graphql.GraphExecutor }

// DispatchOperation runs the operation.
func (e endings) DispatchOperation(ctx context.Context, op *graphql.OperationContext) (graphql.ResponseHandler, context.Context) {
	ctx, end := stream.WithEnd(ctx)
	next, ctx := e.GraphExecutor.DispatchOperation(ctx, op)
	return func(ctx context.Context) *graphql.Response {
		if response := next(ctx); response != nil {
			return response
		}
		if err := end.Err(); err != nil {
			return &graphql.Response{Errors: gqlerror.List{err}}
		}
		return nil
	}, ctx
}

// eventWriter gives every write a deadline of its own, and drops what gqlgen's heartbeat writes after the end.
type eventWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	timeout time.Duration
	expired func() bool // asked before each event and each comment
	cancel  context.CancelFunc

	mu   sync.Mutex
	over bool

	// life is held for moments alone, unlike mu. Once the handler has returned the writer is no longer ours: over HTTP/2 to set a deadline
	// would be a nil dereference then.
	life sync.Mutex
	gone bool
}

func newEventWriter(w http.ResponseWriter, timeout time.Duration, expired func() bool, cancel context.CancelFunc) *eventWriter {
	control := http.NewResponseController(w)
	// The request has been read. The server's deadline for that would end the stream.
	_ = control.SetReadDeadline(time.Time{})
	return &eventWriter{w: w, control: control, timeout: timeout, expired: expired, cancel: cancel}
}

// Header gives the response's header.
func (e *eventWriter) Header() http.Header { return e.w.Header() }

// WriteHeader sends the status.
func (e *eventWriter) WriteHeader(status int) { e.w.WriteHeader(status) }

// Write writes within the deadline. When it fails, net/http ends the request's context.
func (e *eventWriter) Write(b []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.over && e.expired() {
		e.breakOff()
	}
	if e.over {
		return len(b), nil
	}
	_ = e.control.SetWriteDeadline(time.Now().Add(e.timeout))
	return e.w.Write(b)
}

// Flush sends what has been written.
func (e *eventWriter) Flush() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.over {
		_ = e.control.Flush()
		// Over HTTP/2 a deadline ends the stream when it passes, also if nothing is being written.
		_ = e.control.SetWriteDeadline(time.Time{})
	}
}

// close ends the stream in order, before the handler returns. Its last bytes have a deadline, too.
func (e *eventWriter) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.over {
		_ = e.control.SetWriteDeadline(time.Now().Add(e.timeout))
	}
	e.over = true
	e.life.Lock()
	defer e.life.Unlock()
	e.gone = true
}

// cut makes the connection break off: nothing more can be written, the end of the body neither. It may come when all is over.
func (e *eventWriter) cut() {
	e.expire() // Also ends a write that is stuck.
	e.mu.Lock()
	defer e.mu.Unlock()
	e.breakOff()
}

// breakOff is cut for those who hold e.mu.
func (e *eventWriter) breakOff() {
	e.over = true
	e.expire()
	e.cancel()
}

func (e *eventWriter) expire() {
	e.life.Lock()
	defer e.life.Unlock()
	if !e.gone {
		_ = e.control.SetWriteDeadline(time.Unix(1, 0))
	}
}
