package identity

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

var (
	errLastVersion = errors.New("identity: there is no version after this one")
	errEntryCount  = errors.New("identity: a device list has 1 to 100 entries")
)

// SignDeviceList makes the version after previous (nil: version 1) with these entries, in any order, signed by the user
// key and by the author, a device of the version before. It refuses what ParseDeviceList refuses and what does not
// extend previous; what only older versions forbid (S4.4) Chain.Extend refuses.
func SignDeviceList(previous *DeviceList, user, author Signer, entries []Entry) ([]byte, error) {
	b, err := appendList(previous, user.PublicKey(), NewDeviceID(author.PublicKey()), entries)
	if err != nil {
		return nil, err
	}
	userSignature, err := user.Sign(b)
	if err != nil {
		return nil, fmt.Errorf("sign device list with the user key: %w", err)
	}
	authorSignature, err := author.Sign(b)
	if err != nil {
		return nil, fmt.Errorf("sign device list as its author: %w", err)
	}
	statement := slices.Concat(b, userSignature, authorSignature)
	list, err := ParseDeviceList(statement)
	if err != nil {
		return nil, err
	}
	if previous != nil {
		if err := list.checkExtends(previous); err != nil {
			return nil, err
		}
	}
	return statement, nil
}

// appendList gives the bytes that are signed.
func appendList(previous *DeviceList, userKey SigningPublicKey, author DeviceID, entries []Entry) ([]byte, error) {
	if len(entries) < 1 || len(entries) > MaxDevices {
		return nil, errEntryCount
	}
	var version uint32
	var hash [32]byte
	if previous != nil {
		version, hash = previous.Version, previous.Hash()
	}
	if version++; version == 0 {
		return nil, errLastVersion
	}
	sorted := slices.SortedFunc(slices.Values(entries), func(a, b Entry) int {
		x, y := a.DeviceID(), b.DeviceID()
		return bytes.Compare(x[:], y[:])
	})
	b := make([]byte, 0, MaxDeviceListSize)
	b = append(b, listContext...)
	b = append(b, userKey[:]...)
	b = binary.BigEndian.AppendUint32(b, version)
	b = append(b, hash[:]...)
	b = append(b, author[:]...)
	b = append(b, byte(len(sorted))) //nolint:gosec // at most MaxDevices
	for _, entry := range sorted {
		b = append(b, entry.statement...)
	}
	return b, nil
}
