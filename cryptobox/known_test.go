package cryptobox_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/identity"
)

// delivered is how the vectors write what an envelope was delivered under.
type delivered struct {
	MessageID, SenderUser, SenderDevice, RecipientUser, RecipientDevice hexBytes
}

func (d delivered) outside() cryptobox.Delivered {
	return cryptobox.Delivered{
		MessageID: [16]byte(d.MessageID), SenderUser: identity.UserID(d.SenderUser), SenderDevice: identity.DeviceID(d.SenderDevice),
		RecipientUser: identity.UserID(d.RecipientUser), RecipientDevice: identity.DeviceID(d.RecipientDevice),
	}
}

// contentFields is what a vector's content was made of.
type contentFields struct {
	delivered
	Conversation                            hexBytes
	Counter                                 uint64 `json:",string"`
	SenderListVersion, RecipientListVersion uint32
	SenderListHash, RecipientListHash       hexBytes
	SentAt                                  int64 `json:",string"`
	BodyType                                byte
	Body                                    hexBytes
}

func (f contentFields) content() *cryptobox.Content {
	outside := f.outside()
	content := &cryptobox.Content{
		MessageID: outside.MessageID, SenderUser: outside.SenderUser, SenderDevice: outside.SenderDevice,
		RecipientUser: outside.RecipientUser, RecipientDevice: outside.RecipientDevice,
		Conversation: [32]byte(f.Conversation), Counter: f.Counter,
		SenderListVersion: f.SenderListVersion, SenderListHash: [32]byte(f.SenderListHash),
		RecipientListVersion: f.RecipientListVersion, RecipientListHash: [32]byte(f.RecipientListHash),
		SentAt: time.UnixMicro(f.SentAt),
	}
	switch f.BodyType {
	case 1:
		content.Body = cryptobox.Text{Text: string(f.Body)}
	case 2:
		content.Body = cryptobox.Copy{Recipient: identity.UserID(f.Body[:20]), Text: string(f.Body[20:])}
	case 3:
		receipt := cryptobox.Receipt{Type: cryptobox.ReceiptType(f.Body[0])}
		for rest := f.Body[2:]; len(rest) > 0; rest = rest[16:] {
			receipt.Messages = append(receipt.Messages, [16]byte(rest))
		}
		content.Body = receipt
	case 4:
		content.Body = cryptobox.ResendRequest{Message: [16]byte(f.Body)}
	case 5:
		content.Body = cryptobox.Resent{Message: [16]byte(f.Body[:16]), Text: string(f.Body[16:])}
	default:
		content.Body = cryptobox.Unknown{Type: f.BodyType, Data: f.Body}
	}
	return content
}

func TestContentVectors(t *testing.T) {
	type contentVector struct {
		vector
		Content hexBytes
		Fields  contentFields
	}
	eachVector(t, "content.json", func(t *testing.T, v contentVector) {
		content, err := cryptobox.ParseContent(v.Content)
		v.wantClass(t, err)
		if err != nil {
			return
		}
		if again, err := content.Marshal(); err != nil || !bytes.Equal(again, v.Content) {
			t.Errorf("parsed and written again: other bytes, %v", err)
		}
		if made, err := v.Fields.content().Marshal(); err != nil || !bytes.Equal(made, v.Content) {
			t.Errorf("made of the same fields: other bytes, %v", err)
		}
	})
}

func TestCheckVectors(t *testing.T) {
	type checkVector struct {
		vector
		Content                     hexBytes
		Delivered                   delivered
		SenderChain, RecipientChain []hexBytes
	}
	eachVector(t, "checks.json", func(t *testing.T, v checkVector) {
		content, err := cryptobox.ParseContent(v.Content)
		if err != nil {
			t.Fatal(err)
		}
		err = content.Check(v.Delivered.outside())
		if err == nil {
			err = content.CheckLists(parseChain(t, v.SenderChain), parseChain(t, v.RecipientChain))
		}
		v.wantClass(t, err)
	})
}

func parseChain(t *testing.T, statements []hexBytes) *identity.Chain {
	t.Helper()
	first, err := identity.ParseDeviceList(statements[0])
	if err != nil {
		t.Fatal(err)
	}
	chain := identity.NewChain(first.UserID())
	for _, statement := range statements {
		if err := chain.Extend(statement); err != nil {
			t.Fatal(err)
		}
	}
	return chain
}

func TestPaddingVectors(t *testing.T) {
	type paddingVector struct {
		vector
		Length, Padded int
	}
	eachVector(t, "padding.json", func(t *testing.T, v paddingVector) {
		if got := cryptobox.PaddedLength(v.Length); got != v.Padded {
			t.Errorf("%d, want %d", got, v.Padded)
		}
	})
}

func TestBoxVectors(t *testing.T) {
	type boxVector struct {
		vector
		SenderSeed, Sender, RecipientSeed, Recipient hexBytes
		Nonce, Ciphertext, Plaintext                 hexBytes
	}
	eachVector(t, "box_libsodium.json", func(t *testing.T, v boxVector) {
		recipient := boxKey(t, v.RecipientSeed)
		sealed := cryptobox.Box{Nonce: [24]byte(v.Nonce), Ciphertext: v.Ciphertext}
		// A conversion, not the parser: Open and Seal must refuse bad keys by themselves.
		sender := identity.BoxPublicKey(v.Sender)
		plaintext, err := cryptobox.Open(sealed, sender, recipient)
		v.wantClass(t, err)
		if err != nil {
			if plaintext != nil {
				t.Error("a refused box gave a plaintext")
			}
			if v.Expect != "forged" {
				_, err = cryptobox.Seal(nil, []byte("hello"), sender, recipient)
				v.wantClass(t, err)
			}
			return
		}
		if !bytes.Equal(plaintext, v.Plaintext) {
			t.Fatalf("opened to %x", plaintext)
		}
		again, err := cryptobox.Seal(bytes.NewReader(v.Nonce), v.Plaintext, identity.BoxPublicKey(v.Recipient), boxKey(t, v.SenderSeed))
		if err != nil || again.Nonce != sealed.Nonce || !bytes.Equal(again.Ciphertext, v.Ciphertext) {
			t.Errorf("sealed with the same nonce: other bytes than libsodium's, %v", err)
		}
	})
}

// TestExample follows one message from seeds to box; docs/protocol.md points to it.
func TestExample(t *testing.T) {
	type deviceInputs struct {
		SigningSeed, User, Agreement, Box, Entry hexBytes
		Protocols                                identity.Protocols
		CreatedAt                                int64 `json:",string"`
	}
	var v struct {
		UserSeed, User, V1, V2, V1Hash, V2Hash hexBytes
		Phone, Laptop                          deviceInputs
		PhoneBoxSeed, DeskBoxSeed              hexBytes
		Content, Nonce, Ciphertext             hexBytes
	}
	loadJSON(t, "example.json", &v)
	entry := func(in deviceInputs) identity.Entry {
		made, err := identity.SignEntry(identity.EntryFields{
			UserID: identity.UserID(in.User), AgreementKey: identity.AgreementPublicKey(in.Agreement), Protocols: in.Protocols,
			CreatedAt: time.UnixMicro(in.CreatedAt), BoxKey: identity.BoxPublicKey(in.Box),
		}, signingKey(t, in.SigningSeed))
		if err != nil || !bytes.Equal(made.Statement(), in.Entry) {
			t.Fatalf("entry: other bytes, %v", err)
		}
		return made
	}
	user, phone := signingKey(t, v.UserSeed), signingKey(t, v.Phone.SigningSeed)
	v1, err := identity.SignDeviceList(nil, user, phone, []identity.Entry{entry(v.Phone)})
	if err != nil || !bytes.Equal(v1, v.V1) {
		t.Fatalf("version 1: other bytes, %v", err)
	}
	head, err := identity.ParseDeviceList(v1)
	if err != nil {
		t.Fatal(err)
	}
	v2, err := identity.SignDeviceList(head, user, phone, []identity.Entry{entry(v.Phone), entry(v.Laptop)})
	if err != nil || !bytes.Equal(v2, v.V2) {
		t.Fatalf("version 2: other bytes, %v", err)
	}
	chain, err := identity.ParseChain(identity.UserID(v.User), [][]byte{v1, v2})
	if err != nil {
		t.Fatal(err)
	}
	if hash, _ := chain.Hash(2); !bytes.Equal(hash[:], v.V2Hash) {
		t.Fatalf("hash of version 2: %x", hash)
	}
	desk := boxKey(t, v.DeskBoxSeed)
	sealed, err := cryptobox.Seal(bytes.NewReader(v.Nonce), v.Content, desk.PublicKey(), boxKey(t, v.PhoneBoxSeed))
	if err != nil || !bytes.Equal(sealed.Ciphertext, v.Ciphertext) {
		t.Fatalf("box: other bytes, %v", err)
	}
	opened, err := cryptobox.Open(sealed, boxKey(t, v.PhoneBoxSeed).PublicKey(), desk)
	if err != nil {
		t.Fatal(err)
	}
	content, err := cryptobox.ParseContent(opened)
	if err != nil || content.Body != (cryptobox.Text{Text: "hello"}) {
		t.Fatalf("opened to %+v, %v", content, err)
	}
}

func signingKey(t testing.TB, seed []byte) *cryptobox.SigningKey {
	t.Helper()
	key, err := cryptobox.SigningKeyFromSeed(seed)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func boxKey(t testing.TB, seed []byte) *cryptobox.BoxKey {
	t.Helper()
	key, err := cryptobox.BoxKeyFromSeed(seed)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
