package socket

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql/handler/transport"

	"github.com/letterlock/letterlock/internal/term"
)

// expired is what a socket is told whose token has ended. A close frame has no room for more.
const expired = "The token has expired. Connect again with a new one; your cursor brings everything back."

// Renew looks at the payload of a ping. If there is a new token in it that is good for the socket of ctx, it calls Until. found
// is false if there is none, so that the ping is like any other. An error that is no temporary one closes the socket.
type Renew func(ctx context.Context, payload transport.InitPayload) (found bool, err error)

// Until limits the socket of ctx: it ends at expiresAt, unless that is put off by another call. Outside a socket it does nothing.
func Until(ctx context.Context, expiresAt time.Time) {
	if m, ok := ctx.Value(key{}).(member); ok {
		m.tenure().Set(expiresAt)
	}
}

// expire ends a socket whose token has ended, and reports whether it has. Whoever hears something on a socket or is about to say
// something asks, so that nothing passes after the end, and so does who pings it, so that it does not stay open for nothing.
func (s *Sockets) expire(m member) bool {
	if !m.tenure().Over(s.options.Now()) {
		return false
	}
	m.end(CloseForbidden, expired)
	return true
}

func (o *ownership) tenure() *term.Term { return &o.term }

// renew is a ping's with a payload. It is false if the payload holds no token.
func (c *conn) renew(payload []byte) (found bool, no refusal) {
	var offered transport.InitPayload
	if c.sockets.options.Renew == nil || json.Unmarshal(payload, &offered) != nil {
		return false, no
	}
	defer c.rescue(&no)
	found, err := c.sockets.options.Renew(c.ctx, offered)
	if !found {
		return false, no
	}
	if err != nil {
		code, reason := c.sockets.refusal(c.ctx, err)
		if code == CloseForbidden {
			return true, refusal{code, reason}
		}
	}
	c.reply(`{"payload":{"renewed":` + strconv.FormatBool(err == nil) + `},"type":"pong"}`)
	return true, no
}
