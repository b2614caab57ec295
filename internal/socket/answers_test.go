package socket_test

import (
	"context"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/letterlock/letterlock/internal/guard"
	"github.com/letterlock/letterlock/internal/socket"
)

// answerer answers what is called so, once it is let.
type answerer struct {
	entered, let chan struct{}
	answer       string
	forbids      bool // the socket is to be closed after the answer
}

// Answer answers.
func (a *answerer) Answer(ctx context.Context, params *graphql.RawParams, buf []byte) ([]byte, *gqlerror.Error, bool) {
	if params.OperationName != "Quick" {
		return buf, nil, false
	}
	if a.entered != nil {
		a.entered <- struct{}{}
		<-a.let
	}
	if a.forbids {
		socket.EndAfterReply(ctx, socket.CloseForbidden, "removed")
	}
	return append(buf, a.answer...), nil, true
}

const quick = `{"id":"%","type":"subscribe","payload":{"query":"mutation Quick { name }","operationName":"Quick"}}`

func TestAnswersWithoutTheExecutor(t *testing.T) {
	for _, size := range []int{10, 80, 200, 70_000, 200_000} {
		answer := `{"data":{"name":"` + strings.Repeat("x", size) + `"}}`
		r := newRig(t, func(o *socket.Options) { o.Answers = &answerer{answer: answer} })
		c := r.dial(t)
		for range 2 { // The id is free again.
			c.send(strings.Replace(quick, "%", "1", 1))
			c.want(next("1", answer))
			c.want(`{"id":"1","type":"complete"}`)
		}
		c.send(`{"id":"1","type":"subscribe","payload":{"query":"{ name }"}}`)
		c.want(next("1", test))
		c.want(`{"id":"1","type":"complete"}`)
	}
}

func TestAnswerThatEndsItsSocket(t *testing.T) {
	r := newRig(t, func(o *socket.Options) { o.Answers = &answerer{answer: test, forbids: true} })
	c := r.dial(t)
	c.send(strings.Replace(quick, "%", "1", 1))
	c.want(next("1", test))
	c.want(`{"id":"1","type":"complete"}`)
	if code, why := c.closed(); code != socket.CloseForbidden || why != "removed" {
		t.Errorf("closed with %d %s", code, why)
	}
}

// A server that stops waits for the answer, and the socket that is closed then has it queued.
func TestStopWaitsForAnswers(t *testing.T) {
	a := &answerer{answer: test, entered: make(chan struct{}), let: make(chan struct{})}
	stopped := make(chan struct{})
	g := guard.New(guard.Options{MaxBytes: 1 << 16, MaxDepth: 20, MaxCost: 1000, Stopped: stopped})
	r := newRig(t, func(o *socket.Options) { o.Answers, o.Guard = a, g })
	c := r.dial(t)
	c.send(strings.Replace(quick, "%", "1", 1))
	<-a.entered
	close(stopped)
	c.send(strings.Replace(quick, "%", "2", 1))
	if got := c.receive(); !strings.HasPrefix(got, `{"id":"2","type":"error"`) || !strings.Contains(got, "stopping") {
		t.Errorf("new work: %s", got)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if g.Idle(over) {
		t.Error("the guard is idle, and an answer is due")
	}
	close(a.let)
	if !g.Idle(t.Context()) {
		t.Error("the guard is not idle")
	}
	go r.sockets.Stop(t.Context())
	c.want(next("1", test))
	c.want(`{"id":"1","type":"complete"}`)
	if code, _ := c.closed(); code != socket.CloseRestart {
		t.Errorf("closed with %d", code)
	}
}

// What a client has completed it does not hear, and its id is free.
func TestAnswerThatNobodyWantsIsDropped(t *testing.T) {
	a := &answerer{answer: test, entered: make(chan struct{}), let: make(chan struct{})}
	r := newRig(t, func(o *socket.Options) { o.Answers = a })
	c := r.dial(t)
	c.send(strings.Replace(quick, "%", "1", 1))
	<-a.entered
	c.send(`{"id":"1","type":"complete"}`)
	c.wantPong()
	close(a.let)
	c.send(`{"id":"1","type":"subscribe","payload":{"query":"{ name }"}}`)
	c.want(next("1", test))
}
