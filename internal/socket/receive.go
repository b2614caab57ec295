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

// receive does what a message asks for. kept is true if the text is still in use.
func (c *conn) receive(text *buffer) (no refusal, kept bool) {
	if guard.Scattered(text.data) {
		return refusal{CloseTooBig, "a message holds too many values"}, false
	}
	m, ok := parseMessage(text.data)
	if !ok {
		return notAMessage(), false
	}
	switch string(m.kind) {
	case `"subscribe"`:
		return c.subscribe(m, text)
	case `"connection_init"`:
		return c.init(m), false
	case `"complete"`:
		return c.complete(m), false
	case `"ping"`:
		return c.ping(m), false
	case `"pong"`:
		return valid(m.payload), false
	default:
		return refusal{CloseBadRequest, "unknown message type for " + modern}, false
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
	// Checking a token takes a deep stack, which the reader's would remain.
	answered := make(chan refusal)
	go func() { answered <- c.admit(payload) }()
	if no := <-answered; no.code != 0 {
		return no
	}
	c.reply(`{"type":"connection_ack"}`)
	return refusal{}
}

// admit asks Init.
func (c *conn) admit(payload transport.InitPayload) (no refusal) {
	defer func() {
		if fault := recover(); fault != nil {
			_, reason := c.sockets.refusal(c.ctx, failure.Recover(c.ctx, fault))
			no = refusal{CloseDefect, reason}
		}
	}()
	ctx, err := c.sockets.options.Init(c.ctx, payload)
	if err != nil {
		code, reason := c.sockets.refusal(c.ctx, err)
		return refusal{code, reason}
	}
	c.ctx = ctx
	return refusal{}
}

func (c *conn) ping(m message) refusal {
	if no := valid(m.payload); no.code != 0 {
		return no
	}
	answer := `{"type":"pong"}`
	if c.inited && m.payload != nil {
		answer = `{"payload":` + string(bytes.ToValidUTF8(m.payload, []byte("\ufffd"))) + `,"type":"pong"}`
	}
	c.reply(answer)
	return refusal{}
}
