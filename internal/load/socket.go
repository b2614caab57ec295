package load

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

// socket is a device's WebSocket in the subprotocol graphql-transport-ws. It is a way.
type socket struct{ *line }

type frame struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// openSocket connects and authenticates. The handshake is gorilla's; what comes then is read by frames, in a buffer of this many bytes
// that grows where a frame needs it. from may be nil.
func openSocket(ctx context.Context, node *Node, p *Person, buffer int, from net.IP) (*socket, error) {
	dialer := websocket.Dialer{NetDialContext: dialerFrom(from).DialContext, Subprotocols: []string{"graphql-transport-ws"}, HandshakeTimeout: 30 * time.Second, ReadBufferSize: 512, WriteBufferSize: 512}
	conn, response, err := dialer.DialContext(ctx, "ws"+strings.TrimPrefix(node.URL, "http")+"/graphql", nil) //nolint:bodyclose // a hijacked connection
	if response != nil && errors.Is(err, websocket.ErrBadHandshake) {
		return nil, refusedBy(response)
	}
	if err != nil {
		return nil, err
	}
	in := &frames{window: window{buffer: make([]byte, buffer)}}
	s := &socket{newLine(ctx, conn.NetConn(), in)}
	in.pong = s.write
	if err := s.authenticate(node, p); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func dialerFrom(from net.IP) *net.Dialer {
	if from == nil {
		return &net.Dialer{}
	}
	return &net.Dialer{LocalAddr: &net.TCPAddr{IP: from}}
}

func (s *socket) authenticate(node *Node, p *Person) error {
	token, err := p.token(node)
	if err != nil {
		return err
	}
	if err := s.say(`{"type":"connection_init","payload":{"Authorization":"Bearer ` + token + `"}}`); err != nil {
		return err
	}
	message, err := s.read()
	if err != nil {
		return err
	}
	if f, err := parseFrame(message); err != nil || f.Type != "connection_ack" {
		return fmt.Errorf("no connection_ack: %s %w", message, err)
	}
	return nil
}

// say sends a message that is not prepared.
func (s *socket) say(message string) error {
	return s.write(append(frameHead(opText, len(message)), message...))
}

// wrap is way's.
func (*socket) wrap(body text) (text, error) {
	var t text
	t.fixed(`{"id":"`)
	t.spot(operation, operationText)
	t.fixed(`","type":"subscribe","payload":`)
	whole := body.behind(t.bytes)
	whole.spots[operation] = t.spots[operation]
	whole.fixed(`}`)
	return whole.behind(frameHead(opText, len(whole.bytes))), nil
}

// aside is way's: behind the answer comes the end of its operation.
func (*socket) aside(message []byte) bool { return isComplete(message) }

// payload is way's.
func (*socket) payload(id, answer []byte) ([]byte, error) {
	f, err := parseFrame(answer)
	if err != nil {
		return nil, err
	}
	if f.Type != "next" || f.ID != string(id) {
		return nil, fmt.Errorf("%s of operation %q instead of the answer to %q: %s", f.Type, f.ID, id, f.Payload)
	}
	return f.Payload, nil
}

// longestComplete is more than a complete message takes: {"id":"00000001","type":"complete"}, in any order of its members.
const longestComplete = 80

func isComplete(message []byte) bool {
	return len(message) <= longestComplete && bytes.Contains(message, []byte(`"type":"complete"`))
}

func parseFrame(message []byte) (f frame, err error) {
	if err := json.Unmarshal(message, &f); err != nil {
		return f, fmt.Errorf("a message that is no JSON: %w", err)
	}
	return f, nil
}
