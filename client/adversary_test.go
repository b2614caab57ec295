package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/letterlock/letterlock/client"
	"github.com/letterlock/letterlock/client/internal/api"
)

// Whatever a server answers, a send ends in time with an error, and the message is kept and sent in the end.
func TestHostileAnswersToSend(t *testing.T) {
	deliveries := func(entries string) string {
		return `{"data":{"sendMessage":{"messageId":"01a20a8b-324a-7759-a8ab-dcf2a0899cad","acceptedAt":"2026-01-02T03:04:05Z","deliveries":[` + entries + `]}}}`
	}
	for name, answer := range map[string]struct{ contentType, body string }{
		"not JSON":              {"text/html", "<html>It works!</html>"},
		"JSON by name only":     {"application/json", "<html>"},
		"nothing":               {"application/json", ""},
		"null":                  {"application/json", "null"},
		"no data":               {"application/json", `{"data":null}`},
		"other types":           {"application/json", `{"data":{"sendMessage":7}}`},
		"an endless instant":    {"application/json", `{"data":{"sendMessage":{"acceptedAt":"` + strings.Repeat("2", 1<<20) + `"}}}`},
		"another message":       {"application/json", deliveries(``)},
		"deep nesting":          {"application/json", strings.Repeat("[", 1<<20)},
		"longer than we read":   {"application/json", `{"data":"` + strings.Repeat("a", 13<<20) + `"}`},
		"not UTF-8":             {"application/json", "{\"data\":\"\xff\"}"},
		"an error without code": {"application/json", `{"errors":[{"message":"\u001b[2J"}]}`},
		"an endless wait":       {"application/json", `{"errors":[{"message":"","extensions":{"code":"OVERLOADED","retryAfterMs":9223372036854775807}}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			middle := newMiddle(t)
			alice := person(t, middle.URL, func(o *client.Options) { o.Patience = -1 })
			bob := person(t, middle.URL)
			middle.says("SendMessage", answer.contentType, answer.body)
			_, err := alice.Send(t.Context(), bob.UserID(), "hello")
			var queued *client.QueuedError
			if !errors.As(err, &queued) {
				t.Fatalf("error %v, want a QueuedError", err)
			}
			if len(err.Error()) > 1000 {
				t.Fatalf("an error of %d bytes", len(err.Error()))
			}
			middle.on(nil)
			if err := alice.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			equal(t, inbox(t, bob), []string{"hello"})
		})
	}
}

func TestHostileUserAnswers(t *testing.T) {
	list := `{"statement":"` + strings.Repeat("A", 400) + `"}`
	for name, body := range map[string]string{
		"garbage for a list": `{"data":{"user":{"listVersion":1,"deviceLists":[` + list + `]}}}`,
		"padded base64":      `{"data":{"user":{"listVersion":1,"deviceLists":[{"statement":"AA=="}]}}}`,
		"a list too many":    `{"data":{"user":{"listVersion":1,"deviceLists":[` + strings.Repeat(list+",", 9999) + list + `]}}}`,
		"negative version":   `{"data":{"user":{"listVersion":-1,"deviceLists":[]}}}`,
		"no lists":           `{"data":{"user":{"listVersion":2147483647,"deviceLists":[]}}}`,
		"nobody":             `{"data":{"user":null}}`,
	} {
		t.Run(name, func(t *testing.T) {
			middle := newMiddle(t)
			alice := person(t, middle.URL, func(o *client.Options) { o.Patience = -1 })
			bob := person(t, middle.URL)
			middle.says("FetchUser", "application/json", body)
			if message, err := alice.Send(t.Context(), bob.UserID(), "hello"); err == nil {
				t.Fatalf("sent as %+v", message)
			}
			if n := middle.count("FetchUser"); n > 3 {
				t.Fatalf("asked %d times", n)
			}
			equal(t, inbox(t, bob), nil)
		})
	}
}

// An answer as long as we read may have millions of values, which as Go has them would take gigabytes: they are not read.
func TestAnswersTakeLittleMemory(t *testing.T) {
	const most = 100 << 20
	for name, values := range map[string][3]string{
		"errors":    {`{"errors":[`, `{}`, `]}`},
		"no errors": {`{"errors":[`, `0`, `]}`},
		"envelopes": {`{"data":{"mailbox":{"nodes":[`, `{}`, `]}}}`},
		"nulls":     {`{"data":{"mailbox":{"nodes":[`, `null`, `]}}}`},
	} {
		t.Run(name, func(t *testing.T) {
			body := values[0] + strings.Repeat(values[1]+",", 11<<20/(len(values[1])+1)) + values[1] + values[2]
			answer := &http.Response{Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body))}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := client.ReadAnswer(answer, new(api.MailboxResponse))
			runtime.ReadMemStats(&after)
			if taken := after.TotalAlloc - before.TotalAlloc; !errors.Is(err, client.ErrResponse) || taken > most {
				t.Errorf("it took %d MiB and gave %.100v", taken>>20, err)
			}
		})
	}
}

// The server shows Mallory's list for Bob: the message is not sealed for it, and Alice is told.
func TestServerSwapsKeys(t *testing.T) {
	middle := newMiddle(t)
	alice, bob, mallory := person(t, middle.URL), person(t, middle.URL), person(t, middle.URL)
	middle.on(func(operation string, w http.ResponseWriter, r *http.Request, forward http.Handler) bool {
		if operation != "FetchUser" {
			return false
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(err)
		}
		swapped := strings.ReplaceAll(string(body), bob.UserID().String(), mallory.UserID().String())
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(swapped)), int64(len(swapped))
		forward.ServeHTTP(w, r)
		return true
	})
	_, err := alice.Send(t.Context(), bob.UserID(), "secret")
	wantSendError(t, err, "list-refused")
	var alarm *client.AlarmError
	if !errors.As(err, &alarm) || alarm.Alarm.User != bob.UserID() {
		t.Fatalf("error %v, want an AlarmError about Bob", err)
	}
	equal(t, inbox(t, mallory), nil)
	var alarms int
	err = alice.Inbox(t.Context(), func(_ context.Context, n client.Notice) error {
		if n.Alarm != nil {
			alarms++
		}
		return nil
	})
	if err != nil || alarms != 1 {
		t.Fatalf("%d alarms handed over, %v; want 1", alarms, err)
	}
}

// The server says for ever that there is more, and gives the same page: Inbox ends, and the message is shown once.
func TestServerRepeatsPage(t *testing.T) {
	middle := newMiddle(t)
	alice, bob := person(t, middle.URL), person(t, middle.URL)
	send(t, alice, bob.UserID(), "one")
	var page []byte
	middle.on(func(operation string, w http.ResponseWriter, r *http.Request, forward http.Handler) bool {
		if operation != "Mailbox" {
			return false
		}
		if page == nil {
			recorder := httptest.NewRecorder()
			forward.ServeHTTP(recorder, r)
			page = regexp.MustCompile(`"hasNextPage":false`).ReplaceAll(recorder.Body.Bytes(), []byte(`"hasNextPage":true`))
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(page)
		return true
	})
	equal(t, inbox(t, bob), []string{"one"})
	if n := middle.count("Mailbox"); n != 2 {
		t.Fatalf("asked for %d pages, want 2", n)
	}
}

// The server changes an envelope on its way: it is refused, shown, acknowledged, and the next one arrives.
func TestServerForgesEnvelope(t *testing.T) {
	middle := newMiddle(t)
	alice, bob := person(t, middle.URL), person(t, middle.URL)
	send(t, alice, bob.UserID(), "one")
	middle.on(func(operation string, w http.ResponseWriter, r *http.Request, forward http.Handler) bool {
		if operation != "Mailbox" {
			return false
		}
		recorder := httptest.NewRecorder()
		forward.ServeHTTP(recorder, r)
		forged := regexp.MustCompile(`"ciphertext":"(.{40})....`).ReplaceAll(recorder.Body.Bytes(), []byte(`"ciphertext":"${1}AAAA`))
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(forged)
		return true
	})
	var refused []client.Refusal
	err := bob.Inbox(t.Context(), func(_ context.Context, n client.Notice) error {
		if n.Refusal != nil {
			refused = append(refused, *n.Refusal)
		}
		return nil
	})
	if err != nil || len(refused) != 1 || refused[0].Reason != "forged" {
		t.Fatalf("refused %+v, %v; want one for forgery", refused, err)
	}
	middle.on(nil)
	send(t, alice, bob.UserID(), "two")
	equal(t, inbox(t, bob), []string{"two"})
	messages, err := bob.History(t.Context(), alice.UserID(), 0, 10)
	if err != nil || len(messages) != 1 || messages[0].Missing != 1 {
		t.Fatalf("history %+v, %v; want the gap to show", messages, err)
	}
	if kept, err := bob.Refusals(t.Context()); err != nil || len(kept) != 1 {
		t.Fatalf("%d refusals are kept, %v; want 1", len(kept), err)
	}
}

func TestServerRefusesEveryCursor(t *testing.T) {
	middle := newMiddle(t)
	alice, bob := person(t, middle.URL), person(t, middle.URL)
	send(t, alice, bob.UserID(), "hello")
	equal(t, inbox(t, bob), []string{"hello"})
	middle.fails("Mailbox", `{"code":"CURSOR_INVALID","stored":"NO"}`, 1000)
	err := bob.Inbox(t.Context(), func(context.Context, client.Notice) error { return nil })
	var said *client.ServerError
	if !errors.As(err, &said) || said.Code != "CURSOR_INVALID" {
		t.Fatalf("error %v, want the server's", err)
	}
	if n := middle.count("Mailbox"); n != 2 {
		t.Fatalf("asked %d times, want once with the cursor and once without", n)
	}
}

// A redirect would give the token to somebody else.
func TestRedirectIsNotFollowed(t *testing.T) {
	var got []string
	thief := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = append(got, r.Header.Get("Authorization"))
	}))
	t.Cleanup(thief.Close)
	middle := newMiddle(t)
	alice, bob := person(t, middle.URL, func(o *client.Options) { o.Patience = -1 }), person(t, middle.URL)
	middle.on(func(_ string, w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
		http.Redirect(w, r, thief.URL, http.StatusTemporaryRedirect)
		return true
	})
	if _, err := alice.Send(t.Context(), bob.UserID(), "hello"); err == nil {
		t.Fatal("sent")
	}
	if len(got) > 0 {
		t.Fatalf("followed, with %q", got)
	}
}

// A socket that is cut, closed with every code, or talks nonsense: Listen comes back and misses nothing.
func TestHostileSockets(t *testing.T) {
	upgrade := websocket.Upgrader{Subprotocols: []string{"graphql-transport-ws"}}
	ack := `{"type":"connection_ack"}`
	for name, lines := range map[string][]string{
		"no ack":           {`{"type":"pong"}`},
		"not JSON":         {ack, "hello"},
		"not GraphQL":      {ack, `{"type":"next","id":"1","payload":7}`},
		"no envelope":      {ack, `{"type":"next","id":"1","payload":{"data":{"messageReceived":{}}}}`},
		"an endless frame": {ack, `{"type":"next","id":"1","payload":"` + strings.Repeat("a", 1<<20) + `"}`},
		"stopping":         {ack, `{"type":"error","id":"1","payload":[{"message":"stopping","extensions":{"code":"STOPPING"}}]}`},
		"complete":         {ack, `{"type":"complete","id":"1"}`},
		"foreign cursor":   {ack, `{"type":"error","id":"1","payload":[{"message":"x","extensions":{"code":"CURSOR_INVALID"}}]}`},
		"close 1012":       {ack, "1012"}, "close 1006": {ack}, "close 4403": {"4403"}, "close 4408": {"4408"}, "close 1011": {ack, "1011"},
	} {
		t.Run(name, func(t *testing.T) {
			middle := newMiddle(t)
			alice, bob := person(t, middle.URL), person(t, middle.URL)
			first := true
			middle.on(func(operation string, w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
				if operation != "socket" || !first {
					return false
				}
				first = false
				conn, err := upgrade.Upgrade(w, r, nil)
				if err != nil {
					return true
				}
				speak(conn, lines)
				return true
			})
			listener := listen(t, bob)
			eventually(t, "a second try, or its end", func() bool {
				select {
				case err := <-listener.ended:
					// Nonsense ends Listen with an error that says so; it does not hang and does not crash.
					var said *client.ServerError
					if !errors.Is(err, client.ErrResponse) && !errors.As(err, &said) {
						t.Fatalf("Listen ended with %v", err)
					}
					listener = listen(t, bob)
					return true
				default:
					return middle.count("socket") > 1
				}
			})
			send(t, alice, bob.UserID(), "hello")
			listener.text("hello")
			listener.stop()
		})
	}
}

// speak plays a server's side: lines to write, numbers to close with, then the connection is cut.
func speak(conn *websocket.Conn, lines []string) {
	for range 2 { // connection_init, subscribe
		if len(lines) == 0 {
			break
		}
		if _, _, err := conn.ReadMessage(); err != nil {
			break
		}
		var code int
		if n, _ := fmt.Sscanf(lines[0], "%d", &code); n == 1 {
			_ = conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Now().Add(time.Second))
		} else {
			_ = conn.WriteMessage(websocket.TextMessage, []byte(lines[0]))
		}
		lines = lines[1:]
	}
	_ = conn.Close()
}
