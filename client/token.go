package client

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/letterlock/letterlock/client/internal/api"
	"github.com/letterlock/letterlock/device"
)

const (
	// tokenUse is how long a token is used before a new one is made: they hold for nine minutes.
	tokenUse = 5 * time.Minute
	// maxSkew is by how much a wrong clock is made up for (S6.7), minSkew what is not worth it.
	maxSkew = 24 * time.Hour
	minSkew = 5 * time.Second
)

// tokens keeps the token in use, and what is known of the server's clock.
type tokens struct {
	mutex  sync.Mutex
	token  string
	madeAt moment
	skew   time.Duration // to add to our clock, for tokens only
}

// Token gives a device token for the server, good for some minutes: for HTTP "Authorization: Bearer <token>", for
// WebSocket the same as connection_init payload. It talks to nobody. Keep it as secret as a password while it lasts.
func (c *Client) Token(ctx context.Context) (string, error) {
	token, _, err := c.token(ctx)
	return token, err
}

// token is Token, and when it was made.
func (c *Client) token(ctx context.Context) (string, moment, error) {
	t := &c.tokens
	t.mutex.Lock()
	defer t.mutex.Unlock()
	now := c.options.Now()
	if t.token != "" && !t.madeAt.moved(now) && t.madeAt.age(now) < tokenUse {
		return t.token, t.madeAt, nil
	}
	madeAt := momentAt(now)
	var token string
	err := c.view(ctx, func(h device.Host) (err error) {
		token, err = h.Token(now.Add(t.skew))
		return err
	})
	if err != nil {
		return "", madeAt, err
	}
	t.token, t.madeAt = token, madeAt
	return token, madeAt, nil
}

// forget drops the token in use, and learns from the server's clock. It says whether a new token may fare better than
// the one that was refused; ErrClock if the clocks are too far apart.
func (t *tokens) forget(refused string, now, server time.Time) (worthTrying bool, err error) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if t.token != refused {
		return true, nil // another goroutine was faster
	}
	t.token = ""
	if t.madeAt.moved(now) {
		return true, nil // the clock was set since, to the right time it may be
	}
	if server.IsZero() {
		return false, nil
	}
	skew := server.Sub(now)
	if skew.Abs() > maxSkew {
		return false, ErrClock
	}
	if (skew - t.skew).Abs() < minSkew {
		return false, nil
	}
	t.skew = skew
	return true, nil
}

// authorized makes a request with a token. If the server refuses the token it makes up for a wrong clock (S6.7), or
// registers again if the server has lost this device, and tries once more.
func (c *Client) authorized(ctx context.Context, request func(context.Context) error) error {
	for range 2 {
		used, err := c.Token(ctx)
		if err != nil {
			return err
		}
		err = request(ctx)
		var refused *ServerError
		if !errors.As(err, &refused) || refused.Code != "UNAUTHENTICATED" {
			return err
		}
		again, clockErr := c.tokens.forget(used, c.options.Now(), refused.serverTime)
		if clockErr != nil {
			return clockErr
		}
		if again {
			continue
		}
		if lost, lostErr := c.lost(ctx); !lost {
			return errors.Join(err, lostErr)
		}
		if err := c.registerNow(ctx); err != nil {
			return err
		}
	}
	return request(ctx)
}

// lost finds out whether the server no longer knows this user, as one whose database was thrown away.
func (c *Client) lost(ctx context.Context) (bool, error) {
	known, err := c.registered(ctx)
	if err != nil || !known {
		return false, err
	}
	found, err := api.FetchUser(ctx, c.public, c.self.User.String(), 0)
	if err != nil || found.User != nil {
		return false, err
	}
	c.options.Logger.Warn("the server has lost this device; registering again")
	_, err = c.step(ctx, func(h device.Host) (device.Step, error) { return h.Registered(false) })
	return err == nil, err
}
