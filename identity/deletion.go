package identity

import (
	"encoding/binary"
	"fmt"
	"slices"
)

const (
	deletionContext = "letterlock/user-deletion/v1"
	// MaxDeletionSize is the length of the longest statement of a deletion, in bytes.
	MaxDeletionSize = len(deletionContext) + 32 + 4 + 2 + maxOriginLength + SignatureSize
)

// Deletion is the word of a user, signed by the user key, that one server is to forget all about them (S7). Make one with
// ParseDeletion.
type Deletion struct {
	UserKey SigningPublicKey
	// Version is that of the device list that holds: the word is good while it does.
	Version uint32
	// Origin is the server's.
	Origin string
}

// UserID gives the id of the user whose key signed.
func (d Deletion) UserID() UserID { return NewUserID(d.UserKey) }

// SignDeletion makes the statement that deletes a user at the server with this canonical origin, while this version of the
// device list holds. It refuses what ParseDeletion refuses.
func SignDeletion(user Signer, version uint32, origin string) ([]byte, error) {
	if len(origin) > maxOriginLength {
		return nil, ErrOrigin
	}
	key := user.PublicKey()
	b := append(make([]byte, 0, MaxDeletionSize), deletionContext...)
	b = append(b, key[:]...)
	b = binary.BigEndian.AppendUint32(b, version)
	b = binary.BigEndian.AppendUint16(b, uint16(len(origin))) //nolint:gosec // at most maxOriginLength
	b = append(b, origin...)
	signature, err := user.Sign(b)
	if err != nil {
		return nil, fmt.Errorf("sign deletion: %w", err)
	}
	b = append(b, signature...)
	_, err = ParseDeletion(b)
	return b, err
}

// ParseDeletion reads the statement of a deletion and verifies it under the user key in it (S7.1). It fails with
// ErrDeletionForm, ErrListVersion, ErrSignature or an error of the key parser.
func ParseDeletion(statement []byte) (Deletion, error) {
	if len(statement) > MaxDeletionSize {
		return Deletion{}, ErrDeletionForm
	}
	statement = slices.Clone(statement)
	r := reader{rest: statement}
	known := r.context(deletionContext)
	userKey := r.take(32)
	version := r.uint32()
	origin := string(r.take(int(r.uint16())))
	signature := r.take(SignatureSize)
	if r.short || !known || len(r.rest) > 0 {
		return Deletion{}, ErrDeletionForm
	}
	key, err := ParseSigningPublicKey(userKey)
	if err != nil {
		return Deletion{}, fmt.Errorf("user key: %w", err)
	}
	canonical, err := Origin(origin)
	switch {
	case version == 0:
		return Deletion{}, ErrListVersion
	case err != nil || canonical != origin:
		return Deletion{}, ErrDeletionForm
	case !key.Verify(statement[:len(statement)-SignatureSize], signature):
		return Deletion{}, ErrSignature
	}
	return Deletion{UserKey: key, Version: version, Origin: origin}, nil
}
