package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
)

// sender sends one message after the other to one receiver. The ciphertext starts with the sender's index and a counter, by
// which the receiver checks that nothing is missing, doubled or out of order, and with the time of the call.
type sender struct {
	index  uint32
	api    *api
	bearer bearer
	to     *person
	size   int
	sent   uint64 // counter of the last accepted message
	took   []time.Duration
}

const headerSize = 4 + 8 + 8

const sendQuery = `mutation($input: SendMessageInput!) { sendMessage(input: $input) { messageId deliveries { status } } }`

// run sends until ctx ends; the message under way is finished, so that what was accepted is known exactly.
func (s *sender) run(ctx context.Context, counting func() bool) error {
	for ctx.Err() == nil {
		started := time.Now()
		counted := counting()
		if err := s.send(context.WithoutCancel(ctx), started); err != nil {
			return fmt.Errorf("sender %d: %w", s.index, err)
		}
		if counted && counting() {
			s.took = append(s.took, time.Since(started))
		}
	}
	return nil
}

func (s *sender) send(ctx context.Context, now time.Time) error {
	body, err := s.body(now)
	if err != nil {
		return err
	}
	header := http.Header{}
	if err := s.bearer.set(header); err != nil {
		return err
	}
	var answer struct {
		SendMessage struct{ Deliveries []struct{ Status string } }
	}
	if err := s.api.post(ctx, header, body, &answer); err != nil {
		return err
	}
	if d := answer.SendMessage.Deliveries; len(d) != 1 || d[0].Status != "STORED" {
		return fmt.Errorf("not stored: %+v", d)
	}
	s.sent++
	return nil
}

func (s *sender) body(now time.Time) ([]byte, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	ciphertext, nonce := make([]byte, s.size), make([]byte, 24)
	if _, err := rand.Read(ciphertext[headerSize:]); err != nil {
		return nil, err
	}
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	binary.BigEndian.PutUint32(ciphertext, s.index)
	binary.BigEndian.PutUint64(ciphertext[4:], s.sent+1)
	binary.BigEndian.PutUint64(ciphertext[12:], uint64(now.UnixNano()))
	type object = map[string]any
	envelope := object{"deviceId": s.to.device.String(), "kind": "BOX", "ciphertext": b64(ciphertext), "nonce": b64(nonce)}
	recipient := object{"userId": s.to.user.String(), "listVersion": 1, "envelopes": []object{envelope}}
	input := object{"messageId": id.String(), "recipients": []object{recipient}}
	return json.Marshal(object{"query": sendQuery, "variables": object{"input": input}})
}
