package server_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"

	"github.com/letterlock/letterlock/internal/limits"
	"github.com/letterlock/letterlock/internal/socket"
	"github.com/letterlock/letterlock/internal/testmain"
	"github.com/letterlock/letterlock/internal/testserver"
)

// Whatever frames come by a socket of any subprotocol: the server says what the subprotocol has words for and goes on, or closes
// with a code that is declared. Then none of its goroutines is left, and the next socket works.
//
// A script is a frame a line. The first letter says what kind it is (see firstBytes), the rest is its payload.
func FuzzSocketFrames(f *testing.F) {
	// However slow the machine is, no socket is closed for being silent.
	w := startFuzzed(f, func(l *limits.Limits) { l.InitTimeout, l.PingInterval = 10*time.Minute, 10*time.Minute })
	for _, script := range fuzzedScripts() {
		for protocol := range byte(3) {
			f.Add(protocol, []byte(script))
		}
	}
	f.Fuzz(func(t *testing.T, protocol byte, script []byte) {
		p := &peerOfScript{Socket: w.Dial(t, []string{testserver.Modern, testserver.Legacy, ""}[protocol%3])}
		p.play(t, w.expand(script))
		p.hear(t)
		p.hangUp(t)
		if left := testmain.Left("letterlock/internal/socket."); left != "" || w.Inner.Sockets() != 0 {
			t.Fatalf("%d sockets are open, and goroutines are left:\n%s", w.Inner.Sockets(), left)
		}
		next := w.Open(t, testserver.Modern, w.tokens[asAlice])
		_ = next.Conn.Close()
		w.healthy(t)
	})
}

func fuzzedScripts() []string {
	const (
		in     = `t{"type":"connection_init","payload":{"Authorization":"Bearer @token"}}` + "\n"
		nobody = `t{"type":"connection_init"}` + "\n"
	)
	scripts := []string{
		"", "t", "t{}", "b\x00\x01", "p", "phello", "o", "x", "x\x03\xe8bye", "x\x03", "x\x03\xed", "x\x0f\xa0\xff\xfe", "z{}", "T{\"type\":", "c", "C",
		"T{\"type\":\nc\"connection_init\"}", "T{\"ty\npwhile\nCpe\":\nc\"ping\"}", "T{\nt{}", "r\x81\x05hello", "r\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff", "r\x81\xfe\x01",
		"r\x89\xfe\x00\x80", "rGET / HTTP/1.1\r", "\xf1{}", "\x83", "t\xff\xfe", "t{\"type\":\"connection_init\",\"payload\":[]}",
		`t{"type":"connection_init","payload":{"Authorization":"Bearer x"}}`, `t{"type":"connection_init","payload":{"Authorization":7}}`,
		nobody + nobody, nobody + `t{"type":"ping","payload":{"a":"\ud800"}}` + "\n" + `t{"type":"pong"}`, `t{"type":"subscribe","id":"1","payload":{"query":"{ server { version } }"}}`,
		nobody + `t{"type":"connection_terminate"}`, nobody + `t{"type":"nothing"}`, nobody + "p\nt{\"type\":\"stop\",\"id\":\"1\"}\nx\x03\xe8",
	}
	for _, start := range []string{"subscribe", "start"} {
		run := func(id, request string) string {
			return `t{"type":"` + start + `","id":` + id + `,"payload":` + request + "}\n"
		}
		version, received := `{"query":"{ server { version } }"}`, `{"query":"subscription { messageReceived { id } }"}`
		scripts = append(scripts,
			nobody+run(`"1"`, version)+run(`"1"`, version), nobody+run(`"1"`, received), in+run(`"1"`, received)+`t{"type":"complete","id":"1"}`+"\n"+run(`"1"`, version),
			in+run(`"a"`, received)+run(`"b"`, received)+`t{"type":"stop","id":"a"}`, in+run(`"a"`, received)+run(`"a"`, received), in+run(`""`, version), in+run(`7`, version),
			in+run(`"\u0000é\ud800"`, version), in+run(`"1"`, `{}`), in+run(`"1"`, `null`), in+run(`"1"`, `{"query":"{"}`), in+run(`"1"`, `{"query":"{ a }","variables":[]}`),
			in+run(`"1"`, `{"query":"query A { viewer { id } } query B { mailbox { nodes { id } } }","operationName":"B"}`),
			in+run(`"1"`, `{"query":"mutation($input: SendMessageInput!) { sendMessage(input: $input) { messageId } }","variables":{"input":@message}}`),
			in+run(`"1"`, `{"query":"subscription($a: Cursor) { messageReceived(after: $a) { id cursor } }","variables":{"a":"@cursor"}}`)+"x\x03\xe9",
		)
	}
	return scripts
}

// firstBytes are the first bytes of frames: flags and opcode. Another letter is such a byte itself.
var firstBytes = map[byte]byte{
	't': 0x81, 'b': 0x82, // a whole text or binary message
	'T': 0x01, 'B': 0x02, 'C': 0x00, 'c': 0x80, // the beginning, the middle and the end of one in pieces
	'p': 0x89, 'o': 0x8a, 'x': 0x88, // ping, pong, close
	'z': 0xc1, // a text that is said to be compressed
}

// raw is the letter of a line that is no frame: its bytes are sent as they are.
const rawLine = 'r'

// atEnd is the payload of the ping that is sent behind a script. Who answers it has dealt with all that came before.
const atEnd = "the end"

var errAtEnd = errors.New("the script has been heard to its end")

// peerOfScript is the client's side of a socket, whose frames a script says.
type peerOfScript struct {
	*testserver.Socket
	raw    bool // the script has bytes that may be no frames
	closes int  // the code of the client's close frame; 0 without one
}

// play sends a script, while hear reads.
func (p *peerOfScript) play(t *testing.T, script []byte) {
	var frames []byte
	for line := range bytes.SplitSeq(script, []byte("\n")) {
		if len(line) == 0 {
			continue
		}
		kind, payload := line[0], line[1:]
		if kind == rawLine {
			p.raw, frames = true, append(frames, payload...)
			continue
		}
		first, ok := firstBytes[kind]
		if !ok {
			first = kind
		}
		frames = appendFrame(frames, first, payload)
		if first == firstBytes['x'] {
			p.closes = closeCode(payload)
			break // Nothing follows a close frame.
		}
	}
	if p.closes == 0 {
		frames = appendFrame(frames, firstBytes['p'], []byte(atEnd))
	}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = p.Conn.NetConn().Write(frames) // The server may have hung up.
		if p.raw {
			_ = p.Conn.NetConn().(*net.TCPConn).CloseWrite() // It may be waiting for the rest of a frame.
		}
	}()
	t.Cleanup(func() {
		_ = p.Conn.Close()
		<-sent
	})
}

// appendFrame appends a frame of a client's, masked by zeros.
func appendFrame(frames []byte, first byte, payload []byte) []byte {
	const masked = 0x80
	frames = append(frames, first)
	switch n := len(payload); {
	case n <= 125:
		frames = append(frames, masked|byte(n))
	case n <= 0xffff:
		frames = binary.BigEndian.AppendUint16(append(frames, masked|126), uint16(n))
	default:
		frames = binary.BigEndian.AppendUint64(append(frames, masked|127), uint64(n))
	}
	return append(append(frames, 0, 0, 0, 0), payload...)
}

func closeCode(payload []byte) int {
	if len(payload) < 2 {
		return websocket.CloseNoStatusReceived
	}
	return int(binary.BigEndian.Uint16(payload))
}

// hear checks what the server says until it has answered all, or has closed.
func (p *peerOfScript) hear(t *testing.T) {
	t.Helper()
	p.Conn.SetPingHandler(func(string) error { return nil })
	p.Conn.SetCloseHandler(func(int, string) error { return nil })
	p.Conn.SetPongHandler(func(text string) error {
		if text == atEnd {
			return errAtEnd
		}
		return nil
	})
	_ = p.Conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	for {
		kind, text, err := p.Conn.ReadMessage()
		if err != nil {
			p.checkEnd(t, err)
			return
		}
		if kind != websocket.TextMessage {
			t.Fatalf("a message of kind %d: %q", kind, text)
		}
		p.checkMessage(t, text)
	}
}

// hangUp ends the connection, and waits until the server has done so too.
func (p *peerOfScript) hangUp(t *testing.T) {
	t.Helper()
	_ = p.Conn.NetConn().(*net.TCPConn).CloseWrite()
	_ = p.Conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.Copy(io.Discard, p.Conn.NetConn()); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal("the server does not hang up")
	}
	_ = p.Conn.Close()
}

// closeCodes are those that a client can bring about: the protocol's, and gorilla's for what is no frame.
var closeCodes = []int{
	socket.CloseNormal, socket.CloseUnsupported, socket.CloseTooBig, socket.CloseBadRequest, socket.CloseUnauthorized, socket.CloseForbidden,
	socket.CloseSubprotocol, socket.CloseDuplicate, socket.CloseTooManyInits, websocket.CloseProtocolError,
}

func (p *peerOfScript) checkEnd(t *testing.T, err error) {
	t.Helper()
	var closed *websocket.CloseError
	var slow net.Error
	switch {
	case errors.Is(err, errAtEnd):
	case errors.As(err, &closed) && closed.Code != websocket.CloseAbnormalClosure:
		if !slices.Contains(closeCodes, closed.Code) && closed.Code != p.closes && !p.raw {
			t.Fatalf("closed with %d %q", closed.Code, closed.Text)
		}
		_, _ = p.Conn.NetConn().Write(appendFrame(nil, firstBytes['x'], nil))
	case errors.As(err, &slow) && slow.Timeout():
		t.Fatal("the server neither answers nor closes")
	case !p.raw:
		t.Fatalf("the server hangs up without a close frame: %v", err)
	}
}

// wordsOf are the types of messages from the server.
var wordsOf = map[string][]string{
	testserver.Modern: {"connection_ack", "next", "error", "complete", "ping", "pong"},
	testserver.Legacy: {"connection_ack", "connection_error", "data", "error", "complete", "ka"},
}

func (p *peerOfScript) checkMessage(t *testing.T, text []byte) {
	t.Helper()
	var m testserver.Frame
	if err := json.Unmarshal(text, &m); err != nil || !utf8.Valid(text) {
		t.Fatalf("a message that is no JSON: %q", text)
	}
	if !slices.Contains(wordsOf[p.Conn.Subprotocol()], m.Type) {
		t.Fatalf("an undeclared message: %s", text)
	}
	var err error
	switch {
	case m.Type == "next" || m.Type == "data":
		err = declared(m.Payload)
	case m.Type == "error" && bytes.HasPrefix(m.Payload, []byte("[")):
		err = declaredErrors(m.Payload)
	case m.Type == "error":
		err = declaredErrors(slices.Concat([]byte("["), m.Payload, []byte("]")))
	}
	if err != nil {
		t.Fatalf("message %s: %v", text, err)
	}
}
