package identity

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"time"
)

const entryContext = "letterlock/entry/v1"

const (
	entryHeadSize = 113 // up to and without the box key
	// MinEntrySize is the length of an entry without a box key, in bytes.
	MinEntrySize = entryHeadSize + SignatureSize
	// MaxEntrySize is the length of an entry with a box key, in bytes.
	MaxEntrySize = MinEntrySize + 32
)

// Protocols is the set of what a device accepts. Bits without a name here are kept and mean nothing yet.
type Protocols uint16

const (
	// ProtocolBox: the device opens boxes, and its entry has a box key.
	ProtocolBox Protocols = 1 << iota
	// ProtocolSession: the device has sessions; a box is never used for it (B3).
	ProtocolSession
)

// Has reports whether all of these are in the set.
func (p Protocols) Has(these Protocols) bool { return p&these == these }

// Entry is what one device says of itself, verified. Read it; only ParseEntry, ParseDeviceList and SignEntry make one
// that can stand on a list, whatever is written into the fields.
type Entry struct {
	UserID       UserID
	SigningKey   SigningPublicKey
	AgreementKey AgreementPublicKey
	Protocols    Protocols
	CreatedAt    time.Time    // UTC, whole microseconds
	BoxKey       BoxPublicKey // if and only if Protocols has ProtocolBox; otherwise zero

	statement []byte
}

// EntryFields is what a device chooses when it signs its entry.
type EntryFields struct {
	UserID       UserID
	AgreementKey AgreementPublicKey
	Protocols    Protocols
	CreatedAt    time.Time    // from 1970 on; cut to microseconds
	BoxKey       BoxPublicKey // ignored without ProtocolBox
}

// DeviceID gives the id of the entry's device.
func (e Entry) DeviceID() DeviceID { return NewDeviceID(e.SigningKey) }

// Statement gives a copy of the signed bytes: MinEntrySize of them, or MaxEntrySize with a box key.
func (e Entry) Statement() []byte { return slices.Clone(e.statement) }

// SignEntry makes the entry of the device that holds the signing key. It refuses what ParseEntry refuses.
func SignEntry(fields EntryFields, device Signer) (Entry, error) {
	signingKey := device.PublicKey()
	b := make([]byte, 0, MaxEntrySize)
	b = append(b, entryContext...)
	b = append(b, fields.UserID[:]...)
	b = append(b, signingKey[:]...)
	b = append(b, fields.AgreementKey[:]...)
	b = binary.BigEndian.AppendUint16(b, uint16(fields.Protocols))
	b, err := appendInstant(b, fields.CreatedAt)
	if err != nil {
		return Entry{}, err
	}
	if fields.Protocols.Has(ProtocolBox) {
		b = append(b, fields.BoxKey[:]...)
	}
	signature, err := device.Sign(b)
	if err != nil {
		return Entry{}, fmt.Errorf("sign entry: %w", err)
	}
	return ParseEntry(append(b, signature...))
}

// ParseEntry reads and verifies one entry (S4.1). It fails with ErrEntryForm, ErrEntryProtocols, ErrKeyReused,
// ErrSignature or an error of the key parsers.
func ParseEntry(statement []byte) (Entry, error) {
	if len(statement) > MaxEntrySize {
		return Entry{}, ErrEntryForm
	}
	r := reader{rest: slices.Clone(statement)}
	entry, err := readEntry(&r)
	if err != nil {
		return Entry{}, err
	}
	if len(r.rest) != 0 {
		return Entry{}, ErrEntryForm
	}
	return entry, nil
}

// readEntry takes one entry off the front and keeps a part of what it reads. The layout stands in docs/protocol.md, Entry.
func readEntry(r *reader) (Entry, error) {
	statement := r.rest
	known := r.context(entryContext)
	entry := Entry{UserID: UserID(r.take(rawIDLength))}
	signingKey, agreementKey := r.take(32), r.take(32)
	entry.Protocols = Protocols(r.uint16())
	createdAt, inRange := r.instant()
	var boxKey []byte
	if entry.Protocols.Has(ProtocolBox) {
		boxKey = r.take(32)
	}
	signed := len(statement) - len(r.rest)
	signature := r.take(SignatureSize)
	if r.short || !known || !inRange {
		return Entry{}, ErrEntryForm
	}
	if entry.Protocols == 0 {
		return Entry{}, ErrEntryProtocols
	}
	entry.CreatedAt = createdAt
	if err := entry.setKeys(signingKey, agreementKey, boxKey); err != nil {
		return Entry{}, err
	}
	if !entry.SigningKey.Verify(statement[:signed], signature) {
		return Entry{}, ErrSignature
	}
	entry.statement = slices.Clip(statement[:signed+SignatureSize])
	return entry, nil
}

// readKnownEntry is readEntry, but takes an entry that was verified before as it is.
func readKnownEntry(r *reader, known map[DeviceID]*history) (Entry, error) {
	if len(known) > 0 && len(r.rest) >= MinEntrySize {
		id := NewDeviceID(SigningPublicKey(r.rest[39:71]))
		if before, ok := known[id]; ok && bytes.HasPrefix(r.rest, before.latest.statement) {
			r.take(len(before.latest.statement))
			return before.latest, nil
		}
	}
	return readEntry(r)
}

// setKeys is S2 and, as far as one entry can show it, S1.1.
func (e *Entry) setKeys(signing, agreement, box []byte) (err error) {
	if e.SigningKey, err = ParseSigningPublicKey(signing); err != nil {
		return fmt.Errorf("signing key: %w", err)
	}
	if e.AgreementKey, err = ParseAgreementPublicKey(agreement); err != nil {
		return fmt.Errorf("agreement key: %w", err)
	}
	if box == nil {
		return nil
	}
	if e.BoxKey, err = ParseBoxPublicKey(box); err != nil {
		return fmt.Errorf("box key: %w", err)
	}
	if [32]byte(e.BoxKey) == [32]byte(e.AgreementKey) {
		return ErrKeyReused
	}
	return nil
}
