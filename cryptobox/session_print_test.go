package cryptobox_test

import (
	"bytes"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"testing"

	"github.com/letterlock/letterlock/cryptobox"
)

// sessionOf holds the shown seed in every key: what Marshal would write, filled with it.
func sessionOf(t *testing.T, key []byte) *cryptobox.Session {
	t.Helper()
	state := []byte{1}
	for range 5 {
		state = append(state, key...)
	}
	state = append(state, 1)
	state = append(append(state, key...), key...)
	state = append(state, make([]byte, 4+4+2)...)
	state = append(state, 1)
	state = append(append(append(state, key...), key...), key...)
	state = append(state, 0, 0, 0, 2, 0, 1, 0, 0, 0, 1)
	state = append(append(state, key...), make([]byte, 8)...)
	session, err := cryptobox.ParseSession(state)
	if err != nil {
		t.Fatal(err)
	}
	return session
}

func TestSessionsAreNotPrinted(t *testing.T) {
	key := shownSeed[:32]
	session := sessionOf(t, key)
	if !shows(string(session.Marshal())) {
		t.Fatal("this test would not see a key")
	}
	type holder struct {
		Session *cryptobox.Session
		Value   cryptobox.Session
		private *cryptobox.Session
	}
	for name, value := range map[string]any{
		"*Session": session, "Session": *session, "slice": []*cryptobox.Session{session}, "map": map[string]cryptobox.Session{"s": *session},
		"holder": holder{session, *session, session}, "*holder": &holder{session, *session, session},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%X", "%q", "%d", "%08b", "%o", "%c", "%U", "%t", "%e"} {
			if text := fmt.Sprintf(verb, value); shows(text) {
				t.Errorf("%s of %s: %s", verb, name, text)
			}
		}
		var out bytes.Buffer
		slog.New(slog.NewTextHandler(&out, nil)).Info("m", "s", value, slog.Group("g", "s", value))
		slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "s", value)
		text, err := json.Marshal(value)
		if name != "Session" && name != "map" && !errors.Is(err, cryptobox.ErrSecret) {
			t.Errorf("JSON of %s: %v", name, err)
		}
		out.Write(text)
		_ = gob.NewEncoder(&out).Encode(value)
		text, _ = xml.Marshal(value)
		out.Write(text)
		if shows(out.String()) {
			t.Errorf("%s is logged or encoded: %s", name, out.String())
		}
	}
}

func TestSessionsAreNotCompared(t *testing.T) {
	if reflect.TypeOf(cryptobox.Session{}).Comparable() {
		t.Error("sessions compile with ==")
	}
}

// TestErrorsOfSessionsHoldNoKeys: what fails says why, and nothing of what it held.
func TestErrorsOfSessionsHoldNoKeys(t *testing.T) {
	c := established(t)
	state := c.bob.Marshal()
	for name, act := range map[string]func() error{
		"damaged state": func() error { _, err := cryptobox.ParseSession(state[:len(state)-1]); return err },
		"forged":        func() error { _, err := c.bob.Decrypt(nil, sentAt, make([]byte, 300)); return err },
		"too long":      func() error { _, err := c.bob.Encrypt(nil, make([]byte, cryptobox.MaxContentSize+1)); return err },
	} {
		err := act()
		if err == nil || len(err.Error()) > 100 || bytes.Contains(state, []byte(err.Error())) ||
			bytes.Contains([]byte(err.Error()), []byte(hex.EncodeToString(state[33:41]))) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
