package main

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

// receiver holds one live subscription over graphql-transport-ws and acknowledges as a client would: in bunches.
type receiver struct {
	person   *person
	api      *api
	conn     *websocket.Conn
	next     map[uint32]uint64 // by sender: the counter expected next
	received atomic.Int64
	timed    []time.Duration
	inTime   int
	doubled  int
	disorder int
}

// acknowledgeEvery is how many messages a receiver takes before it acknowledges.
const acknowledgeEvery = 100

type frame struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

type delivery struct {
	Data struct {
		MessageReceived struct{ Cursor, Ciphertext string }
	}
	Errors []struct{ Message string }
}

// open connects and subscribes.
func (r *receiver) open(ctx context.Context) error {
	dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}, HandshakeTimeout: 10 * time.Second}
	conn, _, err := dialer.DialContext(ctx, "ws"+strings.TrimPrefix(r.api.url, "http"), nil) //nolint:bodyclose // a hijacked connection
	if err != nil {
		return err
	}
	r.conn = conn
	token, err := r.person.token()
	if err != nil {
		return err
	}
	if err := conn.WriteJSON(map[string]any{"type": "connection_init", "payload": map[string]string{"Authorization": "Bearer " + token}}); err != nil {
		return err
	}
	var ack frame
	if err := conn.ReadJSON(&ack); err != nil || ack.Type != "connection_ack" {
		return fmt.Errorf("no connection_ack: %q %w", ack.Type, err)
	}
	const query = `subscription { messageReceived { cursor messageId senderUserId senderDeviceId sentAt kind ciphertext nonce } }`
	return conn.WriteJSON(map[string]any{"id": "1", "type": "subscribe", "payload": map[string]string{"query": query}})
}

// run reads until the connection is closed by close.
func (r *receiver) run(ctx context.Context, counting func() bool, closing func() bool) error {
	acks := make(chan string, 1)
	done := make(chan error, 1)
	go func() { done <- r.acknowledge(ctx, acks) }()
	err := r.read(counting, acks)
	close(acks)
	if ackErr := <-done; ackErr != nil {
		return ackErr
	}
	if closing() {
		return nil
	}
	return err
}

func (r *receiver) read(counting func() bool, acks chan string) error {
	for {
		var f frame
		if err := r.conn.ReadJSON(&f); err != nil {
			return err
		}
		switch f.Type {
		case "next":
			if err := r.take(f.Payload, counting(), acks); err != nil {
				return err
			}
		case "ping":
			if err := r.conn.WriteJSON(frame{Type: "pong"}); err != nil {
				return err
			}
		case "error", "complete":
			return fmt.Errorf("subscription ended: %s %s", f.Type, f.Payload)
		}
	}
}

func (r *receiver) take(payload []byte, counted bool, acks chan string) error {
	now := time.Now()
	var d delivery
	if err := json.Unmarshal(payload, &d); err != nil {
		return err
	}
	if len(d.Errors) > 0 {
		return fmt.Errorf("subscription: %s", d.Errors[0].Message)
	}
	m := d.Data.MessageReceived
	ciphertext, err := base64.RawURLEncoding.DecodeString(m.Ciphertext)
	if err != nil || len(ciphertext) < headerSize {
		return fmt.Errorf("ciphertext came back changed: %w", err)
	}
	r.check(binary.BigEndian.Uint32(ciphertext), binary.BigEndian.Uint64(ciphertext[4:]))
	if counted {
		r.inTime++
		sent := time.Unix(0, int64(binary.BigEndian.Uint64(ciphertext[12:]))) //nolint:gosec // written by this program
		r.timed = append(r.timed, now.Sub(sent))
	}
	if r.received.Add(1)%acknowledgeEvery == 0 {
		select {
		case acks <- m.Cursor:
		default: // an acknowledgement is under way; the next one covers this
		}
	}
	return nil
}

// check counts a counter that was seen before as doubled, and one that leaves a gap as out of order: a sender's messages go
// one after the other, so they must arrive so.
func (r *receiver) check(sender uint32, counter uint64) {
	expected := r.next[sender] + 1
	switch {
	case counter < expected:
		r.doubled++
		return
	case counter > expected:
		r.disorder++
	}
	r.next[sender] = counter
}

func (r *receiver) acknowledge(ctx context.Context, cursors <-chan string) error {
	const query = `mutation($upTo: Cursor!) { acknowledgeMessages(upTo: $upTo) { removedCount } }`
	var failed error
	for cursor := range cursors {
		token, err := r.person.token()
		if err == nil {
			err = r.api.call(ctx, token, query, map[string]any{"upTo": cursor}, nil)
		}
		if err != nil && failed == nil {
			failed = fmt.Errorf("acknowledge: %w", err)
		}
	}
	return failed
}
