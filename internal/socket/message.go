package socket

import (
	"encoding/json"

	"github.com/letterlock/letterlock/internal/requestjson"
)

// message is what a client sends. Its parts are JSON and lie in the text that was read: nothing is copied. The payload has not
// been looked at: whoever decodes it finds out whether it is JSON at all.
type message struct {
	id, kind, payload []byte
}

// parseMessage finds the parts of a message. The reader's goroutine does this for every message, so that it does not recurse.
func parseMessage(text []byte) (m message, ok bool) {
	s := requestjson.Scan(text)
	ok = s.Object(func(name []byte) bool {
		value := s.Value()
		return len(value) > 0 && m.set(name, value)
	})
	return m, ok && s.Over()
}

// set keeps a member. Those that the protocol does not know need only be JSON.
func (m *message) set(name, value []byte) (ok bool) {
	if name, ok = requestjson.Unescaped(name); !ok {
		return false
	}
	switch string(name) {
	case `"id"`:
		return replace(&m.id, value)
	case `"type"`:
		m.kind, ok = requestjson.Unescaped(value)
		return ok
	case `"payload"`:
		return replace(&m.payload, value)
	default:
		return json.Valid(value)
	}
}

// replace keeps the last of several members of one name, as encoding/json does. Nobody will look at the one before, so that
// it has to be JSON here.
func replace(kept *[]byte, value []byte) bool {
	before := *kept
	*kept = value
	return before == nil || json.Valid(before)
}
