package socket_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/letterlock/letterlock/internal/socket"
	"github.com/letterlock/letterlock/internal/stream"
)

const test = `{"data":{"name":"test"}}`

func next(id, payload string) string {
	return `{"id":"` + id + `","type":"next","payload":` + payload + `}`
}

// wantOnlyPong sends a ping and wants its answer to be the next that comes.
func (c *client) wantPong() {
	c.t.Helper()
	c.send(`{"type":"ping"}`)
	c.want(`{"type":"pong"}`)
}

func (c *client) closed() (int, string) {
	c.t.Helper()
	for {
		_ = c.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		_, _, err := c.conn.ReadMessage()
		var closed *websocket.CloseError
		if errors.As(err, &closed) {
			return closed.Code, closed.Text
		}
		if err != nil {
			c.t.Fatalf("ended without a close frame: %v", err)
		}
	}
}

func wantClosed(t *testing.T, s *source) {
	t.Helper()
	select {
	case <-s.closed:
	case <-time.After(10 * time.Second):
		t.Fatal("the source was not closed")
	}
}

func TestSourceSendsWhatItHas(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial(t)
	s := r.subscribe(c, `a\"ü`)
	s.put(1)
	c.want(next(`a\"ü`, test))
	s.put(3)
	s.ready() // once too often
	for range 3 {
		c.want(next(`a\"ü`, test))
	}
	c.wantPong()
}

// Whatever the size of a message, its frame is well-formed, also among others.
func TestSourceSendsAllSizes(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial(t)
	s := r.subscribe(c, "1")
	around := len(next("1", `{"data":""}`))
	for _, size := range []int{around, 124, 125, 126, 127, 4_095, 4_096, 65_535, 65_536, 65_537, 300_000} {
		payload := `{"data":"` + strings.Repeat("x", size-around) + `"}`
		s.set(func() { s.payload, s.waiting = payload, 3 })
		for range 3 {
			if got := c.receive(); got != next("1", payload) {
				t.Fatalf("size %d: received %d bytes", size, len(got))
			}
		}
	}
}

func TestSourceEndsWithAnError(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial(t)
	for _, end := range []struct {
		err  error
		want string
	}{
		{&gqlerror.Error{Message: "superseded", Extensions: map[string]any{"code": "SUPERSEDED"}}, `[{"message":"superseded","extensions":{"code":"SUPERSEDED"}}]`},
		{errors.New("secret"), ""},
	} {
		s := r.subscribe(c, "1")
		s.set(func() { s.waiting, s.err = 2, end.err })
		c.want(next("1", test))
		c.want(next("1", test))
		m := c.receive()
		if !strings.HasPrefix(m, `{"id":"1","type":"error","payload":[{"message":`) || !strings.Contains(m, end.want) || strings.Contains(m, "secret") {
			t.Errorf("%s", m)
		}
		wantClosed(t, s)
		s.put(1)
		c.wantPong() // nothing follows, and the id is free
	}
}

// A source may have its socket closed once the client has read why.
func TestSourceThatEndsItsSocket(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial(t)
	s, other := r.subscribe(c, "1"), r.subscribe(c, "2")
	s.set(func() { s.forbids, s.err = true, &gqlerror.Error{Message: "removed"} })
	c.want(`{"id":"1","type":"error","payload":[{"message":"removed"}]}`)
	if code, reason := c.closed(); code != socket.CloseForbidden || reason != "removed" {
		t.Errorf("closed with %d %q", code, reason)
	}
	wantClosed(t, other)
}

func TestSourceThatCannotBeOpened(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial(t)
	subscribe := func(name string) string {
		c.send(`{"id":"1","type":"subscribe","payload":{"operationName":"` + name + `","query":"subscription ` + name + ` { name }"}}`)
		return c.receive()
	}
	// As the executor says it of a resolver that fails.
	if m := subscribe("Refused"); !strings.HasPrefix(m, `{"id":"1","type":"next","payload":{"errors":[{"message":`) ||
		!strings.HasSuffix(m, `"data":null}}`) || strings.Contains(m, "secret") {
		t.Errorf("%s", m)
	}
	if m := c.receive(); m != `{"id":"1","type":"complete"}` {
		t.Errorf("%s", m)
	}
	if m := subscribe("Defect"); !strings.HasPrefix(m, `{"id":"1","type":"error","payload":[{"message":`) || strings.Contains(m, "secret") {
		t.Errorf("%s", m)
	}
	c.wantPong()
}

// A defect of a source ends its subscription and nothing else.
func TestSourceWithADefect(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial(t)
	broken, sound := r.subscribe(c, "1"), r.subscribe(c, "2")
	broken.set(func() { broken.defect = true })
	var m struct {
		ID, Type string
		Payload  []struct{ Extensions map[string]any }
	}
	if err := json.Unmarshal([]byte(c.receive()), &m); err != nil || m.ID != "1" || m.Type != "error" || m.Payload[0].Extensions["code"] != "INTERNAL" {
		t.Errorf("%+v, %v", m, err)
	}
	wantClosed(t, broken)
	sound.put(1)
	c.want(next("2", test))
}

// Once the server has read «complete» it says nothing more of the operation, whose id may name another one.
func TestCompletedSourceIsSilent(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial(t)
	for range 20 {
		s := r.subscribe(c, "1")
		s.set(func() { s.endless = true })
		c.want(next("1", test))
		c.send(`{"id":"1","type":"complete"}`)
		c.send(`{"type":"ping"}`)
		for m := c.receive(); m != `{"type":"pong"}`; m = c.receive() {
			if m != next("1", test) {
				t.Fatal(m)
			}
		}
		wantClosed(t, s)
		again := r.subscribe(c, "1")
		c.wantPong()
		again.set(func() { again.payload, again.waiting = `{"data":"other"}`, 1 })
		c.want(next("1", `{"data":"other"}`))
		c.send(`{"id":"1","type":"complete"}`)
		wantClosed(t, again)
	}
}

// While a source reads the store, the socket answers.
func TestAnswersPassByASlowSource(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial(t)
	s := r.subscribe(c, "1")
	reading := make(chan struct{})
	s.set(func() { s.waiting, s.entering = 1, reading })
	c.send(`{"id":"2","type":"subscribe","payload":{"query":"{ name }"}}`)
	c.want(next("2", test))
	c.want(`{"id":"2","type":"complete"}`)
	c.wantPong()
	close(reading)
	c.want(next("1", test))
	// And one that is completed while it reads is let go of.
	s.set(func() { s.waiting, s.entering = 1, make(chan struct{}) })
	c.send(`{"id":"1","type":"complete"}`)
	wantClosed(t, s)
	c.wantPong()
}

func TestManyOperationsAtOnce(t *testing.T) {
	const each = 500
	r := newRig(t, nil)
	c := r.dial(t)
	counts := map[string]int{}
	for i := range 32 {
		id := fmt.Sprintf("s%d", i)
		s := r.subscribe(c, id)
		go s.set(func() { s.numbered, s.waiting = true, each })
		counts[id] = 0
	}
	for i := range 32 {
		c.send(fmt.Sprintf(`{"id":"q%d","type":"subscribe","payload":{"query":"{ name }"}}`, i))
	}
	answered := 0
	for received := 0; received < 32*each+32; received++ {
		var m struct {
			ID, Type string
			Payload  struct{ Data json.RawMessage }
		}
		if err := json.Unmarshal([]byte(c.receive()), &m); err != nil {
			t.Fatal(err)
		}
		switch n, subscribed := counts[m.ID]; {
		case m.Type == "complete":
			answered++
			received--
		case subscribed && string(m.Payload.Data) != fmt.Sprint(n):
			t.Fatalf("%s: %s after %d", m.ID, m.Payload.Data, n)
		case subscribed:
			counts[m.ID]++
		}
	}
	for ; answered < 32; answered++ {
		if m := c.receive(); !strings.Contains(m, `"complete"`) {
			t.Fatal(m)
		}
	}
}

// A client that reads late gets everything, in order; meanwhile its sources are not asked.
func TestLateReaderGetsEverything(t *testing.T) {
	const messages, size = 20_000, 1_000
	r := newRig(t, nil)
	c := r.dial(t)
	sources := []*source{r.subscribe(c, "0"), r.subscribe(c, "1")}
	for _, s := range sources {
		s.set(func() { s.numbered, s.padding, s.waiting = true, strings.Repeat(" ", size), messages })
	}
	waitFor(t, "the sources to be at rest", func() bool {
		before := sources[0].given() + sources[1].given()
		time.Sleep(50 * time.Millisecond)
		return sources[0].given()+sources[1].given() == before
	})
	if given := sources[0].given() + sources[1].given(); given == 2*messages {
		t.Errorf("all was asked for though nobody reads")
	}
	if queued := r.sockets.Queued(); queued == 0 || queued > 200_000 {
		t.Errorf("%d bytes wait, as it is said", queued)
	}
	seen := [2]int{}
	for range 2 * messages {
		var m struct {
			ID      string
			Payload struct{ Data int }
		}
		if err := json.Unmarshal([]byte(c.receive()), &m); err != nil {
			t.Fatal(err)
		}
		i := int(m.ID[0] - '0')
		if m.Payload.Data != seen[i] {
			t.Fatalf("%s: %d after %d", m.ID, m.Payload.Data, seen[i])
		}
		seen[i]++
	}
	waitFor(t, "nothing to wait", func() bool { return r.sockets.Queued() == 0 })
	if slow := r.sockets.Slow(); slow != 0 {
		t.Errorf("%d sockets were too slow, it is said", slow)
	}
}

// A client that stops to read costs little memory, is told to come back if it wakes up in time, and else cut off.
func TestReaderThatStops(t *testing.T) {
	const size = 1_000
	for _, wakes := range []bool{true, false} {
		r := newRig(t, func(o *socket.Options) { o.WriteTimeout = 400 * time.Millisecond })
		c := r.dial(t)
		s := r.subscribe(c, "1")
		s.set(func() { s.numbered, s.padding, s.endless = true, strings.Repeat(" ", size), true })
		wantClosed(t, s) // which means that the server has lost patience
		if !wakes {
			waitFor(t, "the socket to be cut off", func() bool { return r.sockets.Open() == 0 })
			wantGivenUp(t, r)
			continue
		}
		received := 0
		for {
			_ = c.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
			_, text, err := c.conn.ReadMessage()
			var closed *websocket.CloseError
			if errors.As(err, &closed) {
				if closed.Code != socket.CloseTryLater {
					t.Errorf("closed with %d %q", closed.Code, closed.Text)
				}
				break
			}
			if err != nil || !strings.HasPrefix(string(text), `{"id":"1","type":"next","payload":{"data":`+fmt.Sprint(received)) {
				t.Fatalf("%.60s, %v after %d", text, err, received)
			}
			received++
		}
		if lost := (s.given() - received) * size; lost > 200_000 {
			t.Errorf("%d bytes were waiting", lost)
		}
		wantGivenUp(t, r)
	}
}

// wantGivenUp wants one socket counted as slow, and nothing of it as waiting.
func wantGivenUp(t *testing.T, r *rig) {
	t.Helper()
	waitFor(t, "nothing to wait", func() bool { return r.sockets.Queued() == 0 })
	if slow := r.sockets.Slow(); slow != 1 {
		t.Errorf("%d sockets were too slow, it is said", slow)
	}
}

func TestGoneClientClosesItsSources(t *testing.T) {
	r := newRig(t, nil)
	for _, goes := range []func(*client){
		func(c *client) { _ = c.conn.NetConn().Close() },
		func(c *client) {
			_ = c.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(1000, ""), time.Now().Add(time.Second))
		},
	} {
		c := r.dial(t)
		quiet, busy := r.subscribe(c, "1"), r.subscribe(c, "2")
		busy.set(func() { busy.endless = true })
		c.receive()
		goes(c)
		wantClosed(t, quiet)
		wantClosed(t, busy)
		waitFor(t, "the socket to be forgotten", func() bool { return r.sockets.Open() == 0 })
	}
}

// Operations that the executor has to serve stand beside those of sources.
func TestExecutorServesTheRest(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial(t)
	c.send(`{"id":"1","type":"subscribe","payload":{"operationName":"Executor","query":"subscription Executor { name }"}}`)
	for range 3 {
		r.schema.SendNextSubscriptionMessage()
		c.want(next("1", test))
	}
	r.schema.SendCompleteSubscriptionMessage()
	c.want(`{"id":"1","type":"complete"}`)
	c.send(`{"id":"1","type":"subscribe","payload":{"query":"mutation { name }"}}`)
	c.want(next("1", `{"errors":[{"message":"mutations are not supported"}],"data":null}`))
	c.want(`{"id":"1","type":"complete"}`)
	c.send(`{"id":"1","type":"subscribe","payload":{"query":"{ nonsense }"}}`)
	if m := c.receive(); !strings.HasPrefix(m, `{"id":"1","type":"error","payload":[{"message":`) {
		t.Error(m)
	}
	c.wantPong()
}

// A resolver fails while the client ends its subscription: on a legacy socket, where gqlgen says what it failed with, too.
func TestSubscriptionFailsAsItsClientEndsIt(t *testing.T) {
	for range 20 {
		r := newRig(t, nil)
		contexts := make(chan context.Context, 2)
		r.begins = func(ctx context.Context) { contexts <- ctx }
		c, start := legacyClient(t, r)
		c.send(`{"id":"1","type":"` + start + `","payload":{"query":"` + subscription + `"}}`)
		ctx := <-contexts
		c.send(`{"id":"1","type":"stop"}`)
		<-ctx.Done()
		stream.Fail(ctx, gqlerror.Errorf("the resolver failed"))
		c.send(`{"id":"1","type":"` + start + `","payload":{"query":"{ name }"}}`)
		c.want(`{"payload":{"data":{"name":"test"}},"id":"1","type":"data"}`)
		c.want(`{"id":"1","type":"complete"}`)
	}
}

// The server stops when the guard has seen all answers fetched. They must be on their way before the close frame.
func TestAnswerComesBeforeTheEnd(t *testing.T) {
	r := newRig(t, nil)
	c := r.dial(t)
	heard := make(chan struct{})
	r.atEnd = func() {
		go r.sockets.Stop(t.Context())
		<-heard
	}
	c.send(`{"id":"1","type":"subscribe","payload":{"query":"{ name }"}}`)
	c.want(next("1", test))
	if code, _ := c.closed(); code != socket.CloseRestart {
		t.Errorf("closed with %d", code)
	}
	close(heard)
}

// An idle socket is one goroutine, also with a subscription; one more sweeps for all.
func TestIdleSocketIsOneGoroutine(t *testing.T) {
	const sockets = 200
	r := newRig(t, nil)
	before := runtime.NumGoroutine()
	for range sockets {
		c := r.dial(t)
		s := r.subscribe(c, "1")
		s.put(1)
		c.receive()
	}
	waitFor(t, "the goroutines to be as many as the sockets", func() bool { return runtime.NumGoroutine() <= before+sockets+1 })
}

func TestDefectInInitIsClosed1011(t *testing.T) {
	r := newRig(t, func(o *socket.Options) { o.Init = nil })
	dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}}
	conn, _, err := dialer.DialContext(t.Context(), "ws://"+r.addr+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	c := &client{t: t, conn: conn}
	c.send(`{"type":"connection_init"}`)
	if code, reason := c.closed(); code != socket.CloseDefect {
		t.Errorf("closed with %d %q", code, reason)
	}
}

// A client that asks and never reads is not read any more, so that its answers take no memory.
func TestPingsOfOneWhoNeverReads(t *testing.T) {
	r := newRig(t, func(o *socket.Options) { o.WriteTimeout = 200 * time.Millisecond })
	c := r.dial(t)
	ping := []byte(`{"type":"ping","payload":{"text":"` + strings.Repeat("x", 50_000) + `"}}`)
	_ = c.conn.SetWriteDeadline(time.Now().Add(10 * time.Second))
	for err := error(nil); err == nil; err = c.conn.WriteMessage(websocket.TextMessage, ping) {
		if r.sockets.Open() == 0 {
			break
		}
	}
	waitFor(t, "the socket to be cut off", func() bool { return r.sockets.Open() == 0 })
}

// clog has so much sent to a client, which must not read, that nothing more goes out.
func (r *rig) clog(c *client) {
	c.t.Helper()
	full := r.subscribe(c, "full")
	full.set(func() { full.numbered, full.padding, full.endless = true, strings.Repeat(" ", 1<<20), true })
	waitFor(c.t, "nothing more to go out", func() bool {
		before := full.given()
		time.Sleep(50 * time.Millisecond)
		return before > 0 && before == full.given()
	})
}

// A client that reads nothing and begins and ends subscriptions, over and over, has the server remember none that have ended.
func TestEndedSubscriptionsWaitForNoRoom(t *testing.T) {
	const ended, most = 1000, 100 // and bytes that each may leave behind
	r := newRig(t, nil)
	c := r.dial(t)
	r.clog(c)
	again := func(times int) {
		for i := range times {
			id := fmt.Sprintf("%0128d", i)
			s := r.subscribe(c, id)
			c.send(`{"id":"` + id + `","type":"complete"}`)
			<-s.closed
		}
	}
	again(100)
	before := heap()
	again(ended)
	if after := heap(); after > before+ended*most {
		t.Errorf("%d subscriptions that have ended keep %d bytes", ended, after-before)
	}
}

// A query does not wait for ever for a store that does not answer, whatever its client does. Subscriptions last.
func TestQueriesOnSocketsEndInTime(t *testing.T) {
	for _, protocol := range []string{"modern", "legacy"} {
		t.Run(protocol, func(t *testing.T) {
			r := newRig(t, func(o *socket.Options) { o.Timeout = 50 * time.Millisecond })
			lasts := make(chan bool, 1)
			r.begins = func(ctx context.Context) {
				_, ends := ctx.Deadline()
				if lasts <- !ends; ends {
					<-ctx.Done()
				}
			}
			start, dial := "subscribe", r.dial
			if protocol == "legacy" {
				dial = func(testing.TB) (c *client) {
					c, start = legacyClient(t, r)
					return c
				}
			}
			client := dial(t)
			client.send(`{"id":"1","type":"` + start + `","payload":{"query":"{ name }"}}`)
			if <-lasts {
				t.Fatal("a query has no deadline")
			}
			if answer := client.receive(); !strings.Contains(answer, `"id":"1"`) {
				t.Errorf("the answer is %s", answer)
			}
			client.send(`{"id":"2","type":"` + start + `","payload":{"query":"subscription Executor { name }","operationName":"Executor"}}`)
			if !<-lasts {
				t.Error("a subscription has a deadline")
			}
		})
	}
}

// Nor does one that comes as an event stream.
func TestQueriesOnEventStreamsEndInTime(t *testing.T) {
	r := newRig(t, func(o *socket.Options) { o.Timeout = 50 * time.Millisecond })
	r.begins = func(ctx context.Context) {
		if _, ends := ctx.Deadline(); !ends {
			t.Error("a query has no deadline")
			return
		}
		<-ctx.Done()
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+r.addr+"/", strings.NewReader(`{"query":"{ name }"}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "text/event-stream")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if text, err := io.ReadAll(response.Body); err != nil || !strings.Contains(string(text), "event: complete") {
		t.Errorf("the stream says %s, %v", text, err)
	}
}

// A client that reads nothing and asks what is refused, over and over, has the server keep no more answers than of a few questions.
func TestRefusalsWaitForRoom(t *testing.T) {
	for name, refused := range map[string]string{
		"by the parser": `{"query":"{"}`, "by the source": `{"query":"subscription Refused { name }","operationName":"Refused"}`,
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil)
			c := r.dial(t)
			r.clog(c)
			before := r.sockets.Queued()
			_ = c.conn.SetWriteDeadline(time.Now().Add(2 * time.Second)) // The server may cease to read.
			for i := range 5000 {
				message := fmt.Sprintf(`{"id":"%d","type":"subscribe","payload":%s}`, i, refused)
				if c.conn.WriteMessage(websocket.TextMessage, []byte(message)) != nil {
					break
				}
			}
			var most int64
			for range 20 {
				time.Sleep(10 * time.Millisecond)
				most = max(most, r.sockets.Queued()-before)
			}
			if most > 64<<10 {
				t.Errorf("%d bytes of answers wait", most)
			}
		})
	}
}

// heap gives how many bytes are in use.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
