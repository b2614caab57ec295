package client

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/letterlock/letterlock/identity"
)

// renewal keeps a socket's token new: a server closes a socket whose token has ended. Only keepAlive uses it, but for unheard.
type renewal struct {
	client  *Client
	at      moment        // when the token was made that the server was last told
	after   time.Duration // how old it may get
	unheard atomic.Bool   // the server could not look at the last one
}

func newRenewal(c *Client, madeAt moment) *renewal {
	r := &renewal{client: c}
	r.told(madeAt)
	return r
}

// told notes that the server was told a token. The next one goes out when that has lived for three quarters of its time, or a little
// less: after a restart many sockets opened together. By then the client makes a new one (tokenUse).
func (r *renewal) told(madeAt moment) {
	r.at = madeAt
	r.after = identity.TokenLifetime*3/4 - rand.N(identity.TokenLifetime/8) //nolint:gosec // nobody gains by guessing it
}

// due gives a ping with a new token when it is time for one. Without it the server ends the socket, and Listen opens another.
func (r *renewal) due(ctx context.Context) (ping frame, ok bool) {
	if r.at.age(r.client.options.Now()) < r.after && !r.unheard.Load() {
		return frame{}, false
	}
	token, madeAt, err := r.client.token(ctx)
	if err != nil {
		if ctx.Err() == nil {
			r.client.options.Logger.Info("could not make a token", "error", err)
		}
		return frame{}, false
	}
	payload, err := credentials(token)
	if err != nil {
		return frame{}, false
	}
	r.unheard.Store(false)
	r.told(madeAt)
	return frame{Type: "ping", Payload: payload}, true
}

// answered takes what a pong says. Servers that know nothing of this say nothing of it.
func (r *renewal) answered(pong json.RawMessage) {
	var said struct{ Renewed *bool }
	if json.Unmarshal(pong, &said) == nil && said.Renewed != nil && !*said.Renewed {
		r.unheard.Store(true)
	}
}

// credentials is how a socket is told a token.
func credentials(token string) (json.RawMessage, error) {
	return json.Marshal(map[string]string{"Authorization": "Bearer " + token})
}
