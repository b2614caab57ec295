package tally

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/letterlock/letterlock/ent"
	"github.com/letterlock/letterlock/ent/store"
)

// keySize is the length of the key, in bytes.
const keySize = 32

// hashKey gives the key that all nodes hash by whom a limit is for. It lies in the store, so it hides nothing from who has the store; it
// keeps all others from choosing with whom they share a row. The first who needs it makes it.
func (t *Tally) hashKey(ctx context.Context, tx *ent.Tx) ([]byte, error) {
	if key := t.key.Load(); key != nil {
		return *key, nil
	}
	row, err := tx.Store.Query().Only(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the key of counts: %w", err)
	}
	if row.RateKey != nil {
		t.key.Store(&row.RateKey)
		return row.RateKey, nil
	}
	key := make([]byte, keySize)
	_, _ = rand.Read(key) // never fails, by its contract
	if err := tx.Store.Update().Where(store.RateKeyIsNil()).SetRateKey(key).Exec(ctx); err != nil {
		return nil, fmt.Errorf("make the key of counts: %w", err)
	}
	// Another node may have been first. What is not committed is not remembered.
	if row, err = tx.Store.Query().Only(ctx); err == nil && row.RateKey == nil {
		err = errors.New("there is none")
	}
	if err != nil {
		return nil, fmt.Errorf("read the key of counts: %w", err)
	}
	return row.RateKey, nil
}
