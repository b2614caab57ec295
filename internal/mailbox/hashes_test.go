package mailbox

import (
	"encoding/hex"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/letterlock/letterlock/identity"
)

// What an earlier release has remembered is recognised by this one: neither hash may change.
func TestContract2_HashesOfTheFirstRelease(t *testing.T) {
	send := Send{
		MessageID:  uuid.MustParse("0193f0a0-1234-7abc-8def-0123456789ab"),
		SenderUser: identity.UserID{1}, SenderDevice: identity.DeviceID{2},
		ExpiresIn: 90 * time.Second,
		Recipients: []Recipient{
			{User: identity.UserID{3}, ListVersion: 4, Envelopes: []Envelope{
				{Device: identity.DeviceID{5}, Kind: Box, Ciphertext: []byte("ciphertext"), Nonce: make([]byte, nonceLength)},
				{Device: identity.DeviceID{6}, Kind: Session, Ciphertext: []byte("other")},
			}},
			{User: identity.UserID{7}, ListVersion: 1 << 31, Envelopes: []Envelope{
				{Device: identity.DeviceID{8}, Kind: SessionStart, Ciphertext: []byte("start")},
			}},
		},
	}
	key, _, err := keyOf(send.SenderDevice, send.MessageID)
	if err != nil {
		t.Fatal(err)
	}
	content := contentOf(&send)
	if got, want := hex.EncodeToString(content[:]), "0dc3fe387fa5d73770ee986eae0e7e7058aba634ae7c968d8f0d3b49f7efdd66"; got != want {
		t.Errorf("content is %s, want %s", got, want)
	}
	if got, want := hex.EncodeToString(key.key[:]), "a24938cd871df16cc543df581172c379731a7b3d517bdd3be4fd89cc0d904ad2"; got != want || key.day != 20079 {
		t.Errorf("key is %s on day %d, want %s", got, key.day, want)
	}
}
