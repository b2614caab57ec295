package socket_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/gorilla/websocket"

	"github.com/letterlock/letterlock/internal/socket"
)

// Many come at once: never more than a few tokens are looked at together, and all get in.
func TestFewSocketsAreOpenedAtOnce(t *testing.T) {
	const most, crowd = 3, 60
	var inside, tooMany atomic.Int64
	turns := make(chan struct{})
	r := newRig(t, func(o *socket.Options) {
		o.MaxOpening = most
		o.Init = func(ctx context.Context, _ transport.InitPayload) (context.Context, error) {
			if inside.Add(1) > most {
				tooMany.Add(1)
			}
			<-turns
			inside.Add(-1)
			return ctx, nil
		}
	})
	results := make(chan error, crowd)
	for range crowd {
		go func() { results <- r.enter(t) }()
	}
	for range crowd {
		turns <- struct{}{}
	}
	for range crowd {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if n := tooMany.Load(); n > 0 {
		t.Errorf("%d times more than %d tokens were looked at at once", n, most)
	}
}

// enter is dial for goroutines of a test.
func (r *rig) enter(t testing.TB) error {
	c, response, err := r.connect(t)
	if response != nil {
		defer func() { _ = response.Body.Close() }()
	}
	if err != nil {
		return err
	}
	if err := c.conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"connection_init"}`)); err != nil {
		return err
	}
	_, text, err := c.conn.ReadMessage()
	if err == nil && string(text) != `{"type":"connection_ack"}` {
		err = errors.New("received " + string(text))
	}
	return err
}

// Who waits to be let in by a server that stops is told so at once, as is who comes.
func TestAStoppingServerLetsNobodyWait(t *testing.T) {
	held, release := make(chan struct{}), make(chan struct{})
	r := newRig(t, func(o *socket.Options) {
		o.MaxOpening = 1
		o.Init = func(ctx context.Context, _ transport.InitPayload) (context.Context, error) {
			close(held)
			<-release
			return ctx, nil
		}
	})
	entered := make(chan error, 1)
	go func() { entered <- r.enter(t) }()
	<-held
	refused := make(chan string)
	go func() {
		_, response, err := r.connect(t)
		if err == nil || response == nil {
			refused <- "the socket was opened"
			return
		}
		defer func() { _ = response.Body.Close() }()
		body, _ := io.ReadAll(response.Body)
		refused <- http.StatusText(response.StatusCode) + ": " + string(body)
	}()
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		r.sockets.Stop(context.Background())
	}()
	if said := <-refused; !strings.HasPrefix(said, "Service Unavailable") || !strings.Contains(said, `"STOPPING"`) {
		t.Errorf("who waited got %q", said)
	}
	close(release)
	<-stopped
	if err := <-entered; err != nil && !websocket.IsCloseError(err, socket.CloseRestart) {
		t.Errorf("who was being let in: %v", err)
	}
}

// Whose subscription gqlgen serves waits as well: those of legacy sockets, and event streams.
func TestSubscriptionsOfTheExecutorWaitForTheirTurn(t *testing.T) {
	for name, begin := range map[string]func(t *testing.T, r *rig) (subscribe func()){
		"legacy socket": legacySubscriber, "event stream": streamSubscriber,
	} {
		t.Run(name, func(t *testing.T) {
			held, release := make(chan struct{}), make(chan struct{})
			began := make(chan struct{})
			var holding, released atomic.Bool
			r := newRig(t, func(o *socket.Options) {
				o.MaxOpening = 1
				o.Init = func(ctx context.Context, _ transport.InitPayload) (context.Context, error) {
					if holding.Load() {
						close(held)
						<-release
					}
					return ctx, nil
				}
			})
			r.begins = func(context.Context) {
				if !released.Load() {
					t.Error("a subscription began while somebody was being let in")
				}
				close(began)
			}
			subscribe := begin(t, r)
			holding.Store(true)
			entered := make(chan error, 1)
			go func() { entered <- r.enter(t) }()
			<-held
			subscribe()
			released.Store(true)
			close(release)
			<-began
			if err := <-entered; err != nil {
				t.Error(err)
			}
		})
	}
}

// legacySubscriber opens a legacy socket.
func legacySubscriber(t *testing.T, r *rig) (subscribe func()) {
	c, _ := legacyClient(t, r)
	return func() {
		c.send(`{"id":"1","type":"start","payload":{"query":"` + subscription + `"}}`)
		c.send(`{"id":"2","type":"start","payload":{"query":"{ nonsense }"}}`)
		if said := c.receive(); !strings.Contains(said, "nonsense") { // So the first message was looked at, and keeps nobody waiting.
			t.Errorf("received %s", said)
		}
	}
}

// streamSubscriber asks for an event stream.
func streamSubscriber(t *testing.T, r *rig) (subscribe func()) {
	return func() {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+r.addr+"/", strings.NewReader(`{"query":"`+subscription+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Accept", "text/event-stream")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = response.Body.Close() })
	}
}
