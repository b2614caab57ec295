package socket

import (
	"bytes"
	"encoding/json"

	"github.com/99designs/gqlgen/graphql/handler/transport"

	"github.com/letterlock/letterlock/internal/failure"
	"github.com/letterlock/letterlock/internal/guard"
)

// refusal says what to close with; with the zero value the socket stays open.
type refusal struct {
	code   int
	reason string
}

// parse parses a message.
func parse(text []byte) (m message, no refusal) {
	if guard.Scattered(text) {
		return m, refusal{CloseTooBig, "a message holds too many values"}
	}
	m, ok := parseMessage(text)
	if !ok {
		return m, notAMessage()
	}
	return m, refusal{}
}

// receive does what a message asks for, but for an operation, which is to be run.
func (c *conn) receive(m message) (o *operation, no refusal) {
	switch string(m.kind) {
	case `"subscribe"`:
		return c.subscribe(m)
	case `"connection_init"`:
		return nil, c.init(m)
	case `"complete"`:
		return nil, c.complete(m)
	case `"ping"`:
		return nil, c.ping(m)
	case `"pong"`:
		return nil, valid(m.payload)
	default:
		return nil, refusal{CloseBadRequest, "unknown message type for " + modern}
	}
}

func notAMessage() refusal {
	return refusal{CloseBadRequest, "a message must be a JSON object with a type"}
}

func valid(payload []byte) refusal {
	if payload != nil && !json.Valid(payload) {
		return notAMessage()
	}
	return refusal{}
}

func (c *conn) init(m message) refusal {
	if c.inited {
		return refusal{CloseTooManyInits, "Too many initialisation requests"}
	}
	var payload transport.InitPayload
	if m.payload != nil && json.Unmarshal(m.payload, &payload) != nil {
		if no := valid(m.payload); no.code != 0 {
			return no
		}
		return refusal{CloseBadRequest, "the payload of connection_init must be an object"}
	}
	c.mu.Lock()
	c.inited = true
	c.mu.Unlock()
	if no := c.admit(payload); no.code != 0 {
		return no
	}
	c.reply(`{"type":"connection_ack"}`)
	return refusal{}
}

// admit asks Init.
func (c *conn) admit(payload transport.InitPayload) (no refusal) {
	defer c.rescue(&no)
	ctx, err := c.sockets.init(c.ctx, payload)
	if err != nil {
		code, reason := c.sockets.refusal(c.ctx, err)
		return refusal{code, reason}
	}
	c.ctx = ctx
	return refusal{}
}

// rescue closes the socket when what the reader asks for meets a defect.
func (c *conn) rescue(no *refusal) {
	if fault := recover(); fault != nil {
		_, reason := c.sockets.refusal(c.ctx, failure.Recover(c.ctx, fault))
		*no = refusal{CloseDefect, reason}
	}
}

func (c *conn) ping(m message) refusal {
	if no := valid(m.payload); no.code != 0 {
		return no
	}
	if c.inited && m.payload != nil {
		if found, no := c.renew(m.payload); found || no.code != 0 {
			return no
		}
	}
	answer := `{"type":"pong"}`
	if c.inited && m.payload != nil {
		answer = `{"payload":` + string(bytes.ToValidUTF8(m.payload, []byte("\ufffd"))) + `,"type":"pong"}`
	}
	c.reply(answer)
	return refusal{}
}
