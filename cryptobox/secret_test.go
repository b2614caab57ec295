package cryptobox_test

import (
	"bytes"
	"encoding"
	"encoding/base64"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/identity"
)

// shownSeed is easily found in whatever shows it.
var shownSeed = []byte("\xde\xad\xbe\xefa seed that nothing may show")

func privateKeys(t *testing.T) map[string]any {
	t.Helper()
	agreement, err := cryptobox.AgreementKeyFromSeed(shownSeed)
	if err != nil {
		t.Fatal(err)
	}
	signing, box := signingKey(t, shownSeed), boxKey(t, shownSeed)
	type holder struct {
		Name    string
		Signing *cryptobox.SigningKey
		Box     cryptobox.BoxKey
		private *cryptobox.BoxKey
		value   cryptobox.SigningKey
	}
	return map[string]any{
		"*SigningKey": signing, "SigningKey": *signing, "*AgreementKey": agreement, "AgreementKey": *agreement,
		"*BoxKey": box, "BoxKey": *box, "slice": []*cryptobox.BoxKey{box}, "values": []cryptobox.BoxKey{*box},
		"map": map[string]*cryptobox.SigningKey{"key": signing}, "holder": holder{"h", signing, *box, box, *signing},
		"*holder": &holder{"h", signing, *box, box, *signing},
	}
}

// shows reports whether a text holds the seed, or half of it, in a usual spelling.
func shows(text string) bool {
	half := shownSeed[:16]
	decimal := strings.Trim(fmt.Sprint(half), "[]")
	goSyntax := strings.Trim(strings.TrimPrefix(fmt.Sprintf("%#v", half), "[]byte"), "{}")
	for _, spelling := range []string{
		string(half), hex.EncodeToString(half), strings.ToUpper(hex.EncodeToString(half)), decimal, goSyntax,
		base64.StdEncoding.EncodeToString(half[:15]), strings.Join(strings.Fields(decimal), ","),
	} {
		if strings.Contains(text, spelling) {
			return true
		}
	}
	return false
}

func TestPrivateKeysAreNotPrinted(t *testing.T) {
	if !shows(fmt.Sprint(shownSeed)) || !shows(fmt.Sprintf("%x", shownSeed)) || !shows(fmt.Sprintf("%#v", shownSeed)) {
		t.Fatal("this test would not see a seed")
	}
	for name, key := range privateKeys(t) {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%X", "%q", "%d", "%08b", "%o", "%c", "%U", "%t", "%e"} {
			if text := fmt.Sprintf(verb, key); shows(text) {
				t.Errorf("%s of %s: %s", verb, name, text)
			}
		}
		if text := fmt.Sprint(key) + fmt.Sprintln(key) + fmt.Errorf("%w %v", io.EOF, key).Error(); shows(text) {
			t.Errorf("%s: %s", name, text)
		}
	}
}

func TestPrivateKeysAreNotLogged(t *testing.T) {
	for name, key := range privateKeys(t) {
		var text bytes.Buffer
		slog.New(slog.NewTextHandler(&text, nil)).Info("m", "key", key, slog.Group("g", "key", key))
		slog.New(slog.NewJSONHandler(&text, nil)).Info("m", "key", key, slog.Group("g", "key", key))
		if shows(text.String()) {
			t.Errorf("%s: %s", name, text.String())
		}
	}
}

func TestPrivateKeysAreNotEncoded(t *testing.T) {
	for name, key := range privateKeys(t) {
		text, err := json.Marshal(key)
		if shows(string(text)) || !errors.Is(err, cryptobox.ErrSecret) {
			t.Errorf("JSON of %s: %s, %v", name, text, err)
		}
		var buffer bytes.Buffer
		if err := gob.NewEncoder(&buffer).Encode(key); shows(buffer.String()) || err == nil {
			t.Errorf("gob of %s: %q, %v", name, buffer.String(), err)
		}
		if text, err := xml.Marshal(key); shows(string(text)) || err == nil {
			t.Errorf("XML of %s: %s, %v", name, text, err)
		}
		if key, ok := key.(encoding.BinaryMarshaler); ok {
			if raw, err := key.MarshalBinary(); raw != nil || !errors.Is(err, cryptobox.ErrSecret) {
				t.Errorf("binary of %s: %x, %v", name, raw, err)
			}
		}
	}
}

// TestPrivateKeysAreNotCompared: a struct that is not Comparable makes == a compile error.
func TestPrivateKeysAreNotCompared(t *testing.T) {
	for _, key := range []any{cryptobox.SigningKey{}, cryptobox.AgreementKey{}, cryptobox.BoxKey{}} {
		if reflect.TypeOf(key).Comparable() {
			t.Errorf("%T compiles with ==", key)
		}
	}
}

func TestErasedKeysDoNothing(t *testing.T) {
	signing, box := signingKey(t, shownSeed), boxKey(t, shownSeed)
	public, peer := signing.PublicKey(), boxKey(t, bytes.Repeat([]byte{7}, 32))
	copied := *signing
	sealed, err := cryptobox.Seal(nil, []byte("hello"), box.PublicKey(), peer)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		signing.Erase()
		box.Erase()
	}
	if _, err := signing.Sign([]byte("m")); !errors.Is(err, cryptobox.ErrErased) {
		t.Errorf("signed: %v", err)
	}
	if _, err := cryptobox.Open(sealed, peer.PublicKey(), box); !errors.Is(err, cryptobox.ErrErased) {
		t.Errorf("opened: %v", err)
	}
	if _, err := cryptobox.Seal(nil, nil, peer.PublicKey(), box); !errors.Is(err, cryptobox.ErrErased) {
		t.Errorf("sealed: %v", err)
	}
	if _, err := identity.NewToken(signing, identity.UserID{}, "http://localhost:8080", sentAt); !errors.Is(err, cryptobox.ErrErased) {
		t.Errorf("made a token: %v", err)
	}
	if signing.Seed() != nil || box.Seed() != nil || signing.PublicKey() != public {
		t.Error("an erased key still has a seed, or no public key")
	}
	if signature, err := copied.Sign([]byte("m")); signature != nil || !errors.Is(err, cryptobox.ErrErased) || copied.Seed() != nil {
		t.Errorf("a copy of the value goes on signing: %v", err)
	}
	if _, err := new(cryptobox.SigningKey).Sign([]byte("m")); !errors.Is(err, cryptobox.ErrErased) {
		t.Errorf("the zero value signed: %v", err)
	}
	new(cryptobox.BoxKey).Erase()
}

func TestKeysComeFromTheirSeedAlone(t *testing.T) {
	random := bytes.NewReader(bytes.Repeat(shownSeed, 3))
	signing, err1 := cryptobox.GenerateSigningKey(random)
	agreement, err2 := cryptobox.GenerateAgreementKey(random)
	box, err3 := cryptobox.GenerateBoxKey(random)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	for name, seed := range map[string][]byte{"signing": signing.Seed(), "agreement": agreement.Seed(), "box": box.Seed()} {
		if !bytes.Equal(seed, shownSeed) {
			t.Errorf("%s key: seed is not what was read", name)
		}
	}
	clear(box.Seed())
	if !bytes.Equal(box.Seed(), shownSeed) {
		t.Error("Seed hands out the key's own bytes")
	}
	if _, err := cryptobox.GenerateBoxKey(random); err == nil {
		t.Error("a key was made of a source that has run dry")
	}
	for _, n := range []int{0, 31, 33, 64} {
		_, err1 := cryptobox.SigningKeyFromSeed(make([]byte, n))
		_, err2 := cryptobox.AgreementKeyFromSeed(make([]byte, n))
		_, err3 := cryptobox.BoxKeyFromSeed(make([]byte, n))
		for _, err := range []error{err1, err2, err3} {
			if !errors.Is(err, cryptobox.ErrSeed) {
				t.Errorf("seed of %d bytes: %v", n, err)
			}
		}
	}
	one, err1 := cryptobox.GenerateBoxKey(nil)
	two, err2 := cryptobox.GenerateBoxKey(nil)
	if err := errors.Join(err1, err2); err != nil || one.PublicKey() == two.PublicKey() {
		t.Errorf("two keys of the system's random source are one, or %v", err)
	}
}
