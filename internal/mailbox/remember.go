package mailbox

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"time"

	"github.com/google/uuid"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/problem"
)

// MessageIDLifetime is how long a message id is remembered after the time that it names (delivery contract 2).
const MessageIDLifetime = 7 * 24 * time.Hour

// clockTolerance is how far a message id may lie in the future: the sender's clock may run ahead a little.
const clockTolerance = 5 * time.Minute

const (
	secondsPerDay      = 24 * 60 * 60
	millisecondsPerDay = secondsPerDay * 1000
	// daysKept covers the ids that are still taken, and one day more: the clocks of two nodes differ.
	daysKept = int(MessageIDLifetime/(secondsPerDay*time.Second)) + 1
)

// Hashes of different things start differently.
const (
	keyContext     = "letterlock mailbox send key v1"
	contentContext = "letterlock mailbox send content v1"
	callContext    = "letterlock mailbox call content v1"
)

// sendKey is what a send is remembered by. It tells neither sender nor recipient.
type sendKey struct {
	// day counts from 1970 and comes from the message id alone, so that a repeated send looks in the same place.
	day int32
	// key is a hash of the sending device and the message id.
	key [sha256.Size]byte
}

// compare orders keys as the primary key of sends does.
func (k sendKey) compare(other sendKey) int {
	if k.day != other.day {
		return int(k.day) - int(other.day)
	}
	return bytes.Compare(k.key[:], other.key[:])
}

// memory is what is remembered of a send.
type memory struct {
	content    [sha256.Size]byte
	acceptedAt int64
	// full has a bit for each delivery that met a full mailbox; nil if none did.
	full []byte
}

// keyOf gives the key of a message id of a device, and the instant that the id names.
func keyOf(device identity.DeviceID, id uuid.UUID) (sendKey, time.Time, error) {
	if id.Version() != 7 || id.Variant() != uuid.RFC4122 {
		return sendKey{}, time.Time{}, problem.New(problem.BadInput, "The message id is not a UUIDv7. Make one when the message is first sent.")
	}
	var b [8]byte
	copy(b[2:], id[:6])
	milliseconds := int64(binary.BigEndian.Uint64(b[:])) // #nosec G115 -- 48 bits
	text := make([]byte, 0, len(keyContext)+len(device)+len(id))
	text = append(append(append(text, keyContext...), device[:]...), id[:]...)
	key := sendKey{
		day: int32(milliseconds / millisecondsPerDay), // #nosec G115 -- 48 bits over a day's milliseconds
		key: sha256.Sum256(text),
	}
	return key, time.UnixMilli(milliseconds), nil
}

// checkAge refuses a message id that is no longer remembered, and one that cannot have been made. ahead tells of one that is from the
// future, by so little that the clock may have been set back since it was taken.
func checkAge(made, now time.Time) (ahead bool, err error) {
	switch {
	case made.Before(now.Add(-MessageIDLifetime)):
		return false, problem.New(problem.MessageIDExpired,
			"The message id was made more than seven days ago. Send under a new one, if it was not sent then.")
	case made.After(now.Add(MessageIDLifetime)):
		return true, fromTheFuture()
	}
	return made.After(now.Add(clockTolerance)), nil
}

func fromTheFuture() error {
	return problem.New(problem.MessageIDExpired, "The message id is from the future. Correct the clock that it was made by and send under a new one.")
}

// dayOf gives the day of an instant, as in sendKey.
func dayOf(t time.Time) int32 {
	return int32(t.Unix() / secondsPerDay) // #nosec G115 -- fits until the year 5,000,000
}

// contentOf gives a hash of all that a send says besides its id: lengths stand before what has no fixed length, so that no two
// sends are written alike.
func contentOf(s *Send) (sum [sha256.Size]byte) {
	h := newContentHash(contentContext)
	h.outgoing(s.ExpiresIn, s.Recipients)
	h.Sum(sum[:0])
	return sum
}

// contentOfCall is contentOf for a call.
func contentOfCall(c *Call) (sum [sha256.Size]byte) {
	h := newContentHash(callContext)
	h.u64(uint64(len(c.Messages)))
	for i := range c.Messages {
		h.fixed(c.Messages[i].MessageID[:])
		h.outgoing(c.Messages[i].ExpiresIn, c.Messages[i].Recipients)
	}
	h.Sum(sum[:0])
	return sum
}

// contentHash copies what is short, so that nothing that is hashed has to be allocated for it.
type contentHash struct {
	hash.Hash
	scratch [64]byte
}

func newContentHash(context string) *contentHash {
	h := &contentHash{Hash: sha256.New()}
	h.fixed([]byte(context))
	return h
}

func (h *contentHash) outgoing(expiresIn time.Duration, recipients []Recipient) {
	h.u64(uint64(expiresIn)) // #nosec G115 -- the same bits
	h.u64(uint64(len(recipients)))
	for i := range recipients {
		r := &recipients[i]
		h.fixed(r.User[:])
		h.u64(uint64(r.ListVersion))
		h.u64(uint64(len(r.Envelopes)))
		for j := range r.Envelopes {
			e := &r.Envelopes[j]
			h.fixed(e.Device[:])
			h.u64(uint64(e.Kind)) // #nosec G115 -- 1 to 3
			h.bytes(e.Nonce)
			h.bytes(e.Ciphertext)
		}
	}
}

func (h *contentHash) u64(n uint64) {
	binary.BigEndian.PutUint64(h.scratch[:], n)
	h.Write(h.scratch[:8])
}

// fixed writes what is at most as long as scratch and always has the same length.
func (h *contentHash) fixed(b []byte) { h.Write(h.scratch[:copy(h.scratch[:], b)]) }

func (h *contentHash) bytes(b []byte) {
	h.u64(uint64(len(b)))
	h.Write(b)
}

// setBit sets bit i of a bit set that holds n bits, and makes it first if it is nil.
func setBit(bits []byte, i, n int) []byte {
	if bits == nil {
		bits = make([]byte, (n+7)/8)
	}
	bits[i/8] |= 1 << (i % 8)
	return bits
}

// bit tells whether bit i is set; nil has none.
func bit(bits []byte, i int) bool { return i/8 < len(bits) && bits[i/8]&(1<<(i%8)) != 0 }
