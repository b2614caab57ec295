package database

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
)

// storeID is the id of the only row of stores.
const storeID = 1

// Epoch gives the number that tells this store from every earlier state of it. Cursors carry it (delivery contract 3).
func (db *DB) Epoch(ctx context.Context) (int64, error) {
	row, err := db.Ent.Store.Get(ctx, storeID)
	if err != nil {
		return 0, fmt.Errorf("read the store's epoch: %w", err)
	}
	return row.Epoch, nil
}

// RenewEpoch gives the store another epoch, after which every cursor given out before is refused. It is for a store
// that was restored from a backup or promoted from a replica and may lack what it once confirmed. Servers that run on
// the store must be started again.
func (db *DB) RenewEpoch(ctx context.Context) (int64, error) {
	epoch := newEpoch()
	if err := db.Ent.Store.UpdateOneID(storeID).SetEpoch(epoch).Exec(ctx); err != nil {
		return 0, fmt.Errorf("renew the store's epoch: %w", err)
	}
	return epoch, nil
}

// ensureEpoch makes the row of a new store. Of servers that start at once, one wins.
func (db *DB) ensureEpoch(ctx context.Context) error {
	exists, err := db.Ent.Store.Query().Exist(ctx)
	if err == nil && !exists {
		err = db.Ent.Store.Create().SetID(storeID).SetEpoch(newEpoch()).Exec(ctx)
		if isViolation(err) {
			err = nil
		}
	}
	if err != nil {
		return fmt.Errorf("make the store's epoch: %w", err)
	}
	return nil
}

// newEpoch gives a random number from 1 to 2^63 - 1. Two epochs of one store must differ, so chance is enough.
func newEpoch() int64 {
	for {
		var b [8]byte
		_, _ = rand.Read(b[:]) // never fails, by its contract
		if n := int64(binary.BigEndian.Uint64(b[:]) >> 1); n > 0 {
			return n
		}
	}
}
