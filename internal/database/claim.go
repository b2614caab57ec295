package database

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

const (
	// sqliteClaimFile is held while a server runs. It stays, as the lock of migrations does.
	sqliteClaimFile = "letterlock.db.served"
	// claimTimeout bounds the wait for a server that is about to end, as when one is started in another's place.
	claimTimeout = 10 * time.Second
	claimRetry   = 50 * time.Millisecond
)

// ErrServed is what Claim fails with while another server runs on the embedded database.
var ErrServed = errors.New("another server runs on this database")

// Claim keeps all other servers from the embedded database until release is called or the process is gone: two would give a device's messages to a
// reader each. It waits ten seconds for one that is about to end, and then fails with ErrServed. Whoever only looks or makes a backup needs no
// claim. On PostgreSQL, which several servers may share, it does nothing.
func Claim(ctx context.Context, config Config, log *slog.Logger) (release func() error, err error) {
	if config.URL != "" || config.DataDir == "" {
		return func() error { return nil }, nil
	}
	if err := os.MkdirAll(config.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("make the data directory: %w; name one that can be written with LETTERLOCK_DATA_DIR", err)
	}
	path := filepath.Join(config.DataDir, sqliteClaimFile)
	lock := flock.New(path, flock.SetPermissions(0o600))
	held, err := lock.TryLock()
	if err == nil && !held {
		log.Warn("another server runs on this database; waiting for it to end", "lock", path, "for", claimTimeout)
		held, err = awaitClaim(ctx, lock)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("claim the database for this server (lock %s): %w", path, err)
	case !held:
		return nil, fmt.Errorf("%w: it holds %s; stop that one first, or give each a LETTERLOCK_DATA_DIR of its own (several servers share PostgreSQL alone)",
			ErrServed, path)
	}
	return lock.Unlock, nil
}

// awaitClaim says whether the lock was let go in time.
func awaitClaim(ctx context.Context, lock *flock.Flock) (held bool, err error) {
	waiting, cancel := context.WithTimeout(ctx, claimTimeout)
	defer cancel()
	held, err = lock.TryLockContext(waiting, claimRetry)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return false, nil
	}
	return held, err
}
