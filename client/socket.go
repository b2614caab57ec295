package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/letterlock/letterlock/client/internal/api"
)

const (
	subprotocol = "graphql-transport-ws"
	// maxFrame bounds one message of the socket; the longest envelope is below 100 KB.
	maxFrame = 256 << 10
	// dialTimeout bounds opening the socket, up to connection_ack.
	dialTimeout = 15 * time.Second
	// pingEvery is how often we show that we are alive; after silence of deadAfter the server counts as gone.
	pingEvery    = 15 * time.Second
	deadAfter    = 40 * time.Second
	writeTimeout = 10 * time.Second
	// closeForbidden is the close code for a token that is refused.
	closeForbidden = 4403
)

// socket is one subscription over graphql-transport-ws.
type socket struct {
	conn    *websocket.Conn
	renewal *renewal

	writing sync.Mutex
	ended   chan struct{}
	once    sync.Once
}

// frame is a message of the subprotocol.
type frame struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// subscribe opens a socket and subscribes to messageReceived behind a cursor. It ends with
// ctx, which has to end.
func (c *Client) subscribe(ctx context.Context, after string) (*socket, error) {
	opening, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	dialer := websocket.Dialer{
		Subprotocols: []string{subprotocol}, Proxy: http.ProxyFromEnvironment, HandshakeTimeout: dialTimeout,
		TLSClientConfig: c.options.TLS.Clone(),
	}
	conn, response, err := dialer.DialContext(opening, "ws"+strings.TrimPrefix(c.endpoint, "http"), nil)
	if response != nil && response.Body != nil {
		defer func() { _ = response.Body.Close() }() // Gorilla has read what there is.
	}
	if err != nil {
		return nil, notOpened(response, err)
	}
	s := &socket{conn: conn, ended: make(chan struct{})}
	context.AfterFunc(ctx, s.close)
	if err := s.open(ctx, c, after); err != nil {
		s.close()
		return nil, err
	}
	go s.keepAlive(ctx, c.options.pingEvery)
	return s, nil
}

// notOpened is why there is no socket: what the server says, if it has answered, such as when to come again.
func notOpened(response *http.Response, err error) error {
	if response == nil || response.Body == nil {
		return &unreachableError{err}
	}
	var failure *ServerError
	if said := readAnswer(response, nil); errors.As(said, &failure) && failure.transient() {
		return failure
	}
	return &unreachableError{err}
}

// open starts with the token in use, or a new one.
func (s *socket) open(ctx context.Context, c *Client, after string) error {
	token, madeAt, err := c.token(ctx)
	if err != nil {
		return err
	}
	s.renewal = newRenewal(c, madeAt)
	return s.start(token, after)
}

// start is connection_init, connection_ack, subscribe.
func (s *socket) start(token, after string) error {
	s.conn.SetReadLimit(maxFrame)
	s.conn.SetPongHandler(func(string) error { return s.alive() })
	s.conn.SetPingHandler(func(data string) error {
		_ = s.conn.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(writeTimeout)) // The next read finds out.
		return s.alive()
	})
	payload, err := credentials(token)
	if err != nil {
		return err
	}
	if err := s.write(frame{Type: "connection_init", Payload: payload}); err != nil {
		return err
	}
	first, err := s.read(dialTimeout)
	if err != nil {
		return err
	}
	if first.Type != "connection_ack" {
		return fmt.Errorf("%w: %q instead of connection_ack", ErrResponse, shorten(first.Type))
	}
	variables := map[string]any{}
	if after != "" {
		variables["after"] = after
	}
	operation, err := json.Marshal(map[string]any{
		"query": api.MessageReceived_Operation, "operationName": "MessageReceived", "variables": variables,
	})
	if err != nil {
		return err
	}
	return s.write(frame{ID: "1", Type: "subscribe", Payload: operation})
}

// next waits for the next envelope. It fails with a ServerError, an unreachableError or ErrResponse.
func (s *socket) next() (*api.EnvelopeFields, error) {
	for {
		f, err := s.read(deadAfter)
		if err != nil {
			return nil, err
		}
		switch f.Type {
		case "ping":
			if err := s.write(frame{Type: "pong"}); err != nil {
				return nil, err
			}
			continue
		case "pong":
			s.renewal.answered(f.Payload)
			continue
		}
		if envelope, err := f.envelope(); envelope != nil || err != nil {
			return envelope, err
		}
	}
}

// envelope gives what a frame of the subscription holds; nothing if it is of a kind that this client does not know.
func (f *frame) envelope() (*api.EnvelopeFields, error) {
	switch f.Type {
	case "next":
		var data api.MessageReceivedResponse
		if err := readPayload(f.Payload, &data); err != nil {
			return nil, err
		}
		return &data.MessageReceived, nil
	case "error":
		return nil, readErrors(f.Payload)
	case "complete":
		return nil, &unreachableError{errors.New("the server has ended the subscription")}
	}
	return nil, nil //nolint:nilnil // documented
}

// readErrors gives the first of the errors that a frame holds.
func readErrors(raw json.RawMessage) error {
	return readPayload([]byte(`{"errors":`+string(raw)+`}`), nil)
}

func parseFrame(text []byte) (f frame, err error) {
	if err := json.Unmarshal(text, &f); err != nil {
		return frame{}, fmt.Errorf("%w: a frame that is no JSON", ErrResponse)
	}
	return f, nil
}

func (s *socket) read(within time.Duration) (frame, error) {
	if err := s.conn.SetReadDeadline(time.Now().Add(within)); err != nil {
		return frame{}, &unreachableError{err}
	}
	_, text, err := s.conn.ReadMessage()
	if err != nil {
		return frame{}, &unreachableError{err}
	}
	return parseFrame(text)
}

func (s *socket) write(f frame) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return &unreachableError{err}
	}
	if err := s.conn.WriteJSON(f); err != nil {
		return &unreachableError{err}
	}
	return nil
}

func (s *socket) alive() error { return s.conn.SetReadDeadline(time.Now().Add(deadAfter)) }

// keepAlive sends pings until the socket is closed, some of them with a new token.
func (s *socket) keepAlive(ctx context.Context, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-s.ended:
			return
		case <-ticker.C:
			if s.ping(ctx) != nil {
				s.close()
				return
			}
		}
	}
}

func (s *socket) ping(ctx context.Context) error {
	if renewal, due := s.renewal.due(ctx); due {
		if err := s.write(renewal); err != nil {
			return err
		}
	}
	return s.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(writeTimeout))
}

// close ends the socket; a read under way fails.
func (s *socket) close() {
	s.once.Do(func() {
		close(s.ended)
		bye := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
		_ = s.conn.WriteControl(websocket.CloseMessage, bye, time.Now().Add(time.Second)) // Courtesy alone.
		_ = s.conn.Close()
	})
}

// refusedToken reports whether the server has closed the socket over the token.
func refusedToken(err error) bool {
	var closed *websocket.CloseError
	return !ofHandler(err) && errors.As(err, &closed) && closed.Code == closeForbidden ||
		codeOf(err) == "UNAUTHENTICATED"
}
