package load_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/letterlock/letterlock/identity"
)

// fake is a server that keeps the delivery contract, unless it is told to lie.
type fake struct {
	lies
	t     *testing.T
	mu    sync.Mutex
	boxes map[string]*box // by device
	sent  int             // envelopes
	acks  int
}

// lies change what the fake says. Envelopes and answers are counted from 1.
type lies struct {
	deliver func(n int, e envelope) []envelope // what reaches the subscriber instead of envelope n
	answer  func(text string) string           // what the sender is told instead
	status  int                                // of HTTP answers
}

type envelope struct {
	DeviceID   string `json:"deviceId"`
	Ciphertext string `json:"ciphertext"`
	Nonce      string `json:"nonce"`
}

type message struct {
	MessageID  string `json:"messageId"`
	Recipients []struct {
		Envelopes []envelope `json:"envelopes"`
	} `json:"recipients"`
}

type operation struct {
	Query     string `json:"query"`
	Variables struct {
		Input struct {
			message
			CallID   string    `json:"callId"`
			Messages []message `json:"messages"`
		} `json:"input"`
		UpTo string `json:"upTo"`
	} `json:"variables"`
}

// box is a device's mailbox and its subscriber.
type box struct {
	waiting []envelope
	number  int
	conn    *peer
}

// peer is one WebSocket; writes take turns.
type peer struct {
	mu   sync.Mutex
	conn *websocket.Conn
}

func (p *peer) say(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.conn.WriteMessage(websocket.TextMessage, []byte(text))
}

func startFake(t *testing.T, l lies) (*fake, string) {
	t.Helper()
	f := &fake{lies: l, t: t, boxes: map[string]*box{}}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	return f, strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if websocket.IsWebSocketUpgrade(r) {
		f.serveSocket(w, r)
		return
	}
	var op operation
	if err := json.NewDecoder(r.Body).Decode(&op); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	text := f.do(op)
	w.Header().Set("Content-Length", fmt.Sprint(len(text)))
	if f.status != 0 {
		w.WriteHeader(f.status)
	}
	_, _ = w.Write([]byte(text))
}

func (f *fake) serveSocket(w http.ResponseWriter, r *http.Request) {
	// A small buffer makes long answers come in several frames.
	upgrader := websocket.Upgrader{Subprotocols: []string{"graphql-transport-ws"}, WriteBufferSize: 256}
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer conn.Close()
	p, device := &peer{conn: conn}, ""
	for {
		var frame struct {
			ID, Type string
			Payload  json.RawMessage
		}
		if err := conn.ReadJSON(&frame); err != nil {
			return
		}
		if frame.Type == "connection_init" {
			device = deviceOf(frame.Payload)
			p.say(`{"type":"connection_ack"}`)
			_ = conn.WriteControl(websocket.PingMessage, []byte("here?"), farAway())
			continue
		}
		var op operation
		if err := json.Unmarshal(frame.Payload, &op); err != nil {
			return
		}
		if strings.HasPrefix(op.Query, "subscription") {
			f.subscribe(device, p)
			continue
		}
		answer := fmt.Sprintf(`{"id":%q,"type":"next","payload":%s}`, frame.ID, f.do(op))
		p.mu.Lock()
		writer, _ := conn.NextWriter(websocket.TextMessage)
		_, _ = writer.Write([]byte(answer))
		_ = writer.Close()
		p.mu.Unlock()
		p.say(fmt.Sprintf(`{"id":%q,"type":"complete"}`, frame.ID))
	}
}

func deviceOf(payload []byte) string {
	var init struct{ Authorization string }
	_ = json.Unmarshal(payload, &init)
	device, _, err := identity.ParseTokenDevice(strings.TrimPrefix(init.Authorization, "Bearer "))
	if err != nil {
		return ""
	}
	return device.String()
}

func (f *fake) box(device string) *box {
	if f.boxes[device] == nil {
		f.boxes[device] = &box{}
	}
	return f.boxes[device]
}

func (f *fake) subscribe(device string, p *peer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	b := f.box(device)
	b.conn = p
	for _, e := range b.waiting {
		b.give(e)
	}
	b.waiting = nil
}

func (b *box) give(e envelope) {
	b.number++
	b.conn.say(fmt.Sprintf(`{"id":"r","type":"next","payload":{"data":{"messageReceived":{"id":"%d","cursor":"%022d","kind":"BOX","ciphertext":%q,"nonce":%q}}}}`,
		b.number, b.number, e.Ciphertext, e.Nonce))
}

// do gives the answer to an operation.
func (f *fake) do(op operation) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	in := op.Variables.Input
	switch {
	case strings.Contains(op.Query, "registerKey"):
		return `{"data":{"registerKey":{"device":{"id":"d"}}}}`
	case strings.Contains(op.Query, "acknowledgeMessages"):
		f.acks++
		return `{"data":{"acknowledgeMessages":{"removedCount":1}}}`
	case strings.Contains(op.Query, "sendMessages"):
		var answers []string
		for _, m := range in.Messages {
			answers = append(answers, f.accept(m))
		}
		return f.told(fmt.Sprintf(`{"data":{"sendMessages":{"callId":%q,"messages":[%s]}}}`, in.CallID, strings.Join(answers, ",")))
	default:
		return f.told(fmt.Sprintf(`{"data":{"sendMessage":%s}}`, f.accept(in.message)))
	}
}

func (f *fake) told(answer string) string {
	if f.answer != nil {
		return f.answer(answer)
	}
	return answer
}

func (f *fake) accept(m message) string {
	var statuses []string
	for _, r := range m.Recipients {
		for _, e := range r.Envelopes {
			f.sent++
			statuses = append(statuses, `{"status":"STORED"}`)
			reach := []envelope{e}
			if f.deliver != nil {
				reach = f.deliver(f.sent, e)
			}
			for _, e := range reach {
				b := f.box(e.DeviceID)
				if b.conn == nil {
					b.waiting = append(b.waiting, e)
					continue
				}
				b.give(e)
			}
		}
	}
	return fmt.Sprintf(`{"messageId":%q,"deliveries":[%s]}`, m.MessageID, strings.Join(statuses, ","))
}
