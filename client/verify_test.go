package client_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/letterlock/letterlock/client"
)

func number(t *testing.T, c *client.Client, user client.UserID) client.SafetyNumber {
	t.Helper()
	n, err := c.SafetyNumber(t.Context(), user)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func verified(t *testing.T, c *client.Client, user client.UserID) bool {
	t.Helper()
	at, err := c.Verified(t.Context(), user)
	if err != nil {
		t.Fatal(err)
	}
	return !at.IsZero()
}

func TestVerify(t *testing.T) {
	middle := newMiddle(t)
	alice, bob := person(t, middle.URL), person(t, middle.URL)
	for name, shown := range map[string]func(client.SafetyNumber) string{
		"scanned": client.SafetyNumber.Code, "read": client.SafetyNumber.String,
	} {
		t.Run(name, func(t *testing.T) {
			if verified(t, alice, bob.UserID()) {
				t.Fatal("verified before")
			}
			check(t, alice.Verify(t.Context(), bob.UserID(), shown(number(t, bob, alice.UserID()))))
			if !verified(t, alice, bob.UserID()) || verified(t, bob, alice.UserID()) {
				t.Fatal("not the one who has compared is verified")
			}
			check(t, alice.Unverify(t.Context(), bob.UserID()))
		})
	}
	middle.on(nil)
	number(t, alice, bob.UserID())
	if n := middle.count("FetchUser"); n != 0 {
		t.Fatalf("asked %d times for what is held", n)
	}
}

func TestSafetyNumberOfNobody(t *testing.T) {
	middle := newMiddle(t)
	alice := person(t, middle.URL)
	if _, err := alice.SafetyNumber(t.Context(), client.UserID{}); !errors.Is(err, client.ErrUserUnknown) {
		t.Fatalf("%v, want ErrUserUnknown", err)
	}
	if _, err := alice.SafetyNumber(t.Context(), alice.UserID()); !errors.Is(err, client.ErrToSelf) {
		t.Fatalf("%v, want ErrToSelf", err)
	}
}

// The server shows Mallory's list for Bob: there is no safety number of it.
func TestServerSwapsKeysForSafetyNumber(t *testing.T) {
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
		body = bytes.ReplaceAll(body, []byte(bob.UserID().String()), []byte(mallory.UserID().String()))
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		forward.ServeHTTP(w, r)
		return true
	})
	var alarm *client.AlarmError
	err := alice.Verify(t.Context(), bob.UserID(), strings.Repeat("0", 60))
	if !errors.As(err, &alarm) || verified(t, alice, bob.UserID()) {
		t.Fatalf("%v, want an AlarmError and nobody verified", err)
	}
}

// Mallory has made each of the two believe that a key of his is the other's: neither verifies.
func TestAttackerBetweenTwoPeople(t *testing.T) {
	middle := newMiddle(t)
	alice, bob, left, right := person(t, middle.URL), person(t, middle.URL), person(t, middle.URL), person(t, middle.URL)
	shown := number(t, bob, right.UserID())
	if err := alice.Verify(t.Context(), left.UserID(), shown.Code()); !errors.Is(err, client.ErrSafetyOthers) {
		t.Fatalf("%v, want ErrSafetyOthers", err)
	}
	if err := alice.Verify(t.Context(), left.UserID(), shown.String()); !errors.Is(err, client.ErrSafetyMismatch) {
		t.Fatalf("%v, want ErrSafetyMismatch", err)
	}
	if verified(t, alice, left.UserID()) {
		t.Fatal("the attacker is verified")
	}
}

// The server takes back a verified user's list: an alarm, and nothing more is sent, also not what was queued, until Alice accepts.
func TestAlarmStopsSendingToVerified(t *testing.T) {
	middle := newMiddle(t)
	alice, bob := person(t, middle.URL, func(o *client.Options) { o.Patience = -1 }), person(t, middle.URL)
	check(t, alice.Verify(t.Context(), bob.UserID(), number(t, bob, alice.UserID()).Code()))
	_, err := alice.Queue(t.Context(), bob.UserID(), "queued before")
	check(t, err)
	middle.on(func(operation string, w http.ResponseWriter, _ *http.Request, _ http.Handler) bool {
		w.Header().Set("Content-Type", "application/json")
		switch operation {
		case "SendMessage":
			_, _ = io.WriteString(w, `{"errors":[{"message":"no","extensions":{"code":"DEVICE_LIST_CHANGED","stored":"NO"}}]}`)
		case "FetchUser":
			_, _ = io.WriteString(w, `{"data":{"user":null}}`)
		default:
			return false
		}
		return true
	})
	_, err = alice.Send(t.Context(), bob.UserID(), "the server lies now")
	if err == nil {
		t.Fatal("sent")
	}
	trust, err := alice.Trust(t.Context(), bob.UserID())
	if err != nil || trust.Alarm == nil || trust.Verified.IsZero() {
		t.Fatalf("trust %+v, %v; want an alarm about a verified user", trust, err)
	}
	middle.on(nil)
	if _, err := alice.Send(t.Context(), bob.UserID(), "not to be sent"); !errors.Is(err, client.ErrContactAlarm) {
		t.Fatalf("%v, want ErrContactAlarm", err)
	}
	if err := alice.Flush(t.Context()); err != nil && !errors.Is(err, client.ErrContactAlarm) {
		t.Fatal(err)
	}
	if n := middle.count("SendMessage"); n != 0 {
		t.Fatalf("%d messages were sent", n)
	}
	check(t, alice.Accept(t.Context(), bob.UserID()))
	check(t, alice.Flush(t.Context()))
	send(t, alice, bob.UserID(), "accepted")
	if texts := inbox(t, bob); len(texts) == 0 || texts[len(texts)-1] != "accepted" {
		t.Fatalf("arrived: %q", texts)
	}
}

func TestContactChange(t *testing.T) {
	middle := newMiddle(t)
	alice, bob, mallory := person(t, middle.URL), person(t, middle.URL), person(t, middle.URL)
	check(t, alice.AddContact(t.Context(), "bob", bob.UserID()))
	send(t, alice, bob.UserID(), "hello")
	if err := alice.AddContact(t.Context(), "bob", mallory.UserID()); !errors.Is(err, client.ErrContactTaken) {
		t.Fatalf("%v, want ErrContactTaken", err)
	}
	check(t, alice.ReplaceContact(t.Context(), "bob", mallory.UserID()))
	if _, err := alice.Send(t.Context(), mallory.UserID(), "secret"); !errors.Is(err, client.ErrContactChanged) {
		t.Fatalf("%v, want ErrContactChanged", err)
	}
	var alarms []client.Alarm
	check(t, alice.Inbox(t.Context(), func(_ context.Context, n client.Notice) error {
		if n.Alarm != nil {
			alarms = append(alarms, *n.Alarm)
		}
		return nil
	}))
	if len(alarms) != 1 || alarms[0].Reason != client.ContactChanged || alarms[0].Former != bob.UserID() {
		t.Fatalf("alarms %+v, want one", alarms)
	}
	check(t, alice.Accept(t.Context(), mallory.UserID()))
	send(t, alice, mallory.UserID(), "accepted")
}

// A message that was queued for somebody waits, too, when their name turns out to be somebody else's.
func TestQueuedWaitsForAcceptance(t *testing.T) {
	middle := newMiddle(t)
	alice, bob, carol := person(t, middle.URL), person(t, middle.URL), person(t, middle.URL)
	check(t, alice.AddContact(t.Context(), "bob", bob.UserID()))
	_, err := alice.Queue(t.Context(), carol.UserID(), "to an id")
	check(t, err)
	check(t, alice.ReplaceContact(t.Context(), "bob", carol.UserID()))
	if err := alice.Flush(t.Context()); !errors.Is(err, client.ErrContactChanged) {
		t.Fatalf("%v, want ErrContactChanged", err)
	}
	equal(t, inbox(t, carol), nil)
	check(t, alice.Accept(t.Context(), carol.UserID()))
	check(t, alice.Flush(t.Context()))
	equal(t, inbox(t, carol), []string{"to an id"})
}
