package cluster_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"github.com/letterlock/letterlock/internal/testserver"
)

// acknowledgeEvery is how many messages a receiver takes before it acknowledges.
const acknowledgeEvery = 25

// receiver listens, and comes back with its last cursor to another node when its socket ends; now and then it goes by itself.
type receiver struct {
	*client
	count atomic.Int64
	// got, last and cursor belong to run.
	got    []string
	last   int64
	cursor *string
}

// breach is what must never happen.
type breach struct{ error }

// run receives until ctx ends. It fails with a breach of the delivery contract, or an answer that makes no sense.
func (r *receiver) run(ctx context.Context) error {
	for ctx.Err() == nil {
		address, err := r.node(ctx)
		if err != nil {
			return nil //nolint:nilerr // ctx has ended
		}
		if err := r.listen(ctx, address); errors.As(err, new(breach)) {
			return err
		}
		pause(ctx)
	}
	return nil
}

// listen opens a subscription and reads until the socket ends, or until it feels like moving.
func (r *receiver) listen(ctx context.Context, address string) error {
	dialer := websocket.Dialer{Subprotocols: []string{testserver.Modern}, HandshakeTimeout: callTimeout}
	conn, _, err := dialer.DialContext(ctx, "ws://"+address+"/graphql", nil)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	defer func() { _ = conn.Close() }()
	err = errors.Join(
		conn.WriteJSON(map[string]any{"type": "connection_init", "payload": map[string]any{"Authorization": "Bearer " + r.device.Token(origin)}}),
		conn.WriteJSON(map[string]any{"type": "subscribe", "id": "1", "payload": map[string]any{
			"query": testserver.Received, "variables": map[string]any{"after": r.cursor},
		}}))
	if err != nil {
		return err
	}
	for stay := 1 + r.random.IntN(150); stay > 0; {
		more, err := r.next(ctx, conn)
		if err != nil {
			return err
		}
		stay -= more
	}
	return nil
}

// next reads one frame and gives how many messages it held.
func (r *receiver) next(ctx context.Context, conn *websocket.Conn) (int, error) {
	_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
	var frame testserver.Frame
	if err := conn.ReadJSON(&frame); err != nil {
		return 0, err
	}
	switch frame.Type {
	case "next":
		return 1, r.take(ctx, frame.Payload)
	case "ping":
		return 0, conn.WriteJSON(testserver.Frame{Type: "pong"})
	case "connection_ack":
		return 0, nil
	default:
		return 0, r.over(frame)
	}
}

// over tells what ended a subscription. Coming back is the answer to what nodes go through. SUPERSEDED is none of it: this
// client has one subscription, and the newest must never be told that there is a newer one.
func (r *receiver) over(frame testserver.Frame) error {
	var answers []testserver.Error
	_ = json.Unmarshal(frame.Payload, &answers) // a complete has none
	for _, e := range answers {
		switch code := e.Extensions["code"]; code {
		case "STOPPING", "STORE_UNAVAILABLE", "OVERLOADED":
		default:
			return breach{fmt.Errorf("the subscription ended with %v: %s", code, e.Message)}
		}
	}
	return fmt.Errorf("the subscription ended: %s %s", frame.Type, frame.Payload)
}

// take checks a message against the one before: the very next number, or it is a breach.
func (r *receiver) take(ctx context.Context, payload json.RawMessage) error {
	var answer struct {
		Data struct {
			MessageReceived struct{ ID, Cursor, MessageID string }
		}
		Errors []testserver.Error
	}
	if err := json.Unmarshal(payload, &answer); err != nil || len(answer.Errors) > 0 {
		return breach{fmt.Errorf("received %s: %w", payload, err)}
	}
	m := answer.Data.MessageReceived
	id, err := strconv.ParseInt(m.ID, 10, 64)
	if err != nil {
		return breach{err}
	}
	if number := id & (1<<32 - 1); number != r.last+1 {
		return breach{fmt.Errorf("message %d came after %d", number, r.last)}
	}
	r.last, r.cursor = r.last+1, &m.Cursor
	r.got = append(r.got, m.MessageID)
	r.count.Add(1)
	if len(r.got)%acknowledgeEvery != 0 {
		return nil
	}
	err = r.call(ctx, testserver.Acknowledge, map[string]any{"upTo": m.Cursor}, &struct{}{})
	if err != nil && ctx.Err() == nil {
		return breach{fmt.Errorf("acknowledge: %w", err)}
	}
	return nil
}

// rest gives how many messages wait behind the last one that was received.
func (r *receiver) rest(ctx context.Context) (int, error) {
	var data struct {
		Mailbox struct{ Nodes []struct{ ID string } }
	}
	err := r.call(ctx, `query($after: Cursor) { mailbox(after: $after) { nodes { id } } }`, map[string]any{"after": r.cursor}, &data)
	return len(data.Mailbox.Nodes), err
}
