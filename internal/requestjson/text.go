package requestjson

import "encoding/json"

// Text decodes a JSON string; null and what is missing are empty.
func Text(value []byte) (string, bool) {
	if Plain(value) {
		return string(value[1 : len(value)-1]), true
	}
	var decoded string
	if value == nil || json.Unmarshal(value, &decoded) == nil {
		return decoded, true
	}
	return "", false
}

// Unescaped gives a JSON string, between its quotes, without escapes: to compare it.
func Unescaped(value []byte) ([]byte, bool) {
	if Plain(value) {
		return value, true
	}
	decoded, ok := Text(value)
	return []byte(`"` + decoded + `"`), ok
}

// Plain reports whether a JSON string says what stands between its quotes: printable ASCII without escapes.
func Plain(value []byte) bool {
	if len(value) < 2 || value[0] != '"' || value[len(value)-1] != '"' {
		return false
	}
	for _, c := range value[1 : len(value)-1] {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
