package load

import (
	"bytes"
	"fmt"
	"strconv"
)

// bodies reads the answers on an HTTP/1.1 connection: each must be 200 and say how long it is. It is an incoming.
type bodies struct{ window }

// next gives the body of the next answer that has been read whole.
func (b *bodies) next() (body []byte, ok bool, err error) {
	answer := b.unread()
	head := bytes.Index(answer, []byte("\r\n\r\n"))
	if head < 0 {
		b.expect(len(answer) + 1)
		return nil, false, nil
	}
	if !bytes.HasPrefix(answer, []byte("HTTP/1.1 200 ")) {
		return nil, false, fmt.Errorf("an answer that is not 200: %q", answer[:min(len(answer), 1000)])
	}
	length, err := contentLength(answer[:head])
	if err != nil {
		return nil, false, err
	}
	if size := head + 4 + length; len(answer) >= size {
		b.begin += size
		return answer[head+4 : size], true, nil
	}
	b.expect(head + 4 + length)
	return nil, false, nil
}

func contentLength(head []byte) (int, error) {
	const name = "\r\nContent-Length: "
	at := bytes.Index(head, []byte(name))
	if at < 0 {
		return 0, fmt.Errorf("an answer without Content-Length: %q", head)
	}
	value := head[at+len(name):]
	if end := bytes.IndexByte(value, '\r'); end >= 0 {
		value = value[:end]
	}
	length, err := strconv.Atoi(string(value))
	if err != nil || length < 0 || length > longestMessage {
		return 0, fmt.Errorf("an answer of %q bytes", value)
	}
	return length, nil
}
