package socket

import (
	"bufio"
	"net"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
)

// readBuffer is what is read at once. What is longer is read past it. Gorilla takes no less for a buffer of ours.
const readBuffer = 288

// tlsPiece is what is written at once over TLS. There a write whose deadline passes is the last: what has left is a part of a
// record, which can't be finished. Progress is made by pieces, each of which has time of its own.
const tlsPiece = 4 << 10

// wire is the network connection as gorilla gets it. Gorilla reads past it; what it writes once the handshake is over are close
// frames, for broken framing and messages that are too long, and these have to wait their turn like all others.
type wire struct {
	net.Conn
	reader *bufio.Reader // of the network connection, once it was taken over
	conn   *conn         // nil during the handshake, and for legacy sockets, whose writing is gorilla's
}

// Write writes, or hands a close frame on.
func (w *wire) Write(p []byte) (int, error) {
	if w.conn == nil {
		return w.Conn.Write(p)
	}
	if len(p) >= shortHeader && p[0] == final|websocket.CloseMessage {
		w.conn.endWith(p[shortHeader:])
	}
	return len(p), nil
}

// SetWriteDeadline leaves the deadlines of a connection to those who write.
func (w *wire) SetWriteDeadline(t time.Time) error {
	if w.conn == nil {
		return w.Conn.SetWriteDeadline(t)
	}
	return nil
}

// hijacker lets gorilla's upgrader take over a wire instead of net/http's connection.
type hijacker struct {
	http.ResponseWriter
	wire *wire
}

// Hijack takes the connection over. Gorilla reads by our reader; only what was sent too early is in the other, for it to refuse.
func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	network, buffered, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	h.wire.Conn = network
	if buffered.Reader.Buffered() == 0 {
		h.wire.reader = bufio.NewReaderSize(network, readBuffer)
		buffered.Reader = h.wire.reader
	}
	return h.wire, buffered, nil
}
