package load

import (
	"context"
	"net"
)

// line is a connection to a server, used by one goroutine. A loop of our own over epoll was tried instead of goroutines: it spares one
// vain read a message, which was not to be seen in what a message costs.
type line struct {
	conn   net.Conn
	in     incoming
	forget func() bool
}

// newLine makes a line of a connection that ends with ctx.
func newLine(ctx context.Context, conn net.Conn, in incoming) *line {
	return &line{conn: conn, in: in, forget: context.AfterFunc(ctx, func() { _ = conn.Close() })}
}

func (l *line) write(b []byte) error {
	_, err := l.conn.Write(b)
	return err
}

// read waits for the next message.
func (l *line) read() ([]byte, error) {
	for {
		message, ok, err := l.in.next()
		if ok || err != nil {
			return message, err
		}
		n, err := l.conn.Read(l.in.space())
		if l.in.fed(n); err != nil {
			return nil, err
		}
	}
}

func (l *line) close() {
	l.forget()
	_ = l.conn.Close()
}
