package client_test

import (
	"io"
	"net"
	"sync"
	"testing"
)

// relay stands before a server and writes down all that the server says, byte for byte.
type relay struct {
	url     string
	said    *journal
	server  chan string
	running sync.WaitGroup
}

func newRelay(t *testing.T) *relay {
	t.Helper()
	listener := must(new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0"))(t)
	r := &relay{url: "http://" + listener.Addr().String(), said: new(journal), server: make(chan string, 1)}
	r.running.Go(func() { r.serve(listener) })
	t.Cleanup(func() {
		_ = listener.Close()
		select {
		case <-r.server:
		default:
		}
		close(r.server)
		r.running.Wait()
	})
	return r
}

// to says where the server is.
func (r *relay) to(addr string) { r.server <- addr }

func (r *relay) serve(listener net.Listener) {
	addr := <-r.server
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		server, err := new(net.Dialer).Dial("tcp", addr)
		if err != nil {
			_ = conn.Close()
			continue
		}
		r.running.Go(func() { hand(server, conn) })
		r.running.Go(func() { hand(io.MultiWriter(conn, r.said), server, conn) })
	}
}

// hand copies until either side hangs up.
func hand(to io.Writer, from io.Reader, also ...io.Closer) {
	_, _ = io.Copy(to, from)
	for _, end := range append(also, from.(io.Closer)) {
		_ = end.Close()
	}
	if end, ok := to.(io.Closer); ok {
		_ = end.Close()
	}
}
