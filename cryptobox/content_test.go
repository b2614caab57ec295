package cryptobox_test

import (
	"bytes"
	"errors"
	"math/bits"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/identity"
)

func drawBytes(rt *rapid.T, n int, label string) []byte {
	return rapid.SliceOfN(rapid.Byte(), n, n).Draw(rt, label)
}

func drawText(rt *rapid.T) string {
	return rapid.StringN(1, 300, 1200).Draw(rt, "text")
}

func drawContent(rt *rapid.T) *cryptobox.Content {
	c := &cryptobox.Content{
		MessageID:            [16]byte(drawBytes(rt, 16, "id")),
		SenderUser:           identity.UserID(drawBytes(rt, 20, "sender")),
		SenderDevice:         identity.DeviceID(drawBytes(rt, 20, "sending device")),
		RecipientUser:        identity.UserID(drawBytes(rt, 20, "recipient")),
		RecipientDevice:      identity.DeviceID(drawBytes(rt, 20, "receiving device")),
		Counter:              rapid.Uint64Min(1).Draw(rt, "counter"),
		SenderListVersion:    rapid.Uint32Min(1).Draw(rt, "sender's list"),
		SenderListHash:       [32]byte(drawBytes(rt, 32, "hash")),
		RecipientListVersion: rapid.Uint32Min(1).Draw(rt, "recipient's list"),
		RecipientListHash:    [32]byte(drawBytes(rt, 32, "other hash")),
		SentAt:               time.UnixMicro(rapid.Int64Min(0).Draw(rt, "sent")).UTC(),
	}
	c.MessageID[6] = c.MessageID[6]&0x0f | 0x70
	c.MessageID[8] = c.MessageID[8]&0x3f | 0x80
	c.Conversation = cryptobox.ConversationID(c.SenderUser, c.RecipientUser)
	switch rapid.IntRange(1, 6).Draw(rt, "body") {
	case 1:
		c.Body = cryptobox.Text{Text: drawText(rt)}
	case 2:
		other := identity.UserID(drawBytes(rt, 20, "copy of a message to"))
		c.RecipientUser, c.Conversation = c.SenderUser, cryptobox.ConversationID(other, c.SenderUser)
		c.Body = cryptobox.Copy{Recipient: other, Text: drawText(rt)}
	case 3:
		c.Body, c.Conversation = drawReceipt(rt), cryptobox.ControlConversationID(c.SenderUser, c.RecipientUser)
	case 4:
		c.Body, c.Conversation = cryptobox.ResendRequest{Message: c.MessageID}, cryptobox.ControlConversationID(c.SenderUser, c.RecipientUser)
	case 5:
		c.Body = cryptobox.Resent{Message: c.MessageID, Text: drawText(rt)}
		c.Conversation = cryptobox.ControlConversationID(c.SenderUser, c.RecipientUser)
	default:
		data := rapid.SliceOfN(rapid.Byte(), 0, 2000).Draw(rt, "data")
		c.Body = cryptobox.Unknown{Type: rapid.ByteRange(6, 255).Draw(rt, "type"), Data: data}
	}
	return c
}

func drawReceipt(rt *rapid.T) cryptobox.Receipt {
	r := cryptobox.Receipt{Type: cryptobox.ReceiptType(rapid.ByteRange(1, 2).Draw(rt, "type"))}
	for range rapid.IntRange(1, cryptobox.MaxReceipts).Draw(rt, "count") {
		id := [16]byte(drawBytes(rt, 16, "id"))
		id[6], id[8] = id[6]&0x0f|0x70, id[8]&0x3f|0x80
		r.Messages = append(r.Messages, id)
	}
	return r
}

func TestC_ContentIsReadAndWrittenAsTheSameBytes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		made, err := drawContent(rt).Marshal()
		if err != nil {
			rt.Fatal(err)
		}
		read, err := cryptobox.ParseContent(made)
		if err != nil {
			rt.Fatal(err)
		}
		if again, err := read.Marshal(); err != nil || !bytes.Equal(again, made) {
			rt.Fatalf("other bytes, %v", err)
		}
	})
}

// TestC_MarshalRefusesWhatParseContentRefuses: nobody can seal by accident what nobody can read.
func TestC_MarshalRefusesWhatParseContentRefuses(t *testing.T) {
	alice, bob := newParty(t, "alice"), newParty(t, "bob")
	for name, c := range map[string]struct {
		change func(*cryptobox.Content)
		want   error
	}{
		"no body":            {func(c *cryptobox.Content) { c.Body = nil }, cryptobox.ErrContent},
		"counter 0":          {func(c *cryptobox.Content) { c.Counter = 0 }, cryptobox.ErrContent},
		"no sender's list":   {func(c *cryptobox.Content) { c.SenderListVersion = 0 }, cryptobox.ErrContent},
		"no list":            {func(c *cryptobox.Content) { c.RecipientListVersion = 0 }, cryptobox.ErrContent},
		"no message id":      {func(c *cryptobox.Content) { c.MessageID = [16]byte{} }, cryptobox.ErrMessageID},
		"no time":            {func(c *cryptobox.Content) { c.SentAt = time.Time{} }, cryptobox.ErrContent},
		"time out of range":  {func(c *cryptobox.Content) { c.SentAt = time.Unix(1<<55, 0) }, cryptobox.ErrContent},
		"other conversation": {func(c *cryptobox.Content) { c.Conversation[0]++ }, cryptobox.ErrConversation},
		"no text":            {func(c *cryptobox.Content) { c.Body = cryptobox.Text{} }, cryptobox.ErrText},
		"not UTF-8":          {func(c *cryptobox.Content) { c.Body = cryptobox.Text{Text: "\xff"} }, cryptobox.ErrText},
		"long text": {func(c *cryptobox.Content) {
			c.Body = cryptobox.Text{Text: strings.Repeat("a", cryptobox.MaxTextSize+1)}
		}, cryptobox.ErrText},
		"copy to another user": {func(c *cryptobox.Content) {
			c.Body = cryptobox.Copy{Recipient: bob.user, Text: "x"}
		}, cryptobox.ErrCopy},
		"text as unknown": {func(c *cryptobox.Content) { c.Body = cryptobox.Unknown{Type: 1} }, cryptobox.ErrContent},
		"too long": {func(c *cryptobox.Content) {
			c.Body = cryptobox.Unknown{Type: 9, Data: make([]byte, cryptobox.MaxContentSize)}
		}, cryptobox.ErrTooLong},
	} {
		content := textFrom(alice, bob, "hi")
		c.change(content)
		if made, err := content.Marshal(); made != nil || !errors.Is(err, c.want) {
			t.Errorf("%s: %d bytes, %v; want %v", name, len(made), err, c.want)
		}
	}
}

func TestC3_1_Padding(t *testing.T) {
	lengths := make(map[int]bool)
	for n := range cryptobox.MaxContentSize + 1 {
		padded := cryptobox.PaddedLength(n)
		if padded < n || padded < cryptobox.MinContentSize || padded > cryptobox.MaxContentSize {
			t.Fatalf("%d bytes are padded to %d", n, padded)
		}
		if n > cryptobox.MinContentSize && padded-n > n/16 {
			t.Fatalf("%d bytes cost %d", n, padded-n)
		}
		if cryptobox.PaddedLength(padded) != padded {
			t.Fatalf("%d, padded, is padded again", padded)
		}
		// The page says it with powers; the code with masks.
		if e := bits.Len(uint(n)) - 1; n > 256 {
			step := 1 << (e - (bits.Len(uint(e)) - 1 + 1))
			if want := (n + step - 1) / step * step; padded != want {
				t.Fatalf("%d bytes are padded to %d, want %d", n, padded, want)
			}
		}
		lengths[padded] = true
	}
	if len(lengths) > 150 {
		t.Errorf("%d different lengths show", len(lengths))
	}
	if next := cryptobox.PaddedLength(cryptobox.MaxContentSize + 1); next < 1<<16 {
		t.Errorf("%d would still be below 2^16", next)
	}
}

func TestC_ConversationIsTheSameForBoth(t *testing.T) {
	alice, bob, carol := newParty(t, "alice"), newParty(t, "bob"), newParty(t, "carol")
	id := cryptobox.ConversationID(alice.user, bob.user)
	if id != cryptobox.ConversationID(bob.user, alice.user) {
		t.Error("it depends on the order")
	}
	if id == cryptobox.ConversationID(alice.user, carol.user) || id == cryptobox.ConversationID(alice.user, alice.user) {
		t.Error("two conversations have one id")
	}
}

func FuzzParseContent(f *testing.F) {
	seeds := 0
	for _, v := range loadVectors[struct{ Content hexBytes }](f, "content.json") {
		if len(v.Content) <= 4096 { // the fuzzer is slow on long ones
			f.Add([]byte(v.Content))
			seeds++
		}
	}
	if seeds == 0 {
		f.Fatal("the corpus is empty")
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		content, err := cryptobox.ParseContent(input)
		if err != nil {
			if content != nil || !errors.Is(err, cryptobox.ErrContent) && !errors.Is(err, cryptobox.ErrContentVersion) {
				t.Fatalf("an error of no class, or content with it: %v", err)
			}
			return
		}
		if again, err := content.Marshal(); err != nil || !bytes.Equal(again, input) {
			t.Fatalf("%x was accepted and written as %x, %v", input, again, err)
		}
	})
}

func BenchmarkSeal256(b *testing.B) {
	alice, bob := newParty(b, "alice"), newParty(b, "bob")
	plaintext, recipient := make([]byte, 256), bob.box.PublicKey()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := cryptobox.Seal(nil, plaintext, recipient, alice.box); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen256(b *testing.B) {
	alice, bob := newParty(b, "alice"), newParty(b, "bob")
	sealed, err := cryptobox.Seal(nil, make([]byte, 256), bob.box.PublicKey(), alice.box)
	if err != nil {
		b.Fatal(err)
	}
	sender := alice.box.PublicKey()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := cryptobox.Open(sealed, sender, bob.box); err != nil {
			b.Fatal(err)
		}
	}
}
