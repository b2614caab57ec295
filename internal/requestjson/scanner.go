package requestjson

import "bytes"

// Scanner walks through JSON. It finds where values end without a look at what they are; who takes one finds out.
type Scanner struct {
	text []byte
	at   int
}

// Scan begins at the start of a text.
func Scan(text []byte) Scanner { return Scanner{text: text} }

// Object walks through an object. each gets a member's name as it is written, and has to pass by the value.
func (s *Scanner) Object(each func(name []byte) bool) bool {
	if !s.take('{') {
		return false
	}
	for more := !s.take('}'); more; more = !s.take('}') {
		name := s.Value()
		if len(name) == 0 || name[0] != '"' || !s.take(':') || !each(name) {
			return false
		}
		if s.take(',') == s.ahead('}') { // one of both, and no comma before the end
			return false
		}
	}
	return true
}

// take passes by c if it comes next.
func (s *Scanner) take(c byte) bool {
	if !s.ahead(c) {
		return false
	}
	s.at++
	return true
}

// ahead reports whether c comes next, behind space.
func (s *Scanner) ahead(c byte) bool { return s.next() == c && s.at < len(s.text) }

// next gives the byte that comes next, behind space; 0 at the end.
func (s *Scanner) next() byte {
	for ; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

// Over reports whether only space is left.
func (s *Scanner) Over() bool {
	s.next()
	return s.at == len(s.text)
}

// Value passes by one value and gives its text, nothing if there is none or it does not end.
func (s *Scanner) Value() []byte {
	s.next()
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

// string passes by a string. Most are long and without escapes: their end is searched for many bytes at a time.
func (s *Scanner) string() bool {
	s.at++
	if end := bytes.IndexByte(s.text[s.at:], '"'); end >= 0 && bytes.IndexByte(s.text[s.at:s.at+end], '\\') < 0 {
		s.at += end + 1
		return true
	}
	for ; s.at < len(s.text); s.at++ {
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
func (s *Scanner) literal() {
	for ; s.at < len(s.text); s.at++ {
		switch s.text[s.at] {
		case ' ', '\t', '\r', '\n', ',', ':', '}', ']', '{', '[', '"':
			return
		}
	}
}
