package client_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/letterlock/letterlock/client"
	"github.com/letterlock/letterlock/internal/limits"
	"github.com/letterlock/letterlock/internal/testserver"
)

// pingRelay passes on what a client and the server say on sockets, but for what it answers itself.
type pingRelay struct {
	t      *testing.T
	middle *middle
	pongs  chan string // pongs with a payload, and the client has them
	pings  chan string // pings with a token
}

// newPingRelay starts a server behind a relay. Both go by a clock, and so do the clients of options.
func newPingRelay(t *testing.T) (r *pingRelay, clock *wrongBy, options func(*client.Options)) {
	t.Helper()
	clock = new(wrongBy)
	r = &pingRelay{t: t, pongs: make(chan string, 100), pings: make(chan string, 100)}
	r.middle = newMiddle(t, func(o *testserver.Options) {
		o.Now = clock.now
		o.Limits = func(l *limits.Limits) { l.PingInterval = 100 * time.Millisecond }
	})
	r.answers(nil)
	return r, clock, func(o *client.Options) {
		clock.options(o)
		client.PingEvery(o, 5*time.Millisecond)
	}
}

// answers sets what answers pings with a token, on sockets that open from now on; with nothing to say it leaves that to the server.
func (r *pingRelay) answers(answer func(ping []byte) string) {
	r.middle.on(func(operation string, w http.ResponseWriter, req *http.Request, _ http.Handler) bool {
		if operation != "socket" {
			return false
		}
		r.serve(w, req, answer)
		return true
	})
}

func (r *pingRelay) serve(w http.ResponseWriter, req *http.Request, answer func([]byte) string) {
	protocol := []string{testserver.Modern}
	dialer := websocket.Dialer{Subprotocols: protocol}
	server, response, err := dialer.DialContext(req.Context(), "ws://"+r.middle.target.Load().Host+"/graphql", nil)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer func() { _, _ = server.Close(), response.Body.Close() }()
	upgrader := websocket.Upgrader{Subprotocols: protocol}
	device, err := upgrader.Upgrade(w, req, nil)
	if err != nil {
		return
	}
	defer func() { _ = device.Close() }()
	back := make(chan string, 100)
	ended := make(chan struct{})
	go r.forth(device, server, answer, back, ended)
	r.back(server, device, back, ended)
}

// forth passes on what the device says.
func (r *pingRelay) forth(device, server *websocket.Conn, answer func([]byte) string, back chan<- string, ended chan<- struct{}) {
	defer close(ended)
	for {
		_, text, err := device.ReadMessage()
		if err != nil {
			_ = server.Close()
			return
		}
		if bytes.Contains(text, []byte(`"ping"`)) && bytes.Contains(text, []byte("Bearer ")) {
			r.pings <- string(text)
			if answer != nil {
				if pong := answer(text); pong != "" {
					back <- pong
					continue
				}
			}
		}
		if server.WriteMessage(websocket.TextMessage, text) != nil {
			return
		}
	}
}

// back passes on what the server says, and at its end why.
func (r *pingRelay) back(server, device *websocket.Conn, back <-chan string, ended <-chan struct{}) {
	said := make(chan []byte)
	closed := make(chan error, 1)
	go func() {
		for {
			_, text, err := server.ReadMessage()
			if err != nil {
				closed <- err
				return
			}
			select {
			case said <- text:
			case <-ended:
				return
			}
		}
	}()
	for {
		select {
		case text := <-said:
			_ = device.WriteMessage(websocket.TextMessage, text)
			if bytes.Contains(text, []byte(`"pong"`)) {
				r.pongs <- string(text)
			}
		case pong := <-back:
			_ = device.WriteMessage(websocket.TextMessage, []byte(pong))
		case err := <-closed:
			code := websocket.CloseGoingAway
			if end, ok := err.(*websocket.CloseError); ok { //nolint:errorlint // gorilla gives it as it is
				code = end.Code
			}
			_ = device.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Now().Add(patience))
			return
		case <-ended:
			return
		}
	}
}

func (r *pingRelay) renewed() {
	r.t.Helper()
	select {
	case pong := <-r.pongs:
		if !strings.Contains(pong, `{"renewed":true}`) {
			r.t.Fatalf("pong %s", pong)
		}
	case <-time.After(patience):
		r.t.Fatal("the token is not renewed")
	}
}

// A Listen stays on one socket for as long as it likes: the token is renewed on it, well before its end.
func TestListenRenewsItsToken(t *testing.T) {
	relay, clock, options := newPingRelay(t)
	alice, bob := person(t, relay.middle.URL, clock.options), person(t, relay.middle.URL, options)
	listener := listen(t, bob)
	send(t, alice, bob.UserID(), "begin")
	listener.text("begin")
	for range 6 {
		clock.off.Add(int64(7 * time.Minute))
		relay.renewed()
		send(t, alice, bob.UserID(), "go on")
		listener.text("go on")
	}
	if n := relay.middle.count("socket"); n != 1 {
		t.Errorf("%d sockets were opened", n)
	}
	if n := len(relay.pings); n != 6 {
		t.Errorf("%d tokens were sent for 6 renewals", n)
	}
	listener.stop()
}

// Where the server could not look at the token, the next ping has one again.
func TestListenRenewsAgainWhenTheServerCouldNot(t *testing.T) {
	relay, clock, options := newPingRelay(t)
	asked := 0
	relay.answers(func([]byte) string {
		if asked++; asked <= 3 {
			return `{"type":"pong","payload":{"renewed":false}}`
		}
		return ""
	})
	alice, bob := person(t, relay.middle.URL, clock.options), person(t, relay.middle.URL, options)
	listener := listen(t, bob)
	send(t, alice, bob.UserID(), "begin")
	listener.text("begin")
	clock.set(7 * time.Minute)
	relay.renewed()
	clock.set(13 * time.Minute)
	send(t, alice, bob.UserID(), "go on")
	listener.text("go on")
	if n := relay.middle.count("socket"); n != 1 {
		t.Errorf("%d sockets were opened", n)
	}
	listener.stop()
}

// Where no renewal gets through the server ends the socket with the token. A Listen comes back with a new one, and has each message
// once. So it is with a server that knows of no renewals.
func TestListenComesBackWhenItsTokenHasEnded(t *testing.T) {
	relay, clock, options := newPingRelay(t)
	relay.answers(func(ping []byte) string { return strings.Replace(string(ping), `"ping"`, `"pong"`, 1) })
	alice, bob := person(t, relay.middle.URL, clock.options), person(t, relay.middle.URL, options)
	listener := listen(t, bob)
	send(t, alice, bob.UserID(), "1")
	listener.text("1")
	for sockets, text := range []string{"2", "3"} {
		clock.off.Add(int64(10 * time.Minute))
		send(t, alice, bob.UserID(), text)
		listener.text(text)
		if n := relay.middle.count("socket"); n != sockets+2 {
			t.Errorf("%d sockets were opened, want %d", n, sockets+2)
		}
	}
	listener.stop()
	equal(t, history(t, bob, alice.UserID()), []string{"1", "2", "3"})
}
