package load

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// connection is one HTTP/1.1 connection that stays, for one request after the other. net/http's client costs several times as
// much for each.
type connection struct {
	conn   net.Conn
	forget func() bool
	node   *Node
	person *Person
	buffer []byte
}

func openConnection(ctx context.Context, node *Node, p *Person) (*connection, error) {
	dialer := net.Dialer{Timeout: 30 * time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", strings.TrimPrefix(node.URL, "http://"))
	if err != nil {
		return nil, err
	}
	c := &connection{conn: conn, node: node, person: p, buffer: make([]byte, 4<<10)}
	c.forget = context.AfterFunc(ctx, func() { _ = conn.Close() })
	return c, nil
}

// wrap is caller's. The token holds for some minutes: a sender wraps again in time.
func (c *connection) wrap(body text) (text, error) {
	token, err := c.person.token(c.node)
	if err != nil {
		return text{}, err
	}
	head := "POST /graphql HTTP/1.1\r\nHost: " + strings.TrimPrefix(c.node.URL, "http://") +
		"\r\nContent-Type: application/json\r\nAuthorization: Bearer " + token +
		"\r\nContent-Length: " + strconv.Itoa(len(body.bytes)) + "\r\n\r\n"
	return body.behind([]byte(head)), nil
}

// call is caller's.
func (c *connection) call(request []byte) ([]byte, error) {
	if _, err := c.conn.Write(request); err != nil {
		return nil, err
	}
	end := 0
	for {
		n, err := c.conn.Read(c.buffer[end:])
		if end += n; n == 0 {
			return nil, err
		}
		from, to, err := bodyOf(c.buffer[:end])
		if err != nil {
			return nil, err
		}
		switch {
		case from > 0 && end == to:
			return c.buffer[from:to], nil
		case from > 0 && end > to:
			return nil, fmt.Errorf("more than an answer: %q", c.buffer[to:end])
		}
		if need := max(to, 2*end); need > len(c.buffer) {
			c.buffer = append(c.buffer, make([]byte, need-len(c.buffer))...)
		}
	}
}

// bodyOf gives where the body lies in an answer whose head is complete, and zeros before that.
func bodyOf(answer []byte) (from, to int, err error) {
	head := bytes.Index(answer, []byte("\r\n\r\n"))
	if head < 0 {
		return 0, 0, nil
	}
	if !bytes.HasPrefix(answer, []byte("HTTP/1.1 200 ")) {
		return 0, 0, fmt.Errorf("an answer that is not 200: %q", answer)
	}
	const name = "\r\nContent-Length: "
	at := bytes.Index(answer[:head], []byte(name))
	if at < 0 {
		return 0, 0, fmt.Errorf("an answer without Content-Length: %q", answer[:head])
	}
	value := answer[at+len(name) : head]
	if end := bytes.IndexByte(value, '\r'); end >= 0 {
		value = value[:end]
	}
	length, err := strconv.Atoi(string(value))
	if err != nil || length < 0 || length > maxFrame {
		return 0, 0, fmt.Errorf("an answer of %q bytes", value)
	}
	return head + 4, head + 4 + length, nil
}

// payload is caller's.
func (*connection) payload(_, answer []byte) ([]byte, error) { return answer, nil }

func (c *connection) close() {
	c.forget()
	_ = c.conn.Close()
}
