package drive

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/gorilla/websocket"

	"github.com/letterlock/letterlock/soak/internal/history"
)

// silence is how long a reader waits for any sign of life; the servers give one each second.
const silence = 5 * time.Second

type frame struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// listen opens a subscription and reads until it ends or the device feels like hanging up.
func (d *device) listen(ctx context.Context, after int64) error {
	dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}, HandshakeTimeout: d.world.CallTimeout}
	conn, _, err := dialer.DialContext(ctx, "ws://"+d.node()+"/graphql", nil) //nolint:bodyclose // a hijacked connection
	if err != nil {
		return errUnanswered
	}
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	defer func() { _ = conn.Close() }()
	reading, cursor := d.begin(after)
	defer func() { d.log(history.Event{Kind: history.Closed, Reading: reading}) }()
	if err := d.subscribe(conn, cursor); err != nil {
		return err
	}
	for stay := 1 + d.number(longestStay); stay > 0; {
		_ = conn.SetReadDeadline(time.Now().Add(silence))
		var f frame
		if conn.ReadJSON(&f) != nil {
			return errUnanswered
		}
		n, err := d.take(ctx, conn, reading, &f)
		if err != nil {
			return err
		}
		stay -= n
	}
	return nil
}

func (d *device) subscribe(conn *websocket.Conn, cursor any) error {
	token, err := d.token()
	if err != nil {
		return err
	}
	_ = conn.SetWriteDeadline(time.Now().Add(silence))
	say := func(v any) {
		if err == nil && conn.WriteJSON(v) != nil {
			err = errUnanswered
		}
	}
	say(map[string]any{"type": "connection_init", "payload": map[string]any{"Authorization": "Bearer " + token}})
	say(map[string]any{"type": "subscribe", "id": "1", "payload": map[string]any{
		"query": messageReceived, "variables": map[string]any{"after": cursor},
	}})
	return err
}

// take takes a frame and gives how many envelopes were in it.
func (d *device) take(ctx context.Context, conn *websocket.Conn, reading int64, f *frame) (int, error) {
	switch f.Type {
	case "connection_ack":
		return 0, nil
	case "ping":
		_ = conn.SetWriteDeadline(time.Now().Add(silence))
		if conn.WriteJSON(frame{Type: "pong"}) != nil {
			return 0, errUnanswered
		}
		return 0, nil
	case "next":
		var data struct{ MessageReceived shown }
		if err := d.heed(parse(f.Payload, &data)); err != nil {
			return 0, err
		}
		if err := d.got(reading, &data.MessageReceived); err != nil {
			return 0, err
		}
		return 1, d.maybeAcknowledge(ctx)
	case "error":
		var refusals []*refusal
		if json.Unmarshal(f.Payload, &refusals) == nil && len(refusals) > 0 {
			return 0, d.heed(refusals[0])
		}
	case "complete":
		return 0, errUnanswered
	}
	return 0, fmt.Errorf("a frame that makes no sense: %s %s", f.Type, f.Payload)
}
