package socket_test

import (
	"context"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/letterlock/letterlock/internal/socket"
)

// Some are sent away, the others go on, and who comes is let in: the server works as long as it does so.
func TestShedClosesAShareOfTheSockets(t *testing.T) {
	const all, oneOf = 10, 5
	r := newRig(t, nil)
	clients := make([]*client, all)
	for i := range clients {
		clients[i] = r.dial(t)
		r.subscribe(clients[i], "1")
	}
	r.sockets.Shed(oneOf)
	closed := make(chan bool, all)
	for _, c := range clients {
		go func() { closed <- c.closedOrAnswers() }()
	}
	n := 0
	for range clients {
		if <-closed {
			n++
		}
	}
	if n != all/oneOf {
		t.Errorf("%d of %d were closed", n, all)
	}
	r.dial(t)
}

// closedOrAnswers asks something. It is true if the socket is closed with 1012, and false if the answer comes.
func (c *client) closedOrAnswers() bool {
	_ = c.conn.WriteMessage(websocket.TextMessage, []byte(`{"id":"2","type":"subscribe","payload":{"query":"{ nonsense }"}}`))
	_ = c.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	_, text, err := c.conn.ReadMessage()
	switch {
	case err == nil:
		return false
	case !websocket.IsCloseError(err, socket.CloseRestart):
		c.t.Errorf("%s %v", text, err)
	}
	return true
}

// Who waits for an answer gets it.
func TestShedLeavesSocketsThatAreOwedAnAnswer(t *testing.T) {
	for name, connect := range map[string]func(*testing.T, *rig) (*client, string){"modern": modernClient, "legacy": legacyClient} {
		t.Run(name, func(t *testing.T) {
			begun, release := make(chan struct{}), make(chan struct{})
			r := newRig(t, nil)
			r.begins = func(context.Context) {
				begun <- struct{}{}
				<-release
			}
			c, start := connect(t, r)
			c.send(`{"id":"1","type":"` + start + `","payload":{"query":"{ name }"}}`)
			<-begun
			r.sockets.Shed(1)
			close(release)
			if said := c.receive(); said == "" {
				t.Error("nothing was said")
			}
			c.wantShed(r)
		})
	}
}

// A legacy socket with nothing but a subscription is owed none.
func TestShedClosesLegacySubscribers(t *testing.T) {
	begun := make(chan struct{}, 1)
	r := newRig(t, nil)
	r.begins = func(context.Context) { begun <- struct{}{} }
	c, start := legacyClient(t, r)
	c.send(`{"id":"1","type":"` + start + `","payload":{"query":"` + subscription + `"}}`)
	<-begun
	c.wantShed(r)
}

// wantShed sheds until the socket, which is owed nothing any more, is closed with 1012.
func (c *client) wantShed(r *rig) {
	c.t.Helper()
	closed := make(chan error, 1)
	_ = c.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	go func() {
		for {
			if _, _, err := c.conn.ReadMessage(); err != nil {
				closed <- err
				return
			}
		}
	}()
	for {
		r.sockets.Shed(1)
		select {
		case err := <-closed:
			if !websocket.IsCloseError(err, socket.CloseRestart) {
				c.t.Errorf("closed with %v", err)
			}
			return
		case <-time.After(time.Millisecond):
		}
	}
}

// modernClient gives a client of the subprotocol of today, and how operations start there.
func modernClient(t *testing.T, r *rig) (*client, string) { return r.dial(t), "subscribe" }

// legacyClient is modernClient for the other subprotocol.
func legacyClient(t *testing.T, r *rig) (*client, string) {
	dialer := websocket.Dialer{Subprotocols: []string{"graphql-ws"}}
	conn, response, err := dialer.DialContext(t.Context(), "ws://"+r.addr+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	t.Cleanup(func() { _ = conn.Close() })
	c := &client{t: t, conn: conn}
	c.send(`{"type":"connection_init"}`)
	c.want(`{"type":"connection_ack"}`)
	c.want(`{"type":"ka"}`)
	return c, "start"
}
