package client_test

import (
	"encoding/json"
	"errors"
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
