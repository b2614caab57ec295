// Package tally counts, in the store, what may be done so often on all nodes together: what is scarce and shared, not what costs one
// node its time. For that there is internal/ratelimit, which comes first, so that no flood reaches the store.
//
// It counts by GCRA, the generic cell rate algorithm: a row holds the one moment at which all that was counted is forgotten. The row
// is written in the transaction of what it counts. So what fails is not counted, what was committed is counted once whatever became
// of the answer, and a restart forgets nothing.
//
// No row says for whom it is. Its number holds 20 bits of a keyed hash: some 4,000 addresses of IPv4 have each of them. The price is
// that somebody may, one time in a million, share a row with somebody who is limited.
package tally

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/letterlock/letterlock/ent"
	"github.com/letterlock/letterlock/ent/rate"
	"github.com/letterlock/letterlock/internal/database"
)

// Kind is what is counted. The values are stored. Who takes several in one transaction takes them in this order, so that nobody waits
// for each other.
type Kind int64

// The kinds.
const (
	// Registrations of one address.
	Registrations Kind = 1
	// ClaimsOfPair are claims of one user's prekeys by one other.
	ClaimsOfPair Kind = 2
	// ClaimsOfUser are claims of one user's prekeys by all others.
	ClaimsOfUser Kind = 3
)

const (
	// bits of the hash are kept: few enough that many share them, enough that few who are limited do.
	bits = 20
	// clockError is how far clocks of nodes may differ. Beyond it a node takes no tokens of devices whose clocks are right.
	clockError = 10 * time.Minute
	// leastWait is the shortest wait that a caller is told.
	leastWait = 100 * time.Millisecond
)

// Limit allows as many at once as Burst says, after a silence, and then one more Every so often.
type Limit struct {
	Every time.Duration
	Burst int
}

// PerMinute allows so many a minute, and as many at once. 0 is no limit.
func PerMinute(n int) Limit {
	return Rate(n, n)
}

// Rate allows so many a minute, and more at once after a silence. 0 a minute is no limit.
func Rate(perMinute, atOnce int) Limit {
	if perMinute <= 0 {
		return Limit{}
	}
	return Limit{Every: time.Minute / time.Duration(perMinute), Burst: atOnce}
}

// Tally is safe for use by several goroutines, and by several nodes on one store.
type Tally struct {
	db  *database.DB
	now func() time.Time
	key atomic.Pointer[[]byte] // once it is known to be committed
}

// New makes a Tally over a store. Nodes count by their own clocks, as they do for all that expires.
func New(db *database.DB, now func() time.Time) *Tally { return &Tally{db: db, now: now} }

// What was counted is forgotten at $2, if this is the first. A row from further ahead than any clock can be ($4) counts for nothing.
const take = `INSERT INTO rates (id, until) VALUES ($1, $2)
ON CONFLICT (id) DO UPDATE SET until = CASE WHEN rates.until > $3 AND rates.until <= $4 THEN rates.until + $5 ELSE $2 END
WHERE rates.until <= $6 OR rates.until > $4`

// Take counts one, if tx is committed. If that is too many, nothing is counted, and wait is how long until the next is allowed. The
// zero Limit allows everything.
func (t *Tally) Take(ctx context.Context, tx *ent.Tx, kind Kind, limit Limit, whom ...[]byte) (wait time.Duration, err error) {
	if limit.Burst <= 0 {
		return 0, nil
	}
	key, err := t.hashKey(ctx, tx)
	if err != nil {
		return 0, err
	}
	id, now := rowOf(key, kind, whom), t.now()
	every, whole := limit.Every, limit.Every*time.Duration(limit.Burst)
	latest := now.Add(whole - every) // what ends by then leaves room for one more
	result, err := tx.ExecContext(ctx, take, id,
		now.Add(every).UnixMicro(), now.UnixMicro(), now.Add(whole+clockError).UnixMicro(), every.Microseconds(), latest.UnixMicro())
	if err != nil {
		return 0, fmt.Errorf("count: %w", err)
	}
	counted, err := result.RowsAffected()
	if err != nil || counted > 0 {
		return 0, err
	}
	// The row is locked: nobody has changed it since.
	row, err := tx.Rate.Query().Where(rate.ID(id)).Only(ctx)
	if err != nil {
		return 0, fmt.Errorf("read a count: %w", err)
	}
	return max(leastWait, time.UnixMicro(row.Until).Sub(latest).Round(time.Millisecond)), nil
}

// rowOf gives the number of the row that counts for whom.
func rowOf(key []byte, kind Kind, whom [][]byte) int64 {
	mac := hmac.New(sha256.New, key)
	var number [8]byte
	binary.BigEndian.PutUint64(number[:], uint64(kind)) //nolint:gosec // 1 to 3
	mac.Write(number[:])
	for _, part := range whom {
		binary.BigEndian.PutUint64(number[:], uint64(len(part)))
		mac.Write(number[:])
		mac.Write(part)
	}
	hash := binary.BigEndian.Uint32(mac.Sum(nil))
	return int64(kind)<<bits | int64(hash>>(32-bits))
}
