package drive

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"time"

	"github.com/letterlock/letterlock/soak/internal/history"
)

// What a sender does now and then: once in so many sends.
const (
	hangsUp       = 40 // before it can have an answer
	asksAgain     = 12 // although it was answered
	believesOld   = 25 // a list that has moved on
	mostUsers     = 3
	longestSealed = 700
)

// message is one that is being sent.
type message struct {
	id        string
	variables map[string]any
	to        []history.Envelope
}

// sends has a device send until the load is over, and finish what it has begun.
func (d *device) sends() error {
	for d.world.load.Err() == nil {
		gone, err := d.send(d.world.work)
		if err != nil || gone {
			return err
		}
		if !sleep(d.world.load, time.Duration(d.number(int(d.world.Pace)))) {
			break
		}
	}
	return nil
}

// send sends one message until it has an answer that holds, and tells whether the device is gone.
func (d *device) send(ctx context.Context) (gone bool, err error) {
	id, err := newID(d.world.now())
	if err != nil {
		return false, err
	}
	m := d.compose(id.String(), d.chance(believesOld))
	defer func() { d.log(history.Event{Kind: history.Done, Message: m.id}) }()
	for {
		err := d.try(ctx, m)
		var r *refusal
		switch {
		case err == nil && d.chance(asksAgain):
		case err == nil:
			return false, nil
		case errors.Is(err, errUnanswered):
		case !errors.As(err, &r):
			return false, err
		case r.gone():
			return true, nil
		case r.code() == "DEVICE_LIST_CHANGED":
			m = d.compose(m.id, false)
		case r.code() == "MESSAGE_ID_EXPIRED" && d.world.ClockMoves:
			return false, nil // the id was made before a jump
		case !r.passing():
			d.world.problem("a send of %s was refused: %v", d.id, r)
			return false, nil
		}
		if !d.pause(ctx) {
			return false, nil
		}
	}
}

// try makes one call and writes down what comes of it.
func (d *device) try(ctx context.Context, m *message) error {
	patience := d.world.CallTimeout
	if d.chance(hangsUp) {
		patience = time.Duration(d.number(int(10 * time.Millisecond)))
	}
	d.log(history.Event{Kind: history.Send, Message: m.id, To: m.to})
	var data struct {
		SendMessage struct {
			AcceptedAt string
			Deliveries []struct{ DeviceID, Status string }
		}
	}
	err := d.once(ctx, patience, sendMessage, m.variables, &data)
	var r *refusal
	switch {
	case err == nil:
		stored := history.Event{Kind: history.Stored, Message: m.id, At: data.SendMessage.AcceptedAt}
		for _, delivery := range data.SendMessage.Deliveries {
			stored.To = append(stored.To, history.Envelope{Device: delivery.DeviceID, Status: delivery.Status})
		}
		d.log(stored)
	case errors.As(err, &r):
		if d.world.Certain && r.Extensions.Stored != history.OutcomeNo {
			d.world.problem("a send of %s was refused, and whether it was stored was left open: %v", d.id, r)
		}
		d.log(history.Event{Kind: history.Refused, Message: m.id, Code: r.code(), Outcome: r.Extensions.Stored})
	default:
		d.log(history.Event{Kind: history.Unanswered, Message: m.id})
	}
	return err
}

// compose makes a message to some devices of some people.
func (d *device) compose(id string, old bool) *message {
	m := &message{id: id}
	var recipients []any
	for _, n := range d.some(len(d.world.people), mostUsers) {
		p := d.world.people[n]
		v := p.now.Load()
		if before := p.before.Load(); old && before != nil {
			v = before
		}
		var envelopes []any
		for _, i := range d.some(len(v.devices), len(v.devices)) {
			envelopes = append(envelopes, d.seal(m, v.devices[i]))
		}
		recipients = append(recipients, map[string]any{"userId": p.id.String(), "listVersion": v.version, "envelopes": envelopes})
	}
	m.variables = map[string]any{"input": map[string]any{"messageId": id, "recipients": recipients}}
	return m
}

// some draws up to most of n places, at least one.
func (d *device) some(n, most int) []int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.random.Perm(n)[:1+d.random.IntN(min(n, most))]
}

// seal makes an envelope of noise, which is what sealed content looks like.
func (d *device) seal(m *message, to *device) map[string]any {
	noise := d.noise(24 + 1 + d.number(longestSealed))
	nonce, ciphertext := b64(noise[:24]), b64(noise[24:])
	m.to = append(m.to, history.Envelope{Device: to.id, Content: content("BOX", ciphertext, nonce)})
	return map[string]any{"deviceId": to.id, "kind": "BOX", "ciphertext": ciphertext, "nonce": nonce}
}

func (d *device) noise(n int) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(d.random.IntN(256)) // #nosec G115 -- it fits
	}
	return b
}

// content stands for an envelope in a history.
func content(kind, ciphertext, nonce string) string {
	sum := sha256.Sum256([]byte(kind + " " + ciphertext + " " + nonce))
	return base64.RawStdEncoding.EncodeToString(sum[:12])
}
