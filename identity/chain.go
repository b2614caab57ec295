package identity

import (
	"bytes"
	"slices"
)

// MaxChainSize bounds the statements of one chain, in bytes (S3.7), so that nobody makes their contacts and servers hold
// lists without end. It is room for some 3,000 versions with five devices.
const MaxChainSize = 4 << 20

// Standing is what a chain says of a device.
type Standing int

const (
	// Unknown: no version names the device.
	Unknown Standing = iota
	// Listed: the newest version names the device.
	Listed
	// Removed: an older version names the device; it never comes back (S4.4).
	Removed
)

// Chain is the verified chain of one user's device lists, from version 1 on. It only grows: what it holds can't be
// replaced or shortened (S3.3, S3.5). It is not safe for use by several goroutines while one extends it.
type Chain struct {
	user       UserID
	first      *DeviceList
	head       *DeviceList
	statements [][]byte
	hashes     [][32]byte
	devices    map[DeviceID]*history
	size       int // of all statements, in bytes
}

// history is what a chain knows of one device, for S4.4.
type history struct {
	latest  Entry
	dropped Protocols // accepted once, no longer
	removed bool
}

// NewChain makes an empty chain of this user. The id decides which user key the chain takes (S3.1).
func NewChain(user UserID) *Chain {
	return &Chain{user: user, devices: make(map[DeviceID]*history)}
}

// ParseChain makes a chain of statements, oldest first, and verifies all of it.
func ParseChain(user UserID, statements [][]byte) (*Chain, error) {
	chain := NewChain(user)
	for _, statement := range statements {
		if err := chain.Extend(statement); err != nil {
			return nil, err
		}
	}
	return chain, nil
}

// Extend verifies the next version and adds it. Adding the newest version again changes nothing and succeeds. Whatever
// fails changes nothing: besides ParseDeviceList's errors, these are ErrListUser, ErrListOlder, ErrListGap,
// ErrEquivocation (which a client must tell its user about, S3.4), ErrListPrevious, ErrListAuthor, ErrAgreementKey,
// ErrCreatedAt, ErrProtocolDropped, ErrDeviceRemoved and ErrChainTooLong.
func (c *Chain) Extend(statement []byte) error {
	if c.head != nil && bytes.Equal(statement, c.head.statement) {
		return nil
	}
	list, err := parseDeviceList(statement, c.devices)
	if err != nil {
		return err
	}
	if err := c.checkNext(list); err != nil {
		return err
	}
	c.add(list)
	return nil
}

// User gives the id of the chain's user.
func (c *Chain) User() UserID { return c.user }

// Head gives a copy of the newest version, or nil if the chain is empty.
func (c *Chain) Head() *DeviceList {
	if c.head == nil {
		return nil
	}
	return c.head.clone()
}

// Version gives the newest version, or 0 if the chain is empty.
func (c *Chain) Version() uint32 { return uint32(len(c.hashes)) } //nolint:gosec // MaxChainSize bounds it

// Hash gives the hash of a version that the chain holds.
func (c *Chain) Hash(version uint32) (hash [32]byte, held bool) {
	if version < 1 || version > c.Version() {
		return hash, false
	}
	return c.hashes[version-1], true
}

// At gives a copy of a version that the chain holds: what was sealed under an older list is opened with the keys of that one.
func (c *Chain) At(version uint32) (*DeviceList, bool) {
	if _, held := c.Hash(version); !held {
		return nil, false
	}
	switch version {
	case c.Version():
		return c.Head(), true
	case 1:
		return c.first.clone(), true
	}
	list, err := ParseDeviceList(c.statements[version-1])
	return list, err == nil
}

// Clone gives a chain of its own that says the same.
func (c *Chain) Clone() *Chain {
	other := *c
	other.statements = slices.Clone(c.statements) // statements, lists and entries are never written to
	other.hashes = slices.Clone(c.hashes)
	other.devices = make(map[DeviceID]*history, len(c.devices))
	for id, known := range c.devices {
		own := *known
		other.devices[id] = &own
	}
	return &other
}

// Is reports whether the chain's statements are these, byte for byte.
func (c *Chain) Is(statements [][]byte) bool {
	return slices.EqualFunc(c.statements, statements, bytes.Equal)
}

// Size gives the length of all statements together, in bytes.
func (c *Chain) Size() int { return c.size }

// Statements gives copies of the signed bytes of all versions, oldest first.
func (c *Chain) Statements() [][]byte {
	all := make([][]byte, len(c.statements))
	for i, statement := range c.statements {
		all[i] = slices.Clone(statement)
	}
	return all
}

// Device gives a device's standing and, unless it is Unknown, the newest entry that a version of the chain has for it.
func (c *Chain) Device(id DeviceID) (Entry, Standing) {
	known, ok := c.devices[id]
	switch {
	case !ok:
		return Entry{}, Unknown
	case known.removed:
		return known.latest, Removed
	default:
		return known.latest, Listed
	}
}

// checkNext is S3.1 to S3.5 for a list that ParseDeviceList has accepted.
func (c *Chain) checkNext(list *DeviceList) error {
	if list.UserID() != c.user {
		return ErrListUser
	}
	if held, ok := c.Hash(list.Version); ok {
		if held == list.hash {
			return ErrListOlder
		}
		return ErrEquivocation
	}
	if list.Version != c.Version()+1 {
		return ErrListGap
	}
	if c.size+len(list.statement) > MaxChainSize {
		return ErrChainTooLong
	}
	if c.head != nil {
		if err := list.checkExtends(c.head); err != nil {
			return err
		}
	}
	return c.checkHistory(list)
}

// checkExtends is S3.2 and S3.3 for a version and the one before.
func (l *DeviceList) checkExtends(previous *DeviceList) error {
	if l.UserKey != previous.UserKey {
		return ErrListUser
	}
	if l.Previous != previous.hash {
		return ErrListPrevious
	}
	author, listed := previous.Entry(l.Author)
	if !listed {
		return ErrListAuthor
	}
	return l.verifyAuthor(author)
}

// checkHistory is S4.4.
func (c *Chain) checkHistory(list *DeviceList) error {
	for i := range list.Entries {
		entry := &list.Entries[i]
		known, ok := c.devices[entry.DeviceID()]
		switch {
		case !ok:
		case known.removed:
			return ErrDeviceRemoved
		case known.latest.AgreementKey != entry.AgreementKey:
			return ErrAgreementKey
		case !known.latest.CreatedAt.Equal(entry.CreatedAt):
			return ErrCreatedAt
		case known.dropped&entry.Protocols != 0:
			return ErrProtocolDropped
		}
	}
	return nil
}

// add takes a list that checkNext has accepted.
func (c *Chain) add(list *DeviceList) {
	if c.head != nil {
		for _, entry := range c.head.Entries {
			id := entry.DeviceID()
			_, listed := list.Entry(id)
			c.devices[id].removed = !listed
		}
	}
	for _, entry := range list.Entries {
		id := entry.DeviceID()
		known, ok := c.devices[id]
		if !ok {
			known = &history{latest: entry}
			c.devices[id] = known
		}
		known.dropped |= known.latest.Protocols &^ entry.Protocols
		known.latest = entry
	}
	if c.first == nil {
		c.first = list
	}
	c.head = list
	c.statements = append(c.statements, list.statement)
	c.hashes = append(c.hashes, list.hash)
	c.size += len(list.statement)
}
