// Package scalar holds the schema's own scalars: how each is written, and what is refused. A refused value is a BAD_INPUT
// problem whose message never repeats the value.
package scalar

import (
	"encoding/base64"
	"io"
	"strings"

	"github.com/99designs/gqlgen/graphql"

	"github.com/letterlock/letterlock/internal/problem"
)

// strict is the one spelling of binary data (protocol, Notation: b64): URL-safe, no padding, zero trailing bits.
var strict = base64.RawURLEncoding.Strict()

// MarshalBytes writes b as a JSON string of URL-safe base64 without padding.
func MarshalBytes(b []byte) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		text := make([]byte, strict.EncodedLen(len(b))+2)
		text[0], text[len(text)-1] = '"', '"'
		strict.Encode(text[1:], b)
		_, _ = w.Write(text)
	})
}

// UnmarshalBytes reads a string of URL-safe base64 without padding and refuses every other spelling of the same bytes.
func UnmarshalBytes(v any) ([]byte, error) {
	text, ok := v.(string)
	if !ok {
		return nil, problem.New(problem.BadInput, "must be a string of URL-safe base64 without padding")
	}
	// The standard decoder skips line breaks.
	if strings.ContainsAny(text, "\r\n") {
		return nil, badBase64("contains a line break")
	}
	b, err := strict.DecodeString(text)
	if err != nil {
		return nil, badBase64(whyBadBase64(text))
	}
	return b, nil
}

func badBase64(why string) error {
	return problem.New(problem.BadInput, "is not URL-safe base64 without padding ("+why+"): use A-Z a-z 0-9 - _ only")
}

func whyBadBase64(text string) string {
	switch {
	case strings.ContainsRune(text, '='):
		return "contains padding"
	case strings.ContainsAny(text, "+/"):
		return "contains + or /"
	case strings.ContainsAny(text, " \t"):
		return "contains white space"
	case len(text)%4 == 1:
		return "is cut off"
	default:
		return "a character outside the alphabet, or trailing bits that are not zero"
	}
}
