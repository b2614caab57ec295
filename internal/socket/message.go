package socket

import "encoding/json"

// message is what a client sends. Its parts are JSON and lie in the text that was read: nothing is copied. The payload has not
// been looked at: whoever decodes it finds out whether it is JSON at all.
type message struct {
	id, kind, payload []byte
}

// parseMessage finds the parts of a message. The reader's goroutine does this for every message, so that it does not recurse.
func parseMessage(text []byte) (m message, ok bool) {
	s := scanner{text: text}
	ok = s.object(func(name []byte) bool {
		value := s.value()
		return len(value) > 0 && m.set(name, value)
	})
	return m, ok && s.over()
}

// set keeps a member. Those that the protocol does not know need only be JSON.
func (m *message) set(name, value []byte) (ok bool) {
	if name, ok = unescaped(name); !ok {
		return false
	}
	switch string(name) {
	case `"id"`:
		m.id = value
		return true
	case `"type"`:
		m.kind, ok = unescaped(value)
		return ok
	case `"payload"`:
		m.payload = value
		return true
	default:
		return json.Valid(value)
	}
}

// text decodes a JSON string; null and what is missing are empty.
func text(value []byte) (string, bool) {
	if plain(value) {
		return string(value[1 : len(value)-1]), true
	}
	var decoded string
	if value == nil || json.Unmarshal(value, &decoded) == nil {
		return decoded, true
	}
	return "", false
}

// unescaped gives a JSON string, between its quotes, without escapes: to compare it.
func unescaped(value []byte) ([]byte, bool) {
	if plain(value) {
		return value, true
	}
	decoded, ok := text(value)
	return []byte(`"` + decoded + `"`), ok
}

// plain reports whether a JSON string says what stands between its quotes: printable ASCII without escapes.
func plain(value []byte) bool {
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
