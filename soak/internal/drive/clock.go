package drive

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/google/uuid"
)

// now is the clock of all devices. They go by the server's, as the SDK does, once a token was refused for it.
func (w *world) now() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }

// heed sets the clock after a refusal that shows that it is wrong.
func (d *device) heed(err error) error {
	var r *refusal
	if errors.As(err, &r) && d.world.ClockMoves && r.code() == "UNAUTHENTICATED" && !r.Extensions.ServerTime.IsZero() {
		d.world.ahead.Store(int64(time.Until(r.Extensions.ServerTime)))
		r.again = true
	}
	return err
}

// newID makes a message id by a clock: a UUIDv7.
func newID(now time.Time) (uuid.UUID, error) {
	id, err := uuid.NewV7()
	var milliseconds [8]byte
	binary.BigEndian.PutUint64(milliseconds[:], uint64(now.UnixMilli())) // #nosec G115 -- after 1970
	copy(id[:6], milliseconds[2:])
	return id, err
}
