package directory

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/letterlock/letterlock/ent"
	"github.com/letterlock/letterlock/ent/device"
	"github.com/letterlock/letterlock/ent/prekey"
	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/problem"
)

// PrekeyUpload are statements of one device's prekeys (R2); nil and empty leave what is there.
type PrekeyUpload struct {
	Signed, KEMLastResort []byte
	OneTime, KEMOneTime   [][]byte
}

// PrekeyCount is what is stored of a device's prekeys.
type PrekeyCount struct {
	OneTime, KEMOneTime   int
	Signed, KEMLastResort uint32 // numbers; 0 for none
}

// UploadPrekeys stores prekeys of the calling device, all or nothing. A signed or last-resort prekey replaces the one
// before; a one-time number that was stored before is passed over, so that a repeated call brings back no key that was handed out.
//
// It fails with BAD_INPUT (too many), STATEMENT_INVALID, DEVICE_REMOVED, STORE_UNAVAILABLE or OUTCOME_UNKNOWN.
func (d *Directory) UploadPrekeys(ctx context.Context, caller Device, upload PrekeyUpload) (count PrekeyCount, err error) {
	verified, err := d.verifyPrekeys(caller, upload)
	if err != nil {
		return PrekeyCount{}, err
	}
	err = again(func() error {
		return d.write(ctx, func(ctx context.Context, tx *ent.Tx) error {
			if err := d.storePrekeys(ctx, tx, caller.ID, verified); err != nil {
				return err
			}
			count, err = countPrekeys(ctx, tx.Prekey, caller.ID)
			return err
		})
	})
	return count, err
}

// PrekeyCount tells what is stored of the calling device's prekeys.
func (d *Directory) PrekeyCount(ctx context.Context, caller Device) (PrekeyCount, error) {
	count, err := countPrekeys(ctx, d.db.Ent.Prekey, caller.ID)
	if err != nil {
		return PrekeyCount{}, database.Unavailable("count prekeys", err)
	}
	return count, nil
}

// verifyPrekeys verifies each statement under the device's registered key. Work is bounded before it begins, and ends at the
// first statement that is refused.
func (d *Directory) verifyPrekeys(caller Device, upload PrekeyUpload) ([]identity.Prekey, error) {
	if most := d.options.MaxOneTimePrekeys; len(upload.OneTime) > most || len(upload.KEMOneTime) > most {
		return nil, tooManyPrekeys(most)
	}
	var verified []identity.Prekey
	for _, part := range []struct {
		kind       identity.PrekeyKind
		statements [][]byte
	}{
		{identity.PrekeySigned, given(upload.Signed)},
		{identity.PrekeyKEMLastResort, given(upload.KEMLastResort)},
		{identity.PrekeyOneTime, upload.OneTime},
		{identity.PrekeyKEMOneTime, upload.KEMOneTime},
	} {
		for _, statement := range part.statements {
			prekey, err := verifyPrekey(caller, part.kind, statement)
			if err != nil {
				return nil, err
			}
			verified = append(verified, prekey)
		}
	}
	return verified, nil
}

// given makes a list of a statement that may have been left out.
func given(statement []byte) [][]byte {
	if statement == nil {
		return nil
	}
	return [][]byte{statement}
}

func verifyPrekey(caller Device, kind identity.PrekeyKind, statement []byte) (identity.Prekey, error) {
	prekey, err := identity.ParsePrekey(statement, caller.User, caller.SigningKey)
	switch {
	case err != nil:
		return identity.Prekey{}, prekeyInvalid(err.Error())
	case prekey.Kind != kind:
		return identity.Prekey{}, prekeyInvalid("it is of another kind than the field that it stands in")
	case prekey.Number > math.MaxInt32: // what `prekeyCount` can show
		return identity.Prekey{}, prekeyInvalid("its number is above 2^31 - 1")
	}
	return prekey, nil
}

func tooManyPrekeys(most int) error {
	return problem.New(problem.BadInput, fmt.Sprintf("A device may have %d one-time prekeys of each kind waiting. Ask `prekeyCount` and upload fewer.", most))
}

func prekeyInvalid(why string) error {
	return problem.New(problem.StatementInvalid, "A prekey is refused: "+why+". Correct it and sign it anew.")
}

// storePrekeys works under the lock of the device's row.
func (d *Directory) storePrekeys(ctx context.Context, tx *ent.Tx, id identity.DeviceID, prekeys []identity.Prekey) error {
	row, err := d.lockDevice(ctx, tx, id)
	if ent.IsNotFound(err) {
		return deviceDeleted()
	}
	if err != nil {
		return err
	}
	if row.RemovedAt != nil {
		return deviceRemoved()
	}
	stored, err := tx.Prekey.Query().Where(prekey.DeviceID(row.ID)).All(ctx)
	if err != nil {
		return err
	}
	s := &prekeyStore{row: row, stored: stored, oneTime: row.OneTimeNumber, kemOneTime: row.KemOneTimeNumber}
	for _, key := range prekeys {
		if err := s.sort(key); err != nil {
			return err
		}
	}
	if err := s.bounded(d.options.MaxOneTimePrekeys); err != nil {
		return err
	}
	return s.write(ctx, tx, d.options.Now().UnixMicro())
}

func (d *Directory) lockDevice(ctx context.Context, tx *ent.Tx, id identity.DeviceID) (*ent.Device, error) {
	query := tx.Device.Query().Where(device.ID(id.String()))
	if d.postgres() {
		query = query.ForUpdate()
	}
	return query.Only(ctx)
}

// prekeyStore is an upload on its way into the rows of one device.
type prekeyStore struct {
	row                 *ent.Device
	stored              []*ent.Prekey
	oneTime, kemOneTime uint32 // the highest numbers ever stored
	added               []identity.Prekey
	replaced            []int64
}

// sort decides what becomes of one prekey.
func (s *prekeyStore) sort(key identity.Prekey) error {
	same := slices.IndexFunc(s.stored, func(p *ent.Prekey) bool {
		return kindOf(p) == key.Kind && p.Number == key.Number
	})
	if same >= 0 {
		if !bytes.Equal(s.stored[same].Statement, key.Statement()) {
			return prekeyInvalid("another one has its number")
		}
		return nil
	}
	switch key.Kind {
	case identity.PrekeyOneTime:
		return s.sortOneTime(key, s.row.OneTimeNumber, &s.oneTime)
	case identity.PrekeyKEMOneTime:
		return s.sortOneTime(key, s.row.KemOneTimeNumber, &s.kemOneTime)
	default:
		return s.sortReplacing(key)
	}
}

func (s *prekeyStore) sortOneTime(key identity.Prekey, before uint32, highest *uint32) error {
	if key.Number <= before {
		return nil // stored once, and handed out since
	}
	if slices.ContainsFunc(s.added, func(p identity.Prekey) bool { return p.Kind == key.Kind && p.Number == key.Number }) {
		return prekeyInvalid("a number stands twice in the upload")
	}
	*highest = max(*highest, key.Number)
	s.added = append(s.added, key)
	return nil
}

func (s *prekeyStore) sortReplacing(key identity.Prekey) error {
	for _, p := range s.stored {
		if kindOf(p) != key.Kind {
			continue
		}
		if p.Number > key.Number {
			return prekeyInvalid("its number is lower than that of the one before")
		}
		s.replaced = append(s.replaced, p.ID)
	}
	s.added = append(s.added, key)
	return nil
}

// bounded refuses what would exceed the limit. A device that exceeds it already, since the limit was lowered, may still replace
// its signed and last-resort prekeys.
func (s *prekeyStore) bounded(most int) error {
	added, waiting := make(map[identity.PrekeyKind]int), make(map[identity.PrekeyKind]int)
	for _, p := range s.added {
		added[p.Kind]++
	}
	for _, p := range s.stored {
		waiting[kindOf(p)]++
	}
	for _, kind := range []identity.PrekeyKind{identity.PrekeyOneTime, identity.PrekeyKEMOneTime} {
		if added[kind] > 0 && added[kind]+waiting[kind] > most {
			return tooManyPrekeys(most)
		}
	}
	return nil
}

func kindOf(p *ent.Prekey) identity.PrekeyKind { return identity.PrekeyKind(p.Kind) } //nolint:gosec // 1 to 4

func (s *prekeyStore) write(ctx context.Context, tx *ent.Tx, now int64) error {
	if len(s.replaced) > 0 {
		if _, err := tx.Prekey.Delete().Where(prekey.IDIn(s.replaced...)).Exec(ctx); err != nil {
			return err
		}
	}
	rows := make([]*ent.PrekeyCreate, len(s.added))
	for i, key := range s.added {
		rows[i] = tx.Prekey.Create().SetDeviceID(s.row.ID).SetKind(int8(key.Kind)).SetNumber(key.Number). //nolint:gosec // 1 to 4
															SetStatement(key.Statement()).SetCreatedAt(now)
	}
	if err := tx.Prekey.CreateBulk(rows...).Exec(ctx); err != nil {
		return err
	}
	return tx.Device.UpdateOne(s.row).SetOneTimeNumber(s.oneTime).SetKemOneTimeNumber(s.kemOneTime).Exec(ctx)
}

func countPrekeys(ctx context.Context, client *ent.PrekeyClient, id identity.DeviceID) (count PrekeyCount, err error) {
	var groups []struct {
		Kind  int8   `json:"kind"`
		Count int    `json:"count"`
		Max   uint32 `json:"max"`
	}
	err = client.Query().Where(prekey.DeviceID(id.String())).GroupBy(prekey.FieldKind).
		Aggregate(ent.As(ent.Count(), "count"), ent.As(ent.Max(prekey.FieldNumber), "max")).Scan(ctx, &groups)
	for _, group := range groups {
		switch identity.PrekeyKind(group.Kind) { //nolint:gosec // 1 to 4
		case identity.PrekeySigned:
			count.Signed = group.Max
		case identity.PrekeyOneTime:
			count.OneTime = group.Count
		case identity.PrekeyKEMOneTime:
			count.KEMOneTime = group.Count
		case identity.PrekeyKEMLastResort:
			count.KEMLastResort = group.Max
		}
	}
	return count, err
}
