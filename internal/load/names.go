package load

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"time"
)

// names makes UUIDv7s of a random start and a count: unique for one device, which is all that message ids have to be, without
// random bytes for each.
type names struct{ next uint64 }

const nameText = 36

func newNames() (names, error) {
	var b [8]byte
	_, err := rand.Read(b[:])
	return names{next: binary.BigEndian.Uint64(b[:])}, err
}

// write puts the next name into a place of nameText bytes.
func (n *names) write(into []byte, now time.Time) {
	n.next++
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], uint64(now.UnixMilli())<<16)
	binary.BigEndian.PutUint16(b[6:], 0x7000)
	binary.BigEndian.PutUint64(b[8:], n.next&(1<<62-1)|1<<63)
	hex.Encode(into[:8], b[:4])
	into[8] = '-'
	hex.Encode(into[9:13], b[4:6])
	into[13] = '-'
	hex.Encode(into[14:18], b[6:8])
	into[18] = '-'
	hex.Encode(into[19:23], b[8:10])
	into[23] = '-'
	hex.Encode(into[24:36], b[10:])
}
