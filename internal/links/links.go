// Package links keeps the slots in which a new device and an existing one of the same user leave messages for each other
// (protocol L1.3). Neither has a token for it: the slot's name, which only the two can derive, is all that is asked for. What
// lies in a slot is sealed, or public; the server can lose it, no more.
//
// Expected failures are *problem.Error, and have changed nothing.
package links

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/letterlock/letterlock/ent"
	"github.com/letterlock/letterlock/ent/linkmessage"
	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/limits"
	"github.com/letterlock/letterlock/internal/problem"
)

// Bounds of a slot (L1.3).
const (
	SlotSize = 16
	Steps    = 4
	MaxData  = 8 << 10
)

const defaultMaxSlots = 10_000

// fullRetryAfter is when a caller who found no room should come again.
const fullRetryAfter = 10 * time.Second

// writing is what the operator reads of where the store fails.
const writing = "write into a link slot"

// Options are what Slots need to be told. The zero value of a field means its default.
type Options struct {
	// MaxSlots is how many slots may be open at once; default 10,000. Concurrent transactions may exceed it by a few.
	MaxSlots int
	// Now is the clock; default time.Now.
	Now func() time.Time
}

// Slots is safe for use by several goroutines.
type Slots struct {
	db      *database.DB
	options Options
}

// New makes Slots over a store.
func New(db *database.DB, options Options) *Slots {
	if options.MaxSlots <= 0 {
		options.MaxSlots = defaultMaxSlots
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	return &Slots{db, options}
}

// Put writes a step of a slot and gives the time at which the slot ends. Step 0 opens the slot; every other one needs the step
// before it. The same bytes again give the same answer.
//
// It fails with BAD_INPUT, LINK_TAKEN (the step holds other bytes), LINK_EXPIRED, OVERLOADED, STORE_UNAVAILABLE or
// OUTCOME_UNKNOWN.
func (s *Slots) Put(ctx context.Context, slot []byte, step int, data []byte) (time.Time, error) {
	if err := checkPlace(slot, step); err != nil {
		return time.Time{}, err
	}
	if len(data) == 0 || len(data) > MaxData {
		return time.Time{}, problem.New(problem.BadInput, fmt.Sprintf("`data` must have 1 to %d bytes.", MaxData))
	}
	var ends int64
	err := database.Again(writing, func() error {
		return s.db.Write(ctx, writing, func(ctx context.Context, tx *ent.Tx) (err error) {
			ends, err = s.put(ctx, tx, slot, int8(step), data) //nolint:gosec // below Steps
			return err
		})
	})
	if err != nil {
		return time.Time{}, err
	}
	return time.UnixMicro(ends).UTC(), nil
}

// Get gives a step of a slot; nil if it was not written, or has expired.
func (s *Slots) Get(ctx context.Context, slot []byte, step int) ([]byte, error) {
	if err := checkPlace(slot, step); err != nil {
		return nil, err
	}
	row, err := s.db.Ent.LinkMessage.Query().Where(
		linkmessage.Slot(slot), linkmessage.Step(int8(step)), linkmessage.ExpiresAtGT(s.now()), //nolint:gosec // below Steps
	).Only(ctx)
	switch {
	case ent.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, database.Unavailable("read a link slot", err)
	}
	return row.Data, nil
}

func checkPlace(slot []byte, step int) error {
	if len(slot) != SlotSize {
		return problem.New(problem.BadInput, fmt.Sprintf("`slot` must have %d bytes.", SlotSize))
	}
	if step < 0 || step >= Steps {
		return problem.New(problem.BadInput, fmt.Sprintf("`step` must be from 0 to %d.", Steps-1))
	}
	return nil
}

func (s *Slots) put(ctx context.Context, tx *ent.Tx, slot []byte, step int8, data []byte) (int64, error) {
	written, err := s.open(ctx, tx, slot)
	if err != nil {
		return 0, err
	}
	at := func(step int8) *ent.LinkMessage {
		if i := slices.IndexFunc(written, func(m *ent.LinkMessage) bool { return m.Step == step }); i >= 0 {
			return written[i]
		}
		return nil
	}
	if before := at(step); before != nil {
		if !bytes.Equal(before.Data, data) {
			return 0, problem.New(problem.LinkTaken, "This step of the slot was written before, with other bytes. Start the link anew.")
		}
		return before.ExpiresAt, nil
	}
	ends := s.now() + limits.LinkLifetime.Microseconds()
	if step > 0 {
		before := at(step - 1)
		if before == nil {
			return 0, problem.New(problem.LinkExpired, "The slot has expired, or its step before was not written. Start the link anew.")
		}
		ends = before.ExpiresAt
	} else if err := s.room(ctx, tx); err != nil {
		return 0, err
	}
	return ends, tx.LinkMessage.Create().SetSlot(slot).SetStep(step).SetData(data).SetExpiresAt(ends).Exec(ctx)
}

// open gives what is written in a slot. A slot whose time is over is emptied first.
func (s *Slots) open(ctx context.Context, tx *ent.Tx, slot []byte) ([]*ent.LinkMessage, error) {
	_, err := tx.LinkMessage.Delete().Where(linkmessage.Slot(slot), linkmessage.ExpiresAtLTE(s.now())).Exec(ctx)
	if err != nil {
		return nil, err
	}
	return tx.LinkMessage.Query().Where(linkmessage.Slot(slot)).All(ctx)
}

// room refuses another slot where there are too many: nobody who opens one has shown who they are.
func (s *Slots) room(ctx context.Context, tx *ent.Tx) error {
	count, err := tx.LinkMessage.Query().Where(linkmessage.Step(0), linkmessage.ExpiresAtGT(s.now())).Count(ctx)
	if err != nil || count < s.options.MaxSlots {
		return err
	}
	full := problem.New(problem.Overloaded, "Too many devices are being linked at once. Try again.")
	full.RetryAfter = fullRetryAfter
	return full
}

// now is the clock in the precision of the store.
func (s *Slots) now() int64 { return s.options.Now().UnixMicro() }
