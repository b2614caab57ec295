//go:build js && wasm

package main

import (
	"encoding/base64"
	"time"
)

// encoded is a value as GraphQL's Bytes: URL-safe base64 without padding.
type encoded []byte

func (b encoded) MarshalText() ([]byte, error) { //nolint:unparam // encoding.TextMarshaler
	return base64.RawURLEncoding.AppendEncode(nil, b), nil
}

func (b *encoded) UnmarshalText(text []byte) (err error) {
	*b, err = base64.RawURLEncoding.Strict().AppendDecode(nil, text)
	return err
}

func encodedAll(all [][]byte) []encoded {
	list := make([]encoded, len(all))
	for i, bytes := range all {
		list[i] = bytes
	}
	return list
}

func decodedAll(all []encoded) [][]byte {
	list := make([][]byte, len(all))
	for i, bytes := range all {
		list[i] = bytes
	}
	return list
}

// millis is a time as JavaScript has it; 0 for none.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(ms float64) time.Time { return time.UnixMilli(int64(ms)).UTC() }
