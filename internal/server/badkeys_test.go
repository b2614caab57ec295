package server_test

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/testserver"
)

// Where keys stand in version 1 of a device list (docs/protocol.md, Device list and Entry).
const (
	entryAt     = 114
	agreementAt = entryAt + 71
	boxAt       = entryAt + 113
)

// A list whose every signature is good, and which names a key that agrees on the same secret with everyone, is refused.
func TestBadInputLowOrderKeysOfDevices(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		for name, at := range map[string]int{"agreement key": agreementAt, "box key": boxAt} {
			for _, first := range []byte{0, 1} {
				eve := testserver.NewPerson(t)
				key := make([]byte, 32)
				key[0] = first
				list := eve.List.Statement()
				copy(list[at:], key)
				signAgain(t, list, eve)
				input := map[string]any{"userKey": testserver.Bytes(keyOf(eve)), "deviceList": testserver.Bytes(list)}
				answer := w.Query(t, eve.Devices[0].Token(w.URL), testserver.RegisterKey, map[string]any{"input": input})
				wrong(t, answer, "STATEMENT_INVALID", identity.ErrKeyLowOrder.Error())
				if user := userOf(t, w.Server, eve); user != "null" {
					t.Errorf("%s: user is %s", name, user)
				}
			}
		}
	})
}

// signAgain signs a changed version 1 with the keys that it names.
func signAgain(t *testing.T, list []byte, p *testserver.Person) {
	t.Helper()
	sign := func(key identity.Signer, from, to int) []byte {
		signature, err := key.Sign(list[from:to])
		if err != nil {
			t.Fatal(err)
		}
		return signature
	}
	end := len(list) - 2*identity.SignatureSize
	device := p.Devices[0].Key
	copy(list[end-identity.SignatureSize:], sign(device, entryAt, end-identity.SignatureSize))
	copy(list[end:], sign(p.UserKey, 0, end))
	copy(list[end+identity.SignatureSize:], sign(device, 0, end))
}

// What the known answers say is refused, no server stores.
func TestBadInputListsOfTheVectors(t *testing.T) {
	text, err := os.ReadFile("../../identity/testdata/lists.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct {
		Cases []struct{ Name, Statement, Expect string }
	}
	if err := json.Unmarshal(text, &vectors); err != nil {
		t.Fatal(err)
	}
	eachWorld(t, func(t *testing.T, w *world) {
		refused := 0
		for _, c := range vectors.Cases {
			statement, err := hex.DecodeString(c.Statement)
			if err != nil {
				t.Fatal(err)
			}
			if c.Expect == "ok" || len(statement) < entryAt {
				continue
			}
			refused++
			input := map[string]any{"userKey": testserver.Bytes(statement[25:57]), "deviceList": testserver.Bytes(statement)}
			answer := w.Query(t, w.token(), testserver.RegisterKey, map[string]any{"input": input})
			if answer.Code() != "STATEMENT_INVALID" {
				t.Errorf("%s: %s", c.Name, answer.Body)
			}
		}
		if refused < 20 {
			t.Errorf("%d cases", refused)
		}
	})
}
