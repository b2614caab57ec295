package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/letterlock/letterlock/client"
)

// Every other answer is lost on the way, after the server did what was asked.
func TestLostAnswers(t *testing.T) {
	middle := newMiddle(t)
	alice, bob := person(t, middle.URL), person(t, middle.URL)
	turn := 0
	middle.on(func(operation string, _ http.ResponseWriter, r *http.Request, forward http.Handler) bool {
		if operation != "SendMessage" && operation != "AcknowledgeMessages" {
			return false
		}
		if turn++; turn%2 == 0 {
			return false
		}
		forward.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	})
	var want []string
	for i := range 10 {
		want = append(want, fmt.Sprint("number ", i))
		send(t, alice, bob.UserID(), want[i])
	}
	equal(t, inbox(t, bob), want)
	equal(t, inbox(t, bob), nil)
	equal(t, history(t, bob, alice.UserID()), want)
}

func TestTransientFailuresAreRetried(t *testing.T) {
	for name, extensions := range map[string]string{
		"store unavailable": `{"code":"STORE_UNAVAILABLE","stored":"NO"}`,
		"outcome unknown":   `{"code":"OUTCOME_UNKNOWN","stored":"UNKNOWN"}`,
		"stopping":          `{"code":"STOPPING","stored":"NO"}`,
		"defect":            `{"code":"INTERNAL","stored":"UNKNOWN"}`,
		"list changed":      `{"code":"DEVICE_LIST_CHANGED","stored":"NO"}`,
	} {
		t.Run(name, func(t *testing.T) {
			middle := newMiddle(t)
			alice, bob := person(t, middle.URL), person(t, middle.URL)
			middle.fails("SendMessage", extensions, 2)
			send(t, alice, bob.UserID(), "hello")
			if n := middle.count("SendMessage"); n != 3 {
				t.Fatalf("%d tries, want 3", n)
			}
			equal(t, inbox(t, bob), []string{"hello"})
		})
	}
}

func TestOverloadedWaitsAsLongAsAsked(t *testing.T) {
	middle := newMiddle(t)
	var waits []time.Duration
	alice := person(t, middle.URL, func(o *client.Options) {
		o.OnWait = func(_ error, next time.Duration) { waits = append(waits, next) }
	})
	bob := person(t, middle.URL)
	middle.fails("SendMessage", `{"code":"OVERLOADED","stored":"NO","retryAfterMs":700}`, 1)
	send(t, alice, bob.UserID(), "hello")
	if len(waits) != 1 || waits[0] < 700*time.Millisecond || waits[0] > 2*time.Second {
		t.Fatalf("waits %v, want one of 700 ms and a little", waits)
	}
}

// Who sends too often waits as the server says, whether the whole request was refused or the send alone, and then has sent it once.
func TestRateLimitedSendWaitsAsLongAsAsked(t *testing.T) {
	for name, status := range map[string]int{"request": http.StatusTooManyRequests, "send": http.StatusOK} {
		t.Run(name, func(t *testing.T) {
			middle := newMiddle(t)
			var waits []time.Duration
			var errs []error
			alice := person(t, middle.URL, func(o *client.Options) {
				o.OnWait = func(err error, next time.Duration) { errs, waits = append(errs, err), append(waits, next) }
			})
			bob := person(t, middle.URL)
			middle.on(func(operation string, w http.ResponseWriter, _ *http.Request, _ http.Handler) bool {
				if operation != "SendMessage" || middle.count("SendMessage") > 1 {
					return false
				}
				w.Header().Set("Content-Type", "application/graphql-response+json; charset=utf-8")
				w.Header().Set("Retry-After", "1")
				w.WriteHeader(status)
				_, _ = io.WriteString(w, `{"errors":[{"message":"no","extensions":{"code":"RATE_LIMITED","stored":"NO","retryAfterMs":700}}]}`)
				return true
			})
			send(t, alice, bob.UserID(), "hello")
			if len(waits) != 1 || waits[0] < 700*time.Millisecond || waits[0] > 2*time.Second || codeOf(errs[0]) != "RATE_LIMITED" {
				t.Fatalf("waits %v for %v, want one of 700 ms and a little", waits, errs)
			}
			if n := middle.count("SendMessage"); n != 2 {
				t.Errorf("%d tries", n)
			}
			equal(t, inbox(t, bob), []string{"hello"})
		})
	}
}

// codeOf gives the code of an error that the server has answered with.
func codeOf(err error) string {
	var said *client.ServerError
	if !errors.As(err, &said) {
		return ""
	}
	return said.Code
}

// A socket that is refused for being one too many is opened when the server said, and not before.
func TestRefusedSocketWaitsAsLongAsAsked(t *testing.T) {
	middle := newMiddle(t)
	waits := make(chan time.Duration, 10)
	alice := person(t, middle.URL, func(o *client.Options) {
		o.OnWait = func(_ error, next time.Duration) { waits <- next }
	})
	bob := person(t, middle.URL)
	middle.on(func(operation string, w http.ResponseWriter, _ *http.Request, _ http.Handler) bool {
		if operation != "socket" || middle.count("socket") > 1 {
			return false
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, `{"errors":[{"message":"no","extensions":{"code":"RATE_LIMITED","stored":"NO","retryAfterMs":700}}]}`)
		return true
	})
	l := listen(t, alice)
	send(t, bob, alice.UserID(), "hello")
	l.text("hello")
	l.stop()
	if wait := <-waits; wait < 700*time.Millisecond || wait > 2*time.Second {
		t.Errorf("the wait was %v, want 700 ms and a little", wait)
	}
}

func TestSendFailsForGood(t *testing.T) {
	middle := newMiddle(t)
	alice, bob := person(t, middle.URL), person(t, middle.URL)
	stranger, err := client.Init(t.Context(), client.Options{Home: filepath.Join(t.TempDir(), "x"), Server: middle.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, stranger)
	_, err = alice.Send(t.Context(), stranger.UserID(), "anybody?")
	wantSendError(t, err, "recipient-unknown")
	middle.fails("SendMessage", `{"code":"RECIPIENT_UNKNOWN","stored":"NO"}`, 99)
	_, err = alice.Send(t.Context(), bob.UserID(), "hello")
	wantSendError(t, err, "recipient-unknown")
	middle.fails("SendMessage", `{"code":"MESSAGE_ID_REUSED","stored":"NO"}`, 99)
	_, err = alice.Send(t.Context(), bob.UserID(), "hello")
	wantSendError(t, err, "declined")
	middle.on(nil)
	send(t, alice, bob.UserID(), "fine")
	if texts := inbox(t, bob); len(texts) != 1 || texts[0] != "fine" {
		t.Fatalf("Bob has %q", texts)
	}
	equal(t, inbox(t, alice), nil) // Send has told of the failures; they are not told again
}

func wantSendError(t *testing.T, err error, reason client.FailureReason) {
	t.Helper()
	var failed *client.SendError
	if !errors.As(err, &failed) || failed.Reason != reason || failed.Message.State != client.Failed {
		t.Fatalf("error %v, want a SendError for %s", err, reason)
	}
}

// A list that changes for ever, or an id that has always expired: Send ends, and keeps the message.
func TestSendEndsAgainstAServerThatNeverAgrees(t *testing.T) {
	for name, extensions := range map[string]string{
		"list changed": `{"code":"DEVICE_LIST_CHANGED","stored":"NO"}`,
		"id expired":   `{"code":"MESSAGE_ID_EXPIRED","stored":"NO"}`,
		"unauthorized": `{"code":"UNAUTHENTICATED","stored":"NO"}`,
	} {
		t.Run(name, func(t *testing.T) {
			middle := newMiddle(t)
			alice, bob := person(t, middle.URL), person(t, middle.URL)
			middle.fails("SendMessage", extensions, 1000)
			_, err := alice.Send(t.Context(), bob.UserID(), "hello")
			var queued *client.QueuedError
			if !errors.As(err, &queued) {
				t.Fatalf("error %v, want a QueuedError", err)
			}
			if n := middle.count("SendMessage"); n > 20 {
				t.Fatalf("%d tries", n)
			}
			middle.on(nil)
			if err := alice.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			equal(t, inbox(t, bob), []string{"hello"})
		})
	}
}

// An acknowledgement that got lost is made up for by the next Inbox, whether or not something new has come: what was received fills the
// mailbox until then, and a full one lets nothing new in.
func TestInboxMakesUpForALostAcknowledgement(t *testing.T) {
	middle := newMiddle(t)
	alice, bob := person(t, middle.URL), person(t, middle.URL)
	waiting := func() string {
		var parts []string
		err := bob.ExportUser(t.Context(), func(part json.RawMessage) error {
			parts = append(parts, string(part))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return parts[len(parts)-1]
	}
	before := waiting()
	send(t, alice, bob.UserID(), "hello")
	middle.fails("AcknowledgeMessages", `{"code":"OVERLOADED","stored":"NO"}`, 1000)
	equal(t, inbox(t, bob), []string{"hello"})
	if waiting() == before {
		t.Fatal("nothing waits on the server; is it asked for as it was?")
	}
	middle.on(nil)
	equal(t, inbox(t, bob), nil)
	if now := waiting(); now != before {
		t.Fatalf("still on the server: %s", now)
	}
}

// Who gives up waits for nobody: also while another call is at work with a server that does not answer.
func TestCallsWaitForNobodyBeyondTheirContext(t *testing.T) {
	for silent, call := range map[string]func(context.Context, *client.Client, client.UserID) error{
		"SendMessage": func(ctx context.Context, c *client.Client, to client.UserID) error {
			_, err := c.Send(ctx, to, "second")
			var queued *client.QueuedError
			if !errors.As(err, &queued) || !errors.Is(err, context.DeadlineExceeded) {
				return fmt.Errorf("Send gave up with %w, want a QueuedError because of its context", err)
			}
			return nil
		},
		"Standing":    func(ctx context.Context, c *client.Client, _ client.UserID) error { _ = c.Register(ctx); return nil },
		"RegisterKey": func(ctx context.Context, c *client.Client, _ client.UserID) error { _ = c.Register(ctx); return nil },
	} {
		t.Run(silent, func(t *testing.T) {
			middle := newMiddle(t)
			bob := person(t, middle.URL)
			alice, err := client.Init(t.Context(), client.Options{Home: filepath.Join(t.TempDir(), "home"), Server: middle.URL})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { closed(t, alice) })
			asked, answer := make(chan struct{}), make(chan struct{})
			var once sync.Once
			middle.on(func(operation string, _ http.ResponseWriter, _ *http.Request, _ http.Handler) bool {
				if operation == silent {
					once.Do(func() { close(asked) })
					<-answer
				}
				return false
			})
			sent, gaveUp := make(chan error, 1), make(chan error, 1)
			go func() {
				_, err := alice.Send(t.Context(), bob.UserID(), "first")
				sent <- err
			}()
			<-asked
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			go func() { gaveUp <- call(ctx, alice, bob.UserID()) }()
			select {
			case err := <-gaveUp:
				if err != nil {
					t.Error(err)
				}
			case <-time.After(patience / 2):
				t.Error("it waits for the other one")
			}
			close(answer)
			if err := <-sent; err != nil {
				t.Error(err)
			}
			if err := alice.Flush(t.Context()); err != nil {
				t.Error(err)
			}
			equal(t, inbox(t, bob), history(t, alice, bob.UserID()))
		})
	}
}
