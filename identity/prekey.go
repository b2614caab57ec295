package identity

import (
	"crypto/mlkem"
	"encoding/binary"
	"fmt"
	"slices"
	"time"
)

const (
	prekeyContext  = "letterlock/prekey/v1"
	prekeyHeadSize = 73 // up to and without the key
	// PrekeySize is the length of the statement of an X25519 prekey, in bytes.
	PrekeySize = prekeyHeadSize + 32 + SignatureSize
	// KEMPrekeySize is the length of the statement of an ML-KEM-768 prekey, in bytes.
	KEMPrekeySize = prekeyHeadSize + mlkem.EncapsulationKeySize768 + SignatureSize
)

// PrekeyKind says what a prekey is for (R2).
type PrekeyKind uint8

// The kinds.
const (
	PrekeySigned        PrekeyKind = 1 // X25519, in use for a week
	PrekeyOneTime       PrekeyKind = 2 // X25519, for one session
	PrekeyKEMOneTime    PrekeyKind = 3 // ML-KEM-768, for one session
	PrekeyKEMLastResort PrekeyKind = 4 // ML-KEM-768, in use for a week, where there is no one-time key
)

// keySize gives the length of a kind's public key, or 0 for an unknown kind.
func (k PrekeyKind) keySize() int {
	switch k {
	case PrekeySigned, PrekeyOneTime:
		return 32
	case PrekeyKEMOneTime, PrekeyKEMLastResort:
		return mlkem.EncapsulationKeySize768
	default:
		return 0
	}
}

// Prekey is a public key that a device has signed for others to start sessions with (R2). Make one with ParsePrekey or
// SignPrekey.
type Prekey struct {
	Kind      PrekeyKind
	User      UserID
	Device    DeviceID
	Number    uint32 // from 1, counted for each device and kind
	CreatedAt time.Time
	Key       []byte // 32 bytes of X25519, or 1,184 of ML-KEM-768

	statement []byte
}

// PrekeyFields are what a device says of a prekey.
type PrekeyFields struct {
	Kind      PrekeyKind
	User      UserID
	Number    uint32
	CreatedAt time.Time // cut to microseconds
	Key       []byte
}

// SignPrekey makes a prekey statement of the device that holds the signing key. It refuses what ParsePrekey refuses.
func SignPrekey(fields PrekeyFields, device Signer) (Prekey, error) {
	id := NewDeviceID(device.PublicKey())
	b := append(make([]byte, 0, KEMPrekeySize), prekeyContext...)
	b = append(b, byte(fields.Kind))
	b = append(b, fields.User[:]...)
	b = append(b, id[:]...)
	b = binary.BigEndian.AppendUint32(b, fields.Number)
	b, err := appendInstant(b, fields.CreatedAt)
	if err != nil {
		return Prekey{}, err
	}
	b = append(b, fields.Key...)
	signature, err := device.Sign(b)
	if err != nil {
		return Prekey{}, fmt.Errorf("sign prekey: %w", err)
	}
	return readPrekey(append(b, signature...), fields.User, device.PublicKey())
}

// ParsePrekey reads a prekey and verifies that this device of this user has signed it (R2.1 to R2.3). It fails with
// ErrPrekeyForm, ErrPrekeyKind, ErrPrekeyNumber, ErrPrekeyOwner, ErrPrekeyKEM, ErrSignature or an error of the key parsers.
func ParsePrekey(statement []byte, user UserID, device SigningPublicKey) (Prekey, error) {
	prekey, err := readPrekey(statement, user, device)
	if err != nil {
		return Prekey{}, err
	}
	signed := len(prekey.statement) - SignatureSize
	if !device.Verify(prekey.statement[:signed], prekey.statement[signed:]) {
		return Prekey{}, ErrSignature
	}
	return prekey, nil
}

// readPrekey is ParsePrekey for everything but the signature.
func readPrekey(statement []byte, user UserID, device SigningPublicKey) (Prekey, error) {
	if len(statement) > KEMPrekeySize {
		return Prekey{}, ErrPrekeyForm
	}
	prekey := Prekey{statement: slices.Clone(statement)}
	r := reader{rest: prekey.statement}
	known := r.context(prekeyContext)
	prekey.Kind = PrekeyKind(r.uint8())
	prekey.User, prekey.Device = UserID(r.take(rawIDLength)), DeviceID(r.take(rawIDLength))
	prekey.Number = r.uint32()
	createdAt, inRange := r.instant()
	prekey.CreatedAt = createdAt
	if r.short || !known || !inRange {
		return Prekey{}, ErrPrekeyForm
	}
	size := prekey.Kind.keySize()
	if size == 0 {
		return Prekey{}, ErrPrekeyKind
	}
	prekey.Key = slices.Clone(r.take(size))
	r.take(SignatureSize)
	if r.short || len(r.rest) > 0 {
		return Prekey{}, ErrPrekeyForm
	}
	if err := prekey.check(user, device); err != nil {
		return Prekey{}, err
	}
	return prekey, nil
}

// Statement gives a copy of the signed bytes, signature included.
func (p Prekey) Statement() []byte { return slices.Clone(p.statement) }

// check is R2.2 and S2 for everything but the signature.
func (p *Prekey) check(user UserID, device SigningPublicKey) error {
	if p.Number == 0 {
		return ErrPrekeyNumber
	}
	if p.User != user || p.Device != NewDeviceID(device) {
		return ErrPrekeyOwner
	}
	if len(p.Key) == 32 {
		return checkX25519(p.Key)
	}
	if _, err := mlkem.NewEncapsulationKey768(p.Key); err != nil {
		return ErrPrekeyKEM
	}
	return nil
}
