package load

import (
	"context"
	"net"
	"strconv"
	"strings"
	"time"
)

// connection is one HTTP/1.1 connection that stays, for one request after the other. net/http's client costs several times as
// much for each. It is a way.
type connection struct {
	*line
	node   *Node
	person *Person
}

func openConnection(ctx context.Context, node *Node, p *Person) (*connection, error) {
	dialer := net.Dialer{Timeout: 30 * time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", strings.TrimPrefix(node.URL, "http://"))
	if err != nil {
		return nil, err
	}
	in := &bodies{window{buffer: make([]byte, 4<<10)}}
	return &connection{newLine(ctx, conn, in), node, p}, nil
}

// wrap is way's.
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

// aside is way's.
func (*connection) aside([]byte) bool { return false }

// payload is way's.
func (*connection) payload(_, answer []byte) ([]byte, error) { return answer, nil }
