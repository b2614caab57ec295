// Package directory knows the users, their signed device lists and their devices: it registers, publishes, looks up and
// authenticates. It trusts no statement that it has not verified (S3, S4), and hands out statements, never loose keys.
//
// Expected failures are *problem.Error. Whatever fails has changed nothing, except where the problem says that the outcome
// is unknown; register and publish can be repeated with the same bytes and give the same answer.
package directory

import (
	"context"
	"runtime"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/letterlock/letterlock/ent"
	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/tally"
)

// ListsPerCall is how many statements User gives at the most (S3.6).
const ListsPerCall = 100

// Mailboxes is what a list change does to mailboxes; *mailbox.Service has it.
type Mailboxes interface {
	// MoveList sets the list version on all mailboxes of the user, makes those of added devices and closes those of removed
	// ones, inside tx.
	MoveList(ctx context.Context, tx *ent.Tx, user identity.UserID, version uint32, added, removed []identity.DeviceID) error
	// Block makes these the users from whom the device's mailbox takes nothing, inside tx.
	Block(ctx context.Context, tx *ent.Tx, device identity.DeviceID, users []identity.UserID) error
	// Drain deletes a part of what waits for the user where it is much, inside tx, and reports whether it did.
	Drain(ctx context.Context, tx *ent.Tx, user identity.UserID) (more bool, err error)
	// Delete deletes the mailboxes of the user with all that waits in them, inside tx.
	Delete(ctx context.Context, tx *ent.Tx, user identity.UserID) error
	// Closed tells, after the commit, that these devices were removed, so that their open readers end.
	Closed(devices ...identity.DeviceID)
}

// Options are what a Directory needs to be told. The zero value of a field means its default.
type Options struct {
	// MaxDevices is how many devices a list may name; default 20, at most identity.MaxDevices.
	MaxDevices int
	// MaxOneTimePrekeys is how many one-time prekeys of each kind a device may have waiting; default 100.
	MaxOneTimePrekeys int
	// MaxBlocked is how many users a device may block; default 1,000.
	MaxBlocked int
	// Claims are how often prekeys may be claimed; default those of limits.Limits.
	Claims *ClaimLimits
	// LookAgain is how long a device that was read from the store is believed; default 5 s. Within it the removal of a
	// device on another node may stay unnoticed here.
	LookAgain time.Duration
	// CacheSize is how many devices, and how many verified tokens, are kept in memory, some 300 bytes each; default 50,000.
	CacheSize int
	// Admit decides, inside the transaction that adds a user, whether they may register; default everybody.
	Admit func(ctx context.Context, tx *ent.Tx, invite string) error
	// Tally counts what is limited on all nodes together; default one over the store.
	Tally *tally.Tally
	// Observer is told what the Directory does; by default nobody is.
	Observer Observer
	// Now is the clock; default time.Now.
	Now func() time.Time
}

// Observer is told what a Directory does, in numbers: never for whom. Its methods return at once.
type Observer interface {
	// TokenLookedUp: a device token was presented whose signature was, or was not, known to be good.
	TokenLookedUp(known bool)
	// Limited: one of the Limits was met, as this node counts or as all do together.
	Limited(limit string, allNodes bool)
}

// The limits that an Observer is told of. Beyond the latter two sessions start without one-time keys.
const (
	LimitClaims       = "claims"
	LimitClaimsOfPair = "claims_of_pair"
	LimitClaimsOfUser = "claims_of_user"
)

type unobserved struct{}

func (unobserved) TokenLookedUp(bool)   {}
func (unobserved) Limited(string, bool) {}

const (
	defaultMaxDevices        = 20
	defaultMaxOneTimePrekeys = 100
	defaultMaxBlocked        = 1000
	defaultLookAgain         = 5 * time.Second
	defaultCacheSize         = 50_000
)

// Directory is safe for use by several goroutines.
type Directory struct {
	db        *database.DB
	mailboxes Mailboxes
	options   Options
	devices   *deviceCache
	tokens    *tokenCache
	claims    *claimLimits
	looks     singleflight.Group
	// verifying lets a few chains at a time be verified, which can take a second for a very long one, so that list changes
	// leave processors to messages.
	verifying chan struct{}
	// publishing lets each user wait there once.
	publishing turns
}

// User is a user with a part of the chain of device lists.
type User struct {
	ID identity.UserID
	// ListVersion is the version that holds now.
	ListVersion uint32
	// Lists are signed lists, oldest first: what was asked for.
	Lists []SignedList
}

// SignedList is one version in the exact bytes that were signed.
type SignedList struct {
	Version   uint32
	Statement []byte
}

// Device is a device as the server sees it.
type Device struct {
	ID         identity.DeviceID
	User       identity.UserID
	SigningKey identity.SigningPublicKey
	// ListVersion is the version of the user's list that holds.
	ListVersion uint32
	// CreatedAt is when it was registered here.
	CreatedAt time.Time
	// Removed: a list no longer names it; it never comes back (S4.4).
	Removed bool
}

// New makes a Directory over a store.
func New(db *database.DB, mailboxes Mailboxes, options Options) *Directory {
	if options.MaxDevices <= 0 {
		options.MaxDevices = defaultMaxDevices
	}
	options.MaxDevices = min(options.MaxDevices, identity.MaxDevices)
	if options.MaxOneTimePrekeys <= 0 {
		options.MaxOneTimePrekeys = defaultMaxOneTimePrekeys
	}
	if options.MaxBlocked <= 0 {
		options.MaxBlocked = defaultMaxBlocked
	}
	if options.LookAgain <= 0 {
		options.LookAgain = defaultLookAgain
	}
	if options.CacheSize <= 0 {
		options.CacheSize = defaultCacheSize
	}
	if options.Admit == nil {
		options.Admit = func(context.Context, *ent.Tx, string) error { return nil }
	}
	if options.Observer == nil {
		options.Observer = unobserved{}
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Tally == nil {
		options.Tally = tally.New(db, options.Now)
	}
	if options.Claims == nil {
		options.Claims = defaultClaimLimits()
	}
	return &Directory{
		db: db, mailboxes: mailboxes, options: options,
		devices:   newDeviceCache(options.CacheSize),
		tokens:    newTokenCache(options.CacheSize),
		claims:    newClaimLimits(*options.Claims, options.CacheSize, options.Observer.Limited),
		verifying: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)),

		publishing: turns{of: make(map[identity.UserID]chan struct{})},
	}
}
