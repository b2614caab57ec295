package graph

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unique"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/mailbox"
	"github.com/letterlock/letterlock/internal/problem"
	"github.com/letterlock/letterlock/internal/stream"
)

// received is what a client makes of a response.
type received struct {
	Data struct {
		Received struct {
			ID        int64 `json:",string"`
			Cursor    string
			MessageID string
		}
	}
}

// open opens a subscription whose selection is compiled.
func (w *world) open(u *user, ready func()) stream.Source {
	w.t.Helper()
	source, err := Streams{w.resolver}.Open(w.calls(u), w.operation(""), ready)
	if err != nil || source == nil {
		w.t.Fatalf("Open gives %v, %v", source, err)
	}
	w.t.Cleanup(source.Close)
	return source
}

// drain asks for responses until there is none, and gives their numbers.
func (w *world) drain(u *user, source stream.Source) (numbers []int64) {
	w.t.Helper()
	for {
		out, ok, err := source.Append(w.calls(u), []byte("x"))
		if err != nil {
			w.t.Fatalf("Append: %v", err)
		}
		if !ok {
			return numbers
		}
		var r received
		if err := json.Unmarshal(out[1:], &r); err != nil || out[0] != 'x' {
			w.t.Fatalf("%s: %v", out, err)
		}
		numbers = append(numbers, r.Data.Received.ID&(1<<32-1))
	}
}

func TestSourceReplaysAndGoesOnLive(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		alice, bob := w.user(), w.user()
		w.mustSend(alice, bob)
		w.mustSend(alice, bob)
		var ready atomic.Int64
		source := w.open(bob, func() { ready.Add(1) })
		if ready.Load() == 0 {
			t.Error("nobody was told of what waits")
		}
		if got := w.drain(bob, source); !slices.Equal(got, []int64{1, 2}) {
			t.Errorf("what waits is %v", got)
		}
		ready.Store(0)
		w.mustSend(alice, bob)
		if ready.Load() == 0 {
			t.Error("nobody was told of what came")
		}
		if got := w.drain(bob, source); !slices.Equal(got, []int64{3}) {
			t.Errorf("what came is %v", got)
		}
		source.Close()
		source.Close()
		w.mustSend(alice, bob)
		if out, ok, err := source.Append(w.calls(bob), nil); ok || err != nil || len(out) > 0 {
			t.Errorf("after Close comes %s, %v", out, err)
		}
	})
}

// A subscription that is refused is refused as the executor does it.
func TestOpenRefusesAsTheExecutorDoes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		bob, gone := w.user(), w.user()
		w.mustSend(bob, gone)
		ahead := "AAAAAAAAAAEAAAABAAAAAQ"
		w.remove(gone)
		for _, c := range []struct {
			who   *user
			after string
			code  problem.Code
		}{
			{nil, "", problem.Unauthenticated}, {bob, "nonsense", problem.CursorInvalid}, {bob, ahead, problem.CursorInvalid},
			{gone, "", problem.DeviceRemoved},
		} {
			source, err := Streams{w.resolver}.Open(w.calls(c.who), w.operation(c.after), func() {})
			if source != nil || problem.CodeOf(err) != c.code {
				t.Errorf("Open gives %v, %v, want %s", source, err, c.code)
				continue
			}
			op := w.operation(c.after)
			next, ctx := w.exec.DispatchOperation(w.calls(c.who), op)
			var shown *gqlerror.Error
			if !errors.As(err, &shown) {
				t.Fatalf("%v is not for the client", err)
			}
			// Whoever presents it once more does no harm.
			got, again, want := shown, w.resolver.Present(w.calls(c.who), err), next(ctx).Errors[0]
			for _, e := range []*gqlerror.Error{got, again, want} {
				delete(e.Extensions, "serverTime")
			}
			if asJSON(t, got) != asJSON(t, want) || asJSON(t, again) != asJSON(t, want) {
				t.Errorf("refused with %s,\nby the executor with %s", asJSON(t, got), asJSON(t, want))
			}
		}
	})
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestOpenLeavesToTheExecutor(t *testing.T) {
	op, errs := newOracle().prepare(`subscription { messageReceived { ... @defer { id } } }`, nil)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if source, err := (Streams{}).Open(t.Context(), op, func() {}); source != nil || err != nil {
		t.Errorf("Open gives %v, %v", source, err)
	}
}

// The end of a subscription is told once it is asked for, with the place of its field.
func TestSourceEndsWithAReason(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, c := range []struct {
			end  func(u *user)
			code problem.Code
		}{
			{func(u *user) { w.open(u, func() {}) }, problem.Superseded},
			{func(u *user) { w.remove(u) }, problem.DeviceRemoved},
			{func(*user) { w.stop() }, problem.Stopping},
		} {
			u := w.user()
			var ready atomic.Int64
			source := w.open(u, func() { ready.Add(1) })
			w.drain(u, source)
			ready.Store(0)
			c.end(u)
			if ready.Load() == 0 {
				t.Errorf("nobody was told of %s", c.code)
			}
			out, ok, err := source.Append(w.calls(u), []byte("x"))
			var shown *gqlerror.Error
			if ok || string(out) != "x" || !errors.As(err, &shown) || shown.Extensions["code"] != string(c.code) ||
				shown.Path.String() != "received" {
				t.Errorf("%s: Append gives %q, %v, %+v", c.code, out, ok, err)
			}
		}
	})
}

// A defect ends its subscription alone.
func TestSourceOutlivesAPanic(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		alice, bob := w.user(), w.user()
		w.mustSend(alice, bob)
		source := w.open(bob, func() {}).(*receivedSource)
		source.encoder = unique.Make(encoding{alias: "messageReceived", values: "\xff\xff\xff\x01"})
		out, ok, err := source.Append(w.calls(bob), []byte("x"))
		var shown *gqlerror.Error
		if ok || string(out) != "x" || !errors.As(err, &shown) || shown.Extensions["code"] != string(problem.Internal) {
			t.Errorf("Append gives %q, %v, %v", out, ok, err)
		}
		w.resolver.Mailboxes = panicking{w.mailboxes}
		if _, err := (Streams{w.resolver}).Open(w.calls(bob), w.operation(""), func() {}); problem.CodeOf(err) != problem.Internal {
			t.Errorf("Open gives %v", err)
		}
	})
}

type panicking struct{ Mailboxes }

func (panicking) Feed(context.Context, identity.DeviceID, *mailbox.Cursor, func()) (*mailbox.Feed, error) {
	panic("a defect")
}

// wire is a subscription as a transport holds it: in line for a worker, or not.
type wire struct {
	source stream.Source
	device *client
	// state is idle, waiting (in line, or with a worker), or told (something came meanwhile).
	state atomic.Int32
}

const (
	idle int32 = iota
	waiting
	told
)

// client is a device that reads over one wire after the other. The workers share it under mu.
type client struct {
	*user
	mu      sync.Mutex
	numbers []int64
	cursor  string
}

// pool is a transport: few workers that drain whatever wire has something.
type pool struct {
	*world
	line    chan *wire
	quit    chan struct{}
	got     atomic.Int64
	want    int64
	all     chan struct{}
	workers sync.WaitGroup
}

func newPool(w *world, workers int, want int64) *pool {
	p := &pool{world: w, line: make(chan *wire, 1<<12), quit: make(chan struct{}), want: want, all: make(chan struct{})}
	for range workers {
		p.workers.Go(func() {
			for {
				select {
				case x := <-p.line:
					p.serve(x)
				case <-p.quit:
					return
				}
			}
		})
	}
	return p
}

// connect opens a wire that goes on where the device is.
func (p *pool) connect(c *client) {
	x := &wire{device: c}
	x.state.Store(waiting)
	source, err := Streams{p.resolver}.Open(p.calls(c.user), p.operation(c.cursor), func() {
		if x.state.Swap(told) == idle {
			p.line <- x
		}
	})
	if err != nil {
		p.t.Errorf("Open: %v", err)
		return
	}
	x.source = source
	p.line <- x
}

// serve drains a wire. Now and then the device connects again, with or without closing the old wire before.
func (p *pool) serve(x *wire) {
	c := x.device
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		x.state.Store(waiting)
		for p.one(x) {
			if n := len(c.numbers); n%7 == 0 {
				if n%2 == 0 {
					x.source.Close()
				}
				p.connect(c)
				return
			}
		}
		if x.state.CompareAndSwap(waiting, idle) {
			return
		}
	}
}

// one takes one response.
func (p *pool) one(x *wire) bool {
	out, ok, err := x.source.Append(p.calls(x.device.user), nil)
	var shown *gqlerror.Error
	if err != nil && (!errors.As(err, &shown) || shown.Extensions["code"] != string(problem.Superseded)) {
		p.t.Errorf("Append: %v", err)
	}
	if !ok {
		return false
	}
	var r received
	if err := json.Unmarshal(out, &r); err != nil {
		p.t.Errorf("%s: %v", out, err)
	}
	x.device.numbers = append(x.device.numbers, r.Data.Received.ID&(1<<32-1))
	x.device.cursor = r.Data.Received.Cursor
	if p.got.Add(1) == p.want {
		close(p.all)
	}
	return true
}

func TestSourcesUnderLoadLoseNothingAndKeepOrder(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const devices, senders, count = 12, 4, 10
		p := newPool(w, 3, devices*senders*count)
		clients := make([]*client, devices)
		to := make([]*user, devices)
		for i := range clients {
			to[i] = w.user()
			clients[i] = &client{user: to[i]}
			clients[i].mu.Lock()
			p.connect(clients[i])
			clients[i].mu.Unlock()
		}
		var sending sync.WaitGroup
		for range senders {
			from := w.user()
			sending.Go(func() {
				for range count {
					if err := w.send(from, to...); err != nil {
						t.Errorf("send: %v", err)
					}
				}
			})
		}
		sending.Wait()
		select {
		case <-p.all:
		case <-time.After(patience):
			t.Errorf("%d of %d messages came", p.got.Load(), p.want)
		}
		close(p.quit)
		p.workers.Wait()
		for _, c := range clients {
			for i, n := range c.numbers {
				if n != int64(i+1) {
					t.Errorf("a device got %v", c.numbers)
					break
				}
			}
			if len(c.numbers) != senders*count {
				t.Errorf("a device got %d messages, want %d", len(c.numbers), senders*count)
			}
		}
	})
}
