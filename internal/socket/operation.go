package socket

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/letterlock/letterlock/internal/failure"
	"github.com/letterlock/letterlock/internal/problem"
	"github.com/letterlock/letterlock/internal/requestjson"
	"github.com/letterlock/letterlock/internal/stream"
)

// stackOfOperation is how much stack the executor and most resolvers take.
const stackOfOperation = 8 << 10

// operation is one query, mutation or subscription.
type operation struct {
	conn   *conn
	id     string
	quoted string          // the id, as JSON
	ctx    context.Context // of who works for it

	// conn.mu guards what follows.
	cancel  context.CancelFunc
	over    bool // the last word was said or the client has completed it: nothing of it is sent any more
	settled bool // it is not counted as running any more
	renewed bool // see renew
	state   state
	source  stream.Source
}

// subscribe makes an operation, which is to be run.
func (c *conn) subscribe(m message) (*operation, refusal) {
	if !c.inited {
		return nil, unauthorized()
	}
	id, quoted, ok := name(m.id)
	if !ok {
		return nil, refusal{CloseBadRequest, "an operation needs an id of at most 128 characters"}
	}
	o := &operation{conn: c, id: id, quoted: quoted, state: working}
	o.ctx, o.cancel = context.WithCancel(c.ctx)
	c.mu.Lock()
	if c.operation(id) != nil {
		c.mu.Unlock()
		return nil, refusal{CloseDuplicate, "Subscriber for " + id + " already exists"}
	}
	if c.running >= c.sockets.options.MaxOperations {
		c.mu.Unlock()
		o.settled = true // It was never counted.
		o.fail(gqlerror.List{c.present(c.ctx, tooMany())})
		return nil, refusal{}
	}
	c.operations = append(c.operations, o)
	c.running++
	c.busyAt = time.Now().UnixNano()
	c.mu.Unlock()
	c.working.Add(1)
	return o, refusal{}
}

// name decodes the id of an operation, and gives it as JSON as well.
func name(value []byte) (id, quoted string, ok bool) {
	if requestjson.Plain(value) {
		quoted = string(value)
		id = quoted[1 : len(quoted)-1]
	} else if id, ok = requestjson.Text(value); ok {
		again, err := json.Marshal(id)
		if err != nil {
			return "", "", false
		}
		quoted = string(again)
	}
	return id, quoted, id != "" && len(id) <= maxOperationID
}

func unauthorized() refusal {
	return refusal{CloseUnauthorized, "Unauthorized: send connection_init first"}
}

func tooMany() error {
	return &problem.Error{
		Code: problem.Overloaded, Stored: problem.No, RetryAfter: time.Second,
		Message: "Too many operations run on this socket at once. Wait until some have ended.",
	}
}

// complete ends an operation for the client. What it has not heard by then it does not hear.
func (c *conn) complete(m message) refusal {
	if !c.inited {
		return unauthorized()
	}
	if no := valid(m.payload); no.code != 0 {
		return no
	}
	id, ok := requestjson.Text(m.id)
	if !ok {
		return notAMessage()
	}
	c.mu.Lock()
	o := c.operation(id)
	if o != nil {
		o.end()
	}
	c.mu.Unlock()
	if o != nil {
		o.release()
	}
	return refusal{}
}

// operation gives the one that the client calls so. There are few: a map would take more memory, and no less time. c.mu is held.
func (c *conn) operation(id string) *operation {
	for _, o := range c.operations {
		if o.id == id {
			return o
		}
	}
	return nil
}

// dropAll ends all operations.
func (c *conn) dropAll() {
	c.mu.Lock()
	all := slices.Clone(c.operations)
	for _, o := range all {
		o.end()
	}
	c.mu.Unlock()
	for _, o := range all {
		o.release()
	}
}

// end makes the operation's id free and has nothing more sent. conn.mu is held; who calls it calls release after that.
func (o *operation) end() {
	if o.over {
		return
	}
	o.over = true
	all := o.conn.operations
	if i := slices.Index(all, o); i >= 0 {
		last := len(all) - 1
		all[i], all[last] = all[last], nil
		o.conn.operations = all[:last]
	}
	o.leave()
	o.settle()
}

// settle stops to count an operation that is over and has nobody working for it. conn.mu is held.
func (o *operation) settle() {
	if o.over && !o.settled && o.state != working && o.state != asked {
		o.settled = true
		o.conn.running--
	}
}

// release lets go of what an operation that is over holds.
func (o *operation) release() {
	o.conn.mu.Lock()
	cancel, source := o.cancel, o.source
	o.source = nil
	o.conn.mu.Unlock()
	cancel()
	if source != nil {
		source.Close()
	}
}

// run serves the operation, or begins to: a source is asked again when it has something. text is what it was read from.
func (o *operation) run(payload []byte, text *buffer) {
	c := o.conn
	defer c.working.Done()
	defer o.rescue()
	growStack(len(payload))
	params := &graphql.RawParams{}
	ok := requestjson.Request(payload, params)
	c.sockets.buffers.put(text)
	if !ok {
		c.end(CloseBadRequest, "the payload of an operation must be an object with a query")
		o.rest()
		return
	}
	if o.answer(params) {
		o.rest()
		return
	}
	ctx := graphql.StartOperationTrace(o.ctx)
	op, errs := c.exec.CreateOperationContext(ctx, params)
	ctx = graphql.WithOperationContext(ctx, op)
	if len(errs) > 0 {
		o.fail(c.exec.DispatchError(ctx, errs).Errors)
		o.rest()
		return
	}
	if op.Operation.Operation == ast.Subscription && o.open(ctx, op) {
		return
	}
	o.execute(ctx, op)
	o.rest()
}

// growStack makes the stack of a new goroutine as large at once as an operation needs it. It would double again and again, each
// time copying what is on it.
//
//go:noinline
func growStack(at int) byte {
	var room [stackOfOperation]byte
	return room[at%len(room)]
}

// rest is the end of the goroutine that works for the operation.
func (o *operation) rest() {
	o.conn.mu.Lock()
	o.state = idle
	o.settle()
	over := o.over
	o.conn.mu.Unlock()
	if over {
		o.release()
	}
}

// rescue ends an operation whose goroutine met a defect.
func (o *operation) rescue() {
	if fault := recover(); fault != nil {
		o.fail(gqlerror.List{o.conn.present(o.ctx, failure.Recover(o.ctx, fault))})
		o.rest()
	}
}

// answer has the operation answered without the executor. It is false if the executor has to serve it.
func (o *operation) answer(params *graphql.RawParams) bool {
	c := o.conn
	if c.sockets.options.Answers == nil || !c.sockets.options.Guard.Begin() {
		return false
	}
	ok := o.answerNow(params)
	if ok {
		c.flush()
	}
	return ok
}

// answerNow queues the answer before the guard takes the operation for answered.
func (o *operation) answerNow(params *graphql.RawParams) bool {
	c := o.conn
	defer c.sockets.options.Guard.End()
	b := c.sockets.buffers.get()
	mark := o.begin(b)
	data, _, ok := c.sockets.options.Answers.Answer(o.ctx, params, b.data)
	if !ok {
		c.sockets.buffers.put(b)
		return false
	}
	b.data = append(data, '}')
	b.seal(mark)
	o.appendComplete(b)
	c.await(o.ctx, c.hasRoom)
	o.say(b, true)
	return true
}

// execute has gqlgen's executor serve the operation. An answer is queued before the executor is asked for the next one: the guard
// takes an operation for answered by that.
func (o *operation) execute(ctx context.Context, op *graphql.OperationContext) {
	ctx, cancel := o.conn.sockets.bounded(ctx, op)
	defer cancel()
	ctx, end := stream.WithEnd(ctx)
	responses, ctx := o.conn.exec.DispatchOperation(ctx, op)
	for response := responses(ctx); response != nil; response = responses(ctx) {
		b := o.conn.sockets.buffers.get()
		o.appendResponse(b, response)
		o.conn.await(o.ctx, o.conn.hasRoom)
		o.say(b, false)
		// The only answer is written together with the word that it was the last.
		if op.Operation.Operation == ast.Subscription || response.HasNext != nil {
			o.conn.flush()
		}
	}
	b := o.conn.sockets.buffers.get()
	if err := end.Err(); err != nil {
		o.appendError(b, gqlerror.List{err})
	} else {
		o.appendComplete(b)
	}
	o.say(b, true)
	o.conn.flush()
}

// fail is the last word of an operation that ends with errors. It waits for room, as all answers do: until then the operation counts, so
// that a client that takes nothing can't ask for more.
func (o *operation) fail(errs gqlerror.List) {
	o.conn.await(o.ctx, o.conn.hasRoom)
	b := o.conn.sockets.buffers.get()
	o.appendError(b, errs)
	o.say(b, true)
	o.conn.startFlush()
}

// say queues messages of the operation, and takes b over. With the last word the id is free again.
func (o *operation) say(b *buffer, last bool) {
	c := o.conn
	c.sockets.expire(c)
	c.mu.Lock()
	defer c.mu.Unlock()
	if o.over || len(b.data) == 0 {
		c.sockets.buffers.put(b)
		return
	}
	c.push(b)
	if !last {
		return
	}
	o.state = idle // What is left to do is no work for the client: it may start the next one.
	o.end()
	if c.afterCode != 0 {
		c.close(closeFrame(c.afterCode, c.afterWhy))
	}
}

// appendResponse appends a message with a response.
func (o *operation) appendResponse(b *buffer, response *graphql.Response) {
	mark := o.begin(b)
	if len(response.Errors) == 0 && response.Label == "" && response.Path == nil && response.HasNext == nil &&
		response.Extensions == nil && response.Data != nil {
		b.data = append(b.data, `{"data":`...)
		b.data = append(b.data, response.Data...) // which encoding/json would read once more
		b.data = append(b.data, '}')
	} else if text, err := json.Marshal(response); err == nil {
		b.data = append(b.data, text...)
	} else {
		panic(err)
	}
	b.data = append(b.data, '}')
	b.seal(mark)
}

// begin begins a message with a response, which has to be followed by the response and a brace.
func (o *operation) begin(b *buffer) int {
	mark := b.open()
	b.data = append(b.data, `{"id":`...)
	b.data = append(b.data, o.quoted...)
	b.data = append(b.data, `,"type":"next","payload":`...)
	return mark
}

// appendError appends the last message of an operation that has failed.
func (o *operation) appendError(b *buffer, errs gqlerror.List) {
	text, err := json.Marshal(errs)
	if err != nil {
		panic(err)
	}
	mark := b.open()
	b.data = append(b.data, `{"id":`...)
	b.data = append(b.data, o.quoted...)
	b.data = append(b.data, `,"type":"error","payload":`...)
	b.data = append(b.data, text...)
	b.data = append(b.data, '}')
	b.seal(mark)
}

// appendComplete appends the last message of an operation.
func (o *operation) appendComplete(b *buffer) {
	mark := b.open()
	b.data = append(b.data, `{"id":`...)
	b.data = append(b.data, o.quoted...)
	b.data = append(b.data, `,"type":"complete"}`...)
	b.seal(mark)
}

// present shows an error to the client; one that is meant for it already stays as it is.
func (c *conn) present(ctx context.Context, err error) *gqlerror.Error {
	var shown *gqlerror.Error
	if errors.As(err, &shown) {
		return shown
	}
	return c.sockets.options.Present.Present(ctx, err)
}
