package mailbox

import (
	"testing"
	"time"

	"github.com/letterlock/letterlock/identity"
)

func BenchmarkCursorString(b *testing.B) {
	cursor := Cursor{epoch: 1 << 60, mailbox: 12_345, number: 67_890}
	b.ReportAllocs()
	for b.Loop() {
		_ = cursor.String()
	}
}

func BenchmarkParseCursor(b *testing.B) {
	text := Cursor{epoch: 1 << 60, mailbox: 12_345, number: 67_890}.String()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseCursor(text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkKeyOf(b *testing.B) {
	var device identity.DeviceID
	random(device[:])
	id := idAt(time.Now())
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := keyOf(device, id); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkContentOf hashes a message of 256 bytes for two devices.
func BenchmarkContentOf(b *testing.B) {
	send := Send{Recipients: []Recipient{{ListVersion: 1, Envelopes: make([]Envelope, 2)}}}
	for i := range send.Recipients[0].Envelopes {
		e := &send.Recipients[0].Envelopes[i]
		random(e.Device[:])
		e.Kind, e.Ciphertext = Session, make([]byte, 256)
	}
	b.ReportAllocs()
	for b.Loop() {
		_ = contentOf(&send)
	}
}

// BenchmarkMessageOfRow makes a message of what a database gave.
func BenchmarkMessageOfRow(b *testing.B) {
	var user identity.UserID
	var device identity.DeviceID
	random(user[:])
	random(device[:])
	row := messageRow{
		id: messageID(12_345, 67_890), senderUser: user.String(), senderDevice: device.String(), senderListVersion: 1,
		sentAt: 1_772_000_000_000_000, expiresAt: 1_774_000_000_000_000, kind: Session, ciphertext: make([]byte, 256),
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := row.message(1); err != nil {
			b.Fatal(err)
		}
	}
}
