package identity

import (
	"bytes"
	"encoding/json"
	"io"
)

// isTokenText reports whether a token has only base64's URL-safe alphabet and dots; decoders skip line breaks.
func isTokenText(raw string) bool {
	for _, c := range []byte(raw) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}

// jsonMembers decodes one base64 part that is one JSON object, no member of which comes twice: encoding/json alone takes
// the last of two, so that a filter in front of the server could have read the first.
func jsonMembers(part string) (map[string]json.RawMessage, bool) {
	text, err := b64.DecodeString(part)
	if err != nil {
		return nil, false
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	if open, err := decoder.Token(); err != nil || open != json.Delim('{') {
		return nil, false
	}
	members := make(map[string]json.RawMessage)
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, false
		}
		key, ok := name.(string)
		if _, twice := members[key]; twice || !ok {
			return nil, false
		}
		var value json.RawMessage
		if decoder.Decode(&value) != nil {
			return nil, false
		}
		members[key] = value
	}
	if _, err := decoder.Token(); err != nil { // the closing brace
		return nil, false
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, false
	}
	return members, true
}
