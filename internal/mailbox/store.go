package mailbox

import (
	"context"
	"crypto/sha256"
	"errors"

	"github.com/letterlock/letterlock/identity"
)

// store is what the delivery contract asks of a database. Two implementations, postgresStore and sqliteStore, run the same
// steps; what is decided, is decided above them. Instants are Unix microseconds.
//
// Errors: one that wraps errTransient may pass when the same is tried again, one that wraps errOutcomeUnknown may have
// been committed; any other is caused by what was asked for.
type store interface {
	// commitPlan commits a plan in one round trip, and fills in what it has found. It gives errUnplanned, and has done nothing, if
	// what the plan takes for granted does not hold, or if the store has no such way. One goroutine calls commitPlan and begin.
	commitPlan(ctx context.Context, p *plan) error
	// begin opens a transaction, locks the mailboxes of request in order of their ids, deletes what is acknowledged and
	// claims the keys of sends. A claim is of a statement later than the locks, so that it sees what a concurrent first
	// try committed while it waited for them. On an error nothing is left open.
	begin(ctx context.Context, request request) (transaction, *claimed, error)
	// standing reads how a device's mailbox stands; found is false if it has none.
	standing(ctx context.Context, device identity.DeviceID) (s standing, found bool, err error)
	// claim counts a subscription to a mailbox at which reader were counted before, and gives its number. ok is false if another one was counted
	// meanwhile, the mailbox is closed, or the two have met in a way that the store does not resolve: then nothing has changed. A claim that arrives late, when nobody waits for it any more,
	// finds the same and counts nothing.
	claim(ctx context.Context, mailbox, reader int64) (number int64, ok bool, err error)
	// page reads messages. The standing is read first, so that all numbers up to its last are seen by the page.
	page(ctx context.Context, r pageRequest) (standing, []Message, bool, error)
	// look looks at many mailboxes at once, by mailbox id.
	look(ctx context.Context, mailboxes []int64) (epoch int64, seen map[int64]glimpse, err error)
	// sweep deletes at most limit messages that have expired by now and gives their number. It locks as begin does.
	sweep(ctx context.Context, now int64, limit int) (int, error)
	// keepDays makes room for sends of the days from first to last and forgets those before oldest.
	keepDays(ctx context.Context, oldest, first, last int32) error
	// close lets go of what the store holds open. The database stays open.
	close()
}

// transaction is what begin has opened. One goroutine uses it and ends it by commit or rollback.
type transaction interface {
	// remembered reads what is remembered under keys. Keys that are unknown are left out.
	remembered(ctx context.Context, keys []sendKey) (map[sendKey]memory, error)
	// countBySender counts the messages of users in mailboxes, each pair once.
	countBySender(ctx context.Context, pairs []senderPair) (map[senderPair]int64, error)
	// blocked gives those of the pairs of which the mailbox takes nothing from the user.
	blocked(ctx context.Context, pairs []senderPair) (map[senderPair]bool, error)
	// commit writes changes and commits.
	commit(ctx context.Context, changes *changes) error
	// rollback ends the transaction without a trace.
	rollback()
}

var (
	errTransient      = errors.New("the store failed for now")
	errUnplanned      = errors.New("the plan does not hold")
	errOutcomeUnknown = errors.New("the store may or may not have committed")
)

// request is what one batch needs to know and to hold before anything is decided.
type request struct {
	now int64
	// devices are those whose mailboxes are locked, each once.
	devices []identity.DeviceID
	// claims are in the order of their keys, each key once.
	claims []claim
	// acknowledged are cursors to delete up to, each mailbox once. One that is not within its mailbox deletes nothing.
	acknowledged []acknowledged
}

type claim struct {
	sendKey
	content [sha256.Size]byte
}

type acknowledged struct {
	device identity.DeviceID
	upTo   Cursor
}

// claimed is what begin has found.
type claimed struct {
	epoch     int64
	mailboxes map[identity.DeviceID]*mailboxRow
	// fresh holds the keys that were not remembered before.
	fresh map[sendKey]bool
	// removed says what acknowledgements deleted, by mailbox id. The counters in mailboxes are still those before.
	removed map[int64]removal
}

type removal struct{ count, bytes int64 }

// mailboxRow is the locked row of a mailbox.
type mailboxRow struct {
	id                               int64
	device                           identity.DeviceID
	user                             identity.UserID
	listVersion                      uint32
	closed, blocking                 bool
	last, acknowledged, count, bytes int64
	accepted                         int64
	changed                          bool
}

// changes is what a batch writes.
type changes struct {
	// mailboxes hold new counters; their rows are locked, so the values are absolute.
	mailboxes []*mailboxRow
	messages  []Message
	// refused are claims that are given back: a refusal does not use the id up.
	refused []sendKey
	// full says which deliveries of an accepted send met a full mailbox.
	full []fullDeliveries
}

type fullDeliveries struct {
	sendKey
	bits []byte
}

type senderPair struct {
	mailbox int64
	user    identity.UserID
}

// standing is the row of a mailbox as a reader sees it, with the store's epoch.
type standing struct {
	mailboxRow
	epoch, expired, reader int64
}

// glimpse is what a feed needs to know of its mailbox.
type glimpse struct {
	last   int64
	closed bool
	// reader is the number of the newest subscription; 0 where the store has no other nodes to tell of theirs.
	reader int64
}

// pageRequest asks for messages of a mailbox behind a number: count at the most, and none behind the one that reaches
// bytes of ciphertext. What has expired by now is left out.
type pageRequest struct {
	device identity.DeviceID
	mailbox,
	after int64
	count, bytes int
	now          int64
}
