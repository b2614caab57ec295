package identity

import (
	"crypto/sha256"
	"encoding/base32"
)

const (
	rawIDLength = 20
	idLength    = 33 // one letter and 32 of base32
)

const (
	userIDContext   = "letterlock/user/v1"
	deviceIDContext = "letterlock/device/v1"
)

// b32 is the notation's b32; 20 bytes are 32 characters without spare bits.
var b32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// UserID is the raw id of a user: the first 20 bytes of a hash of the user key (S3). The zero value is nobody.
type UserID [rawIDLength]byte

// DeviceID is the raw id of a device: the first 20 bytes of a hash of its signing key (S4). The zero value is no device.
type DeviceID [rawIDLength]byte

// NewUserID derives the id of the user who holds this user key.
func NewUserID(userKey SigningPublicKey) UserID { return UserID(rawID(userIDContext, userKey)) }

// NewDeviceID derives the id of the device that holds this signing key.
func NewDeviceID(signingKey SigningPublicKey) DeviceID {
	return DeviceID(rawID(deviceIDContext, signingKey))
}

// ParseUserID reads "u" and 32 characters of base32; anything else is ErrUserID.
func ParseUserID(text string) (UserID, error) {
	raw, ok := parseID('u', text)
	if !ok {
		return UserID{}, ErrUserID
	}
	return UserID(raw), nil
}

// ParseDeviceID reads "d" and 32 characters of base32; anything else is ErrDeviceID.
func ParseDeviceID(text string) (DeviceID, error) {
	raw, ok := parseID('d', text)
	if !ok {
		return DeviceID{}, ErrDeviceID
	}
	return DeviceID(raw), nil
}

// String gives the id's only spelling, 33 characters.
func (id UserID) String() string { return "u" + b32.EncodeToString(id[:]) }

// String gives the id's only spelling, 33 characters.
func (id DeviceID) String() string { return "d" + b32.EncodeToString(id[:]) }

// Append appends String.
func (id UserID) Append(b []byte) []byte { return b32.AppendEncode(append(b, 'u'), id[:]) }

// Append appends String.
func (id DeviceID) Append(b []byte) []byte { return b32.AppendEncode(append(b, 'd'), id[:]) }

// MarshalText gives String.
func (id UserID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// MarshalText gives String.
func (id DeviceID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText is ParseUserID.
func (id *UserID) UnmarshalText(text []byte) (err error) {
	*id, err = ParseUserID(string(text))
	return err
}

// UnmarshalText is ParseDeviceID.
func (id *DeviceID) UnmarshalText(text []byte) (err error) {
	*id, err = ParseDeviceID(string(text))
	return err
}

func rawID(context string, key SigningPublicKey) [rawIDLength]byte {
	hash := sha256.Sum256(append([]byte(context), key[:]...))
	return [rawIDLength]byte(hash[:rawIDLength])
}

// parseID encodes again what it decoded: the decoder alone skips line breaks.
func parseID(letter byte, text string) (raw [rawIDLength]byte, ok bool) {
	if len(text) != idLength || text[0] != letter {
		return raw, false
	}
	decoded, err := b32.DecodeString(text[1:])
	if err != nil || len(decoded) != rawIDLength || b32.EncodeToString(decoded) != text[1:] {
		return raw, false
	}
	return [rawIDLength]byte(decoded), true
}
