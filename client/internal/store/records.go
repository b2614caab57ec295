package store

import (
	"context"
	"database/sql"
	"errors"
	"math"

	"github.com/letterlock/letterlock/device"
	"github.com/letterlock/letterlock/internal/vault"
)

// records is device.Records within one transaction.
type records struct {
	ctx    context.Context //nolint:containedctx // lives as long as the transaction
	conn   *sql.Conn
	cipher *vault.Cipher
}

var errNumber = errors.New("store: number out of range")

func (r *records) Get(key device.Key) ([]byte, error) {
	if key.Number > math.MaxInt64 {
		return nil, errNumber
	}
	scope := r.cipher.Scope(key.Collection, key.Owner)
	var sealed []byte
	err := r.conn.QueryRowContext(r.ctx, "SELECT value FROM records WHERE scope = ? AND number = ?",
		scope, int64(key.Number)).Scan(&sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return r.cipher.Open(scope, key.Number, sealed)
}

func (r *records) List(collection device.Collection, owner string, after uint64, limit int) (list []device.Record, err error) {
	if after > math.MaxInt64 {
		return nil, nil
	}
	scope := r.cipher.Scope(collection, owner)
	rows, err := r.conn.QueryContext(r.ctx,
		"SELECT number, value FROM records WHERE scope = ? AND number > ? ORDER BY number LIMIT ?", scope, int64(after), limit)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var (
			number int64
			sealed []byte
		)
		if err := rows.Scan(&number, &sealed); err != nil {
			return nil, err
		}
		value, err := r.cipher.Open(scope, uint64(number), sealed) //nolint:gosec // put stores nothing below 0
		if err != nil {
			return nil, err
		}
		list = append(list, device.Record{Number: uint64(number), Value: value}) //nolint:gosec // as above
	}
	return list, rows.Err()
}

func (s *Store) put(ctx context.Context, conn *sql.Conn, write device.Write) error {
	if write.Key.Number > math.MaxInt64 {
		return errNumber
	}
	scope, number := s.cipher.Scope(write.Key.Collection, write.Key.Owner), int64(write.Key.Number)
	if write.Value == nil {
		_, err := conn.ExecContext(ctx, "DELETE FROM records WHERE scope = ? AND number = ?", scope, number)
		return err
	}
	sealed, err := s.cipher.Seal(scope, write.Key.Number, write.Value)
	if err != nil {
		return err
	}
	_, err = conn.ExecContext(ctx, `INSERT INTO records (scope, number, value) VALUES (?, ?, ?)
		ON CONFLICT (scope, number) DO UPDATE SET value = excluded.value`, scope, number, sealed)
	return err
}
