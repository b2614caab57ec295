package client_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/letterlock/letterlock/client"
	"github.com/letterlock/letterlock/internal/testserver"
)

// Whoever deletes themselves is gone for others, and other devices of theirs find themselves removed; the same call again, in a new
// process, gives the same.
func TestDeleteUser(t *testing.T) {
	s := testserver.Start(t, testserver.Options{})
	options := client.Options{}
	alice, bob := person(t, s.URL, func(o *client.Options) { options.Home, options.Server = o.Home, o.Server }), person(t, s.URL)
	send(t, bob, alice.UserID(), "is lost")
	send(t, alice, bob.UserID(), "is delivered")
	listening := listen(t, alice)
	listening.text("is lost")
	at, err := alice.DeleteUser(t.Context())
	if err != nil || at.IsZero() {
		t.Fatalf("deleted at %s, %v", at, err)
	}
	if err := listening.end(); !errors.Is(err, client.ErrDeviceRemoved) {
		t.Errorf("Listen ended with %v", err)
	}
	again, err := reopen(t, options).DeleteUser(t.Context())
	if err != nil || !again.Equal(at) {
		t.Errorf("again: deleted at %s, %v; at first %s", again, err, at)
	}
	equal(t, inbox(t, bob), []string{"is delivered"})
	if _, err := bob.Send(t.Context(), alice.UserID(), "are you there?"); err == nil {
		t.Error("a message to nobody was sent")
	}
}

// The export of a user is public keys, numbers and sealed messages.
func TestExportUser(t *testing.T) {
	s := testserver.Start(t, testserver.Options{})
	alice, bob := person(t, s.URL), person(t, s.URL)
	send(t, bob, alice.UserID(), "for your eyes")
	var parts []string
	err := alice.ExportUser(t.Context(), func(part json.RawMessage) error {
		parts = append(parts, string(part))
		return nil
	})
	if err != nil || len(parts) != 2 {
		t.Fatalf("%d parts, %v", len(parts), err)
	}
	all := strings.Join(parts, "\n")
	for _, want := range []string{alice.UserID().String(), alice.DeviceID().String(), bob.UserID().String(), "KEM_LAST_RESORT"} {
		if !strings.Contains(all, want) {
			t.Errorf("the export does not name %s", want)
		}
	}
	if strings.Contains(all, "for your eyes") {
		t.Error("the export shows a text")
	}
	equal(t, inbox(t, alice), []string{"for your eyes"})
}

// A server that always has more does not have a client write for ever.
func TestHostileExportEnds(t *testing.T) {
	const (
		user  = `{"data":{"exportUser":{"hasMore":true,"deviceLists":[{"version":1,"statement":"AA","createdAt":"2026-01-02T03:04:05Z"}],"devices":[]}}}`
		whole = `{"data":{"exportUser":{"hasMore":false,"deviceLists":[],"devices":[]}}}`
		page  = `{"data":{"mailbox":{"nodes":[{"cursor":"c","ciphertext":"AA"}],"pageInfo":{"hasNextPage":true}}}}`
	)
	for name, answers := range map[string][2]string{"of lists": {user, page}, "of envelopes": {whole, page}} {
		t.Run(name, func(t *testing.T) {
			middle := newMiddle(t)
			alice := person(t, middle.URL)
			middle.on(func(operation string, w http.ResponseWriter, _ *http.Request, _ http.Handler) bool {
				answer := map[string]string{"ExportUser": answers[0], "ExportMailbox": answers[1]}[operation]
				if answer == "" {
					return false
				}
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, answer)
				return true
			})
			parts, errEnough := 0, errors.New("enough")
			err := alice.ExportUser(t.Context(), func(json.RawMessage) error {
				if parts++; parts > 5000 {
					return errEnough
				}
				return nil
			})
			if !errors.Is(err, client.ErrResponse) {
				t.Errorf("after %d parts: %v, want ErrResponse", parts, err)
			}
		})
	}
}
