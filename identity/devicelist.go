package identity

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
)

const listContext = "letterlock/device-list/v1"

const (
	listHeadSize = 114 // up to and without the entries
	// MaxDevices is how many entries a list can have.
	MaxDevices = 100
	// MaxDeviceListSize is the length of the longest device list, in bytes.
	MaxDeviceListSize = listHeadSize + MaxDevices*MaxEntrySize + 2*SignatureSize
)

// DeviceList is one version of a user's devices, verified as far as it can be alone: its keys, entries and signatures,
// but for the signature of an author that it does not name itself. Chain checks the rest. Read it; what is written into
// the fields does not change the statement.
type DeviceList struct {
	UserKey  SigningPublicKey
	Version  uint32   // from 1
	Previous [32]byte // Hash of the version before; zero for version 1
	Author   DeviceID
	Entries  []Entry // in ascending order of raw device id

	statement []byte
	hash      [32]byte
}

// ParseDeviceList reads a list and checks everything that can be checked without the version before: form, keys,
// entries (S4.1, S4.2), order, the user's signature and, if the author is on the list, the author's (S3.1, S3.2).
//
// It does not know whose list was asked for: compare UserID, or extend a Chain, which does. It fails with ErrListForm,
// ErrListVersion, ErrListOrder, ErrListFirst, ErrKeyReused, ErrEntryUser, ErrSignature or an error of ParseEntry.
func ParseDeviceList(statement []byte) (*DeviceList, error) {
	return parseDeviceList(statement, nil)
}

// parseDeviceList spares itself the entries that are known, byte for byte: most of a list is in the version before.
func parseDeviceList(statement []byte, known map[DeviceID]*history) (*DeviceList, error) {
	if len(statement) > MaxDeviceListSize {
		return nil, ErrListForm
	}
	statement = slices.Clone(statement)
	list := &DeviceList{statement: statement, hash: sha256.Sum256(statement)}
	r := reader{rest: statement}
	if err := list.readHead(&r); err != nil {
		return nil, err
	}
	// The user's signature comes first: without it nothing else is worth the work.
	if !list.UserKey.Verify(list.signed(), list.userSignature()) {
		return nil, fmt.Errorf("user key: %w", ErrSignature)
	}
	if err := list.readEntries(&r, known); err != nil {
		return nil, err
	}
	if err := list.checkKeys(); err != nil {
		return nil, err
	}
	if err := list.checkAuthor(); err != nil {
		return nil, err
	}
	return list, nil
}

// UserID gives the id of the user whose key signed the list.
func (l *DeviceList) UserID() UserID { return NewUserID(l.UserKey) }

// Entry gives the entry of a device, if the list has one.
func (l *DeviceList) Entry(id DeviceID) (Entry, bool) {
	i, found := slices.BinarySearchFunc(l.Entries, id, func(e Entry, id DeviceID) int {
		own := e.DeviceID()
		return bytes.Compare(own[:], id[:])
	})
	if !found {
		return Entry{}, false
	}
	return l.Entries[i], true
}

func (l *DeviceList) clone() *DeviceList {
	list := *l
	list.Entries = slices.Clone(list.Entries)
	return &list
}

// Hash gives SHA-256 of the whole statement, signatures included: what the next version and sealed content name.
func (l *DeviceList) Hash() [32]byte { return l.hash }

// Statement gives a copy of the signed bytes, signatures included.
func (l *DeviceList) Statement() []byte { return slices.Clone(l.statement) }

func (l *DeviceList) signed() []byte { return l.statement[:len(l.statement)-2*SignatureSize] }

func (l *DeviceList) userSignature() []byte {
	return l.statement[len(l.statement)-2*SignatureSize : len(l.statement)-SignatureSize]
}

func (l *DeviceList) authorSignature() []byte { return l.statement[len(l.statement)-SignatureSize:] }

// readHead reads what stands before the entries and makes sure that two signatures stand at the end. The layout
// stands in docs/protocol.md, Device list.
func (l *DeviceList) readHead(r *reader) error {
	known := r.context(listContext)
	userKey := r.take(32)
	l.Version = r.uint32()
	l.Previous = [32]byte(r.take(32))
	l.Author = DeviceID(r.take(rawIDLength))
	count := int(r.uint8())
	if r.short || !known || count < 1 || count > MaxDevices || len(r.rest) < count*MinEntrySize+2*SignatureSize {
		return ErrListForm
	}
	if l.Version == 0 {
		return ErrListVersion
	}
	if l.Version == 1 && (count != 1 || l.Previous != [32]byte{}) {
		return ErrListFirst
	}
	l.Entries = make([]Entry, count)
	var err error
	if l.UserKey, err = ParseSigningPublicKey(userKey); err != nil {
		return fmt.Errorf("user key: %w", err)
	}
	return nil
}

func (l *DeviceList) readEntries(r *reader, known map[DeviceID]*history) error {
	user := l.UserID()
	var last DeviceID
	for i := range l.Entries {
		entry, err := readKnownEntry(r, known)
		if err != nil {
			return fmt.Errorf("entry %d: %w", i, err)
		}
		if entry.UserID != user {
			return ErrEntryUser
		}
		id := entry.DeviceID()
		if i > 0 && bytes.Compare(last[:], id[:]) >= 0 {
			return ErrListOrder
		}
		last = id
		l.Entries[i] = entry
	}
	if len(r.rest) != 2*SignatureSize {
		return ErrListForm
	}
	return nil
}

// checkKeys is S1.1 as far as a list can show it: no key stands on it twice. (Signing keys differ as their ids do.)
func (l *DeviceList) checkKeys() error {
	seen := make(map[[32]byte]bool, 2*len(l.Entries))
	for i := range l.Entries {
		entry := &l.Entries[i]
		if entry.SigningKey == l.UserKey || seen[entry.AgreementKey] {
			return ErrKeyReused
		}
		seen[entry.AgreementKey] = true
		if !entry.Protocols.Has(ProtocolBox) {
			continue
		}
		if seen[entry.BoxKey] {
			return ErrKeyReused
		}
		seen[entry.BoxKey] = true
	}
	return nil
}

// checkAuthor verifies the author's signature if the list itself names the author's key. Version 1 must (S3.2).
func (l *DeviceList) checkAuthor() error {
	author, listed := l.Entry(l.Author)
	if !listed {
		if l.Version == 1 {
			return ErrListFirst
		}
		return nil
	}
	return l.verifyAuthor(author)
}

func (l *DeviceList) verifyAuthor(author Entry) error {
	if !author.SigningKey.Verify(l.signed(), l.authorSignature()) {
		return fmt.Errorf("author: %w", ErrSignature)
	}
	return nil
}
