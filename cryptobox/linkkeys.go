package cryptobox

import (
	"crypto/sha256"
	"encoding/binary"
	"io"

	"github.com/letterlock/letterlock/identity"
)

const linkKeysContext = "letterlock/link-keys/v1"

const (
	linkHashSize = 20
	linkHeadSize = 66 // signing key, agreement key, protocols
)

// TransferKey is an X25519 key for one link alone (L1.1): the new device's, or the existing one's for that device. It lets
// nothing else through (S1.1).
type TransferKey struct {
	secret
	public TransferPublicKey
}

// TransferPublicKey is a transfer key that S2.3 and S2.4 accept.
type TransferPublicKey [32]byte

// GenerateTransferKey makes a key of 32 bytes from random (nil: the operating system's).
func GenerateTransferKey(random io.Reader) (*TransferKey, error) {
	s, err := randomSecret(random, seedSize)
	if err != nil {
		return nil, err
	}
	return newTransferKey(s)
}

// TransferKeyFromSeed makes the key of this seed: RFC 7748's 32-byte private key. It fails with ErrSeed.
func TransferKeyFromSeed(seed []byte) (*TransferKey, error) {
	s, err := newSecret(seed, seedSize)
	if err != nil {
		return nil, err
	}
	return newTransferKey(s)
}

func newTransferKey(s secret) (*TransferKey, error) {
	public, err := x25519Public(s)
	if err != nil {
		return nil, err
	}
	checked, err := parseTransferKey(public)
	return &TransferKey{secret: s, public: checked}, err
}

// PublicKey gives the public key, also after Erase.
func (k *TransferKey) PublicKey() TransferPublicKey { return k.public }

func parseTransferKey(raw []byte) (TransferPublicKey, error) {
	checked, err := identity.ParseAgreementPublicKey(raw)
	return TransferPublicKey(checked), err
}

// LinkKeys are the public keys of a device that wants to be linked (L1.1).
type LinkKeys struct {
	Signing   identity.SigningPublicKey
	Agreement identity.AgreementPublicKey
	Protocols identity.Protocols
	Box       identity.BoxPublicKey // if and only if Protocols has ProtocolBox; otherwise zero
	Transfer  TransferPublicKey
}

// Marshal gives the keys as step 0 of a slot carries them.
func (k *LinkKeys) Marshal() []byte {
	b := append(append([]byte(nil), k.Signing[:]...), k.Agreement[:]...)
	b = binary.BigEndian.AppendUint16(b, uint16(k.Protocols))
	if k.Protocols.Has(identity.ProtocolBox) {
		b = append(b, k.Box[:]...)
	}
	return append(b, k.Transfer[:]...)
}

// ParseLinkKeys reads what Marshal gives, and checks it by S2 and S1.1. Whatever fails is ErrLink or an identity key error.
func ParseLinkKeys(b []byte) (LinkKeys, error) {
	var k LinkKeys
	if len(b) < linkHeadSize {
		return LinkKeys{}, ErrLink
	}
	k.Protocols = identity.Protocols(binary.BigEndian.Uint16(b[64:66]))
	size := linkHeadSize + 32
	if k.Protocols.Has(identity.ProtocolBox) {
		size += 32
	}
	if k.Protocols == 0 || len(b) != size {
		return LinkKeys{}, ErrLink
	}
	var err error
	if k.Signing, err = identity.ParseSigningPublicKey(b[:32]); err != nil {
		return LinkKeys{}, err
	}
	if k.Agreement, err = identity.ParseAgreementPublicKey(b[32:64]); err != nil {
		return LinkKeys{}, err
	}
	if k.Protocols.Has(identity.ProtocolBox) {
		if k.Box, err = identity.ParseBoxPublicKey(b[66:98]); err != nil {
			return LinkKeys{}, err
		}
	}
	if k.Transfer, err = parseTransferKey(b[size-32:]); err != nil {
		return LinkKeys{}, err
	}
	agreement, box, transfer := [32]byte(k.Agreement), [32]byte(k.Box), [32]byte(k.Transfer)
	if transfer == agreement || transfer == box || agreement == box {
		return LinkKeys{}, identity.ErrKeyReused
	}
	return k, nil
}

// Device gives the id that the device will have.
func (k *LinkKeys) Device() identity.DeviceID { return identity.NewDeviceID(k.Signing) }

// hash is what the code binds the keys with (L1.1).
func (k *LinkKeys) hash() [linkHashSize]byte {
	hash := sha256.Sum256(append([]byte(linkKeysContext), k.Marshal()...))
	return [linkHashSize]byte(hash[:linkHashSize])
}

// Matches reports whether an entry has these keys: that of the device, and no other.
func (k *LinkKeys) Matches(entry identity.Entry) bool {
	return entry.SigningKey == k.Signing && entry.AgreementKey == k.Agreement &&
		entry.Protocols == k.Protocols && entry.BoxKey == k.Box
}
