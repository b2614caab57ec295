// Package wire holds the scalars of the GraphQL contract as the SDK reads and writes them.
package wire

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
)

// ErrBytes: the server sent something that is not URL-safe base64 without padding.
var ErrBytes = errors.New("the server sent bytes that are not base64url")

var encoding = base64.RawURLEncoding.Strict()

// Bytes is the schema's Bytes. Its length is bounded by that of the response it came in.
type Bytes []byte

// MarshalJSON writes base64url without padding, and null for nil.
func (b Bytes) MarshalJSON() ([]byte, error) {
	if b == nil {
		return []byte("null"), nil
	}
	return json.Marshal(encoding.EncodeToString(b))
}

// UnmarshalJSON reads what MarshalJSON writes; every other spelling is ErrBytes.
func (b *Bytes) UnmarshalJSON(raw []byte) error {
	var text *string
	if err := json.Unmarshal(raw, &text); err != nil {
		return ErrBytes
	}
	if text == nil {
		*b = nil
		return nil
	}
	if strings.ContainsAny(*text, "\r\n") {
		return ErrBytes
	}
	decoded, err := encoding.DecodeString(*text)
	if err != nil {
		return ErrBytes
	}
	*b = decoded
	return nil
}
