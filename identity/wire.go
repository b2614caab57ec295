package identity

import (
	"encoding/binary"
	"errors"
	"math"
	"time"
)

var errInstant = errors.New("identity: instant before 1970 or after the year 294246")

// reader takes fields off the front of a statement. After the first field that is not there it gives zeros and stays
// short, so that one look at the end is enough.
type reader struct {
	rest  []byte
	short bool
}

func (r *reader) take(n int) []byte {
	if r.short || len(r.rest) < n {
		r.short = true
		return make([]byte, n)
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *reader) uint8() uint8   { return r.take(1)[0] }
func (r *reader) uint16() uint16 { return binary.BigEndian.Uint16(r.take(2)) }
func (r *reader) uint32() uint32 { return binary.BigEndian.Uint32(r.take(4)) }

// context takes a context string and reports whether it is the one.
func (r *reader) context(want string) bool { return string(r.take(len(want))) == want }

// instant takes microseconds since 1970; above 2^63 - 1 is no instant.
func (r *reader) instant() (time.Time, bool) {
	micros := binary.BigEndian.Uint64(r.take(8))
	if micros > math.MaxInt64 {
		return time.Time{}, false
	}
	return time.UnixMicro(int64(micros)).UTC(), true
}

// appendInstant appends microseconds since 1970; finer parts are cut off.
func appendInstant(b []byte, t time.Time) ([]byte, error) {
	micros := t.UnixMicro()
	if micros < 0 || !time.UnixMicro(micros).Equal(t.Truncate(time.Microsecond)) {
		return nil, errInstant
	}
	return binary.BigEndian.AppendUint64(b, uint64(micros)), nil
}
