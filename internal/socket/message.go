package socket

import (
	"bytes"
	"encoding/json"

	"github.com/99designs/gqlgen/graphql"
)

// message is what a client sends. Its parts are JSON and lie in the text that was read: nothing is copied. The payload has not
// been looked at: whoever decodes it finds out whether it is JSON at all.
type message struct {
	id, kind, payload []byte
}

// parseMessage finds the parts of a message. The reader's goroutine does this for every message, so that it neither recurses nor
// allocates.
func parseMessage(text []byte) (m message, ok bool) {
	s := scanner{text: text}
	if !s.take('{') {
		return m, false
	}
	for more := !s.take('}'); more; more = !s.take('}') {
		name := s.value()
		if len(name) == 0 || name[0] != '"' || !s.take(':') {
			return m, false
		}
		value := s.value()
		if len(value) == 0 || !m.set(name, value) {
			return m, false
		}
		if s.take(',') == s.ahead('}') { // one of both, and no comma before the end
			return m, false
		}
	}
	return m, s.over()
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

// request decodes the payload of an operation. It is false unless the payload has the shape of a GraphQL request.
func request(payload []byte) (*graphql.RawParams, bool) {
	var r struct {
		Query         *string        `json:"query"`
		OperationName string         `json:"operationName"`
		Variables     map[string]any `json:"variables"`
		Extensions    map[string]any `json:"extensions"`
	}
	decoder := json.NewDecoder(bytes.NewReader(payload))
	decoder.UseNumber()
	if decoder.Decode(&r) != nil || r.Query == nil {
		return nil, false
	}
	return &graphql.RawParams{
		Query: *r.Query, OperationName: r.OperationName, Variables: r.Variables, Extensions: r.Extensions,
	}, true
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

// scanner finds where JSON values end, without a look at what they are.
type scanner struct {
	text []byte
	at   int
}

// take passes by c if it comes next.
func (s *scanner) take(c byte) bool {
	if !s.ahead(c) {
		return false
	}
	s.at++
	return true
}

// ahead reports whether c comes next, behind space.
func (s *scanner) ahead(c byte) bool {
	s.space()
	return s.at < len(s.text) && s.text[s.at] == c
}

// over reports whether only space is left.
func (s *scanner) over() bool {
	s.space()
	return s.at == len(s.text)
}

func (s *scanner) space() {
	for s.at < len(s.text) && isSpace(s.text[s.at]) {
		s.at++
	}
}

// value passes by one value and gives its text, nothing if there is none or it does not end.
func (s *scanner) value() []byte {
	s.space()
	start, depth := s.at, 0
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case '"':
			if !s.string() {
				return nil
			}
		case '{', '[':
			depth++
			s.at++
		case '}', ']':
			depth--
			s.at++
		case ',', ':', ' ', '\t', '\r', '\n':
			s.at++
		default:
			s.literal()
		}
		if depth <= 0 {
			return s.text[start:s.at]
		}
	}
	return nil
}

// string passes by a string.
func (s *scanner) string() bool {
	for s.at++; s.at < len(s.text); s.at++ {
		switch s.text[s.at] {
		case '\\':
			s.at++
		case '"':
			s.at++
			return true
		}
	}
	return false
}

// literal passes by a number, true, false or null.
func (s *scanner) literal() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\t', '\r', '\n', ',', ':', '}', ']', '{', '[', '"':
			return
		}
		s.at++
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }
