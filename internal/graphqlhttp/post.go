package graphqlhttp

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/letterlock/letterlock/internal/failure"
	"github.com/letterlock/letterlock/internal/guard"
	"github.com/letterlock/letterlock/internal/problem"
	"github.com/letterlock/letterlock/internal/shortcut"
)

// maxPooled keeps buffers that one large request has grown from staying for good.
const maxPooled = 64 << 10

// Post is the gqlgen transport for queries and mutations over HTTP POST. gqlgen's own repeats malformed bodies in its answers,
// ignores qualities in Accept, and runs subscriptions to their first event.
type Post struct {
	Guard    *guard.Guard
	Present  *failure.Presenter
	Answers  shortcut.Answerer // answers what it can of the mutations; may be nil
	MaxBytes int64             // of a request's body
	Timeout  time.Duration     // for the whole operation

	buffers sync.Pool
}

// Supports reports whether the request is one for Post, after Front has let it through.
func (t *Post) Supports(r *http.Request) bool {
	return r.Method == http.MethodPost && accepted(r) != mediaEvents
}

// Do answers one request.
func (t *Post) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	ctx, cancel := context.WithTimeout(r.Context(), t.Timeout)
	defer cancel()
	media := accepted(r)
	params := &graphql.RawParams{Headers: r.Header, ReadTime: graphql.TraceTiming{Start: graphql.Now()}}
	if no := t.read(w, r, params); no != nil {
		t.Present.Write(ctx, w, no.status, media+charset, no.err)
		return
	}
	params.ReadTime.End = graphql.Now()
	if t.answer(ctx, w, media, params) {
		return
	}
	status, response := execute(ctx, t.Guard.Over(exec, false), params, media)
	if response == nil {
		t.Present.Write(ctx, w, http.StatusServiceUnavailable, media+charset, context.DeadlineExceeded)
		return
	}
	t.write(w, status, media, response)
}

func (t *Post) read(w http.ResponseWriter, r *http.Request, params *graphql.RawParams) *refusal {
	buffer := t.buffer()
	defer t.release(buffer)
	if no := readBody(buffer, w, r, t.MaxBytes); no != nil {
		return no
	}
	return decode(buffer.Bytes(), params)
}

// answer has a request answered without the executor. It is false if the executor has to serve it.
func (t *Post) answer(ctx context.Context, w http.ResponseWriter, media string, params *graphql.RawParams) bool {
	if t.Answers == nil || !t.Guard.Begin() {
		return false
	}
	defer t.Guard.End()
	buffer := t.buffer()
	defer t.release(buffer)
	text, refused, ok := t.Answers.Answer(ctx, params, buffer.AvailableBuffer())
	if ok {
		failure.SayWhen(w.Header(), refused)
		buffer.Write(text)
		send(w, http.StatusOK, media, buffer)
	}
	return ok
}

// execute runs a request and gives the status that fits. The answer is nil if ctx ended before anything was done.
func execute(ctx context.Context, exec graphql.GraphExecutor, params *graphql.RawParams, media string) (int, *graphql.Response) {
	op, errs := exec.CreateOperationContext(ctx, params)
	if len(errs) > 0 {
		response := exec.DispatchError(graphql.WithOperationContext(ctx, op), errs)
		return statusOf(response.Errors, media), response
	}
	next, ctx := exec.DispatchOperation(ctx, op)
	return http.StatusOK, next(ctx)
}

// statusOf gives the status of a request that was refused before it was executed. Clients that know only application/json
// expect 200 whenever the answer is GraphQL.
func statusOf(errs gqlerror.List, media string) int {
	for _, err := range errs {
		switch err.Extensions["code"] {
		case string(problem.Stopping), string(problem.Overloaded):
			return http.StatusServiceUnavailable
		case string(problem.RateLimited):
			return http.StatusTooManyRequests
		case string(problem.Internal):
			return http.StatusInternalServerError
		}
	}
	if media == mediaJSON {
		return http.StatusOK
	}
	return http.StatusBadRequest
}

// write sends a response. What gqlgen made of the data is JSON already and is not parsed a second time.
func (t *Post) write(w http.ResponseWriter, status int, media string, response *graphql.Response) {
	buffer := t.buffer()
	defer t.release(buffer)
	failure.SayWhen(w.Header(), response.Errors...)
	buffer.WriteByte('{')
	member(buffer, "errors", len(response.Errors) > 0, response.Errors)
	if response.Data != nil {
		separate(buffer)
		buffer.WriteString(`"data":`)
		buffer.Write(response.Data)
	}
	member(buffer, "extensions", len(response.Extensions) > 0, response.Extensions)
	buffer.WriteByte('}')
	send(w, status, media, buffer)
}

func send(w http.ResponseWriter, status int, media string, buffer *bytes.Buffer) {
	header := w.Header()
	header.Set("Content-Type", media+charset)
	header.Set("Content-Length", strconv.Itoa(buffer.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(buffer.Bytes()) // A caller who is gone needs no answer.
}

func member(buffer *bytes.Buffer, name string, present bool, value any) {
	if !present {
		return
	}
	text, err := json.Marshal(value)
	if err != nil {
		return // Errors and extensions are strings, numbers and paths: this cannot happen.
	}
	separate(buffer)
	buffer.WriteString(`"` + name + `":`)
	buffer.Write(text)
}

func separate(buffer *bytes.Buffer) {
	if buffer.Len() > 1 {
		buffer.WriteByte(',')
	}
}

func (t *Post) buffer() *bytes.Buffer {
	if buffer, ok := t.buffers.Get().(*bytes.Buffer); ok {
		buffer.Reset()
		return buffer
	}
	return new(bytes.Buffer)
}

func (t *Post) release(buffer *bytes.Buffer) {
	if buffer.Cap() <= maxPooled {
		t.buffers.Put(buffer)
	}
}
