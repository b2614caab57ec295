package drive

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/soak/internal/history"
)

// device is one device of a person, with a goroutine that sends and one that reads.
type device struct {
	owner *person
	key   *cryptobox.SigningKey
	entry identity.Entry
	id    string
	world *world

	// leaving is set before its removal is asked for, removed is closed when that was answered.
	removed chan struct{}
	leaving atomic.Bool
	place   place // the reading goroutine's

	mu       sync.Mutex
	random   *rand.Rand
	made     string // a token, and
	goodTill time.Time
	ahead    int64 // how far the clock was then
}

// number draws one from 0 to n-1.
func (d *device) number(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.random.IntN(n)
}

// chance is true once in n times.
func (d *device) chance(n int) bool { return d.number(n) == 0 }

// node gives the address of one.
func (d *device) node() string { return d.world.Nodes[d.number(len(d.world.Nodes))] }

// token gives one that holds for minutes.
func (d *device) token() (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if now, ahead := d.world.now(), d.world.ahead.Load(); now.After(d.goodTill) || ahead != d.ahead {
		token, err := identity.NewToken(d.key, d.owner.id, d.world.Origin, now)
		if err != nil {
			return "", err
		}
		d.made, d.goodTill, d.ahead = token, now.Add(identity.TokenLifetime/2), ahead
	}
	return d.made, nil
}

func (d *device) isRemoved() bool {
	select {
	case <-d.removed:
		return true
	default:
		return false
	}
}

// pause keeps a device from asking in circles, and tells whether it may go on.
func (d *device) pause(ctx context.Context) bool {
	return sleep(ctx, time.Duration(5+d.number(40))*time.Millisecond)
}

func (d *device) log(e history.Event) {
	if e.Device == "" {
		e.Device = d.id
	}
	d.world.log.Add(e)
}

// sleep tells whether ctx still holds.
func sleep(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}
