package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/letterlock/letterlock/graph/model"
	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/limits"
	"github.com/letterlock/letterlock/internal/testserver"
)

// fuzzed is a server that a fuzz target sends things to. Its clock stands still, so that tokens and ids are good for as long
// as the fuzzing goes on, and nobody is slowed down.
type fuzzed struct {
	*testserver.Server
	log    *buffer
	tokens []string
	words  map[string]string
}

// Who calls, by index into fuzzed.tokens.
const (
	asNobody = iota
	asAlice
	asEve // is not registered at first
	asForged
)

// startFuzzed starts a server with Alice, for whom a message waits, and Bob. Inputs are stored and tried by other processes, in
// which keys and ids are others: they hold names such as @bob, which expand replaces.
func startFuzzed(f *testing.F, change func(*limits.Limits)) *fuzzed {
	f.Helper()
	now := time.Now()
	w := &fuzzed{log: &buffer{}}
	w.Server = testserver.Start(f, testserver.Options{
		Now: func() time.Time { return now },
		Log: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelError})),
		Limits: func(l *limits.Limits) {
			l.AddressOperationsPerMinute, l.AddressSocketsPerMinute = 0, 0
			l.AddressRegistrationsPerMinute, l.DeviceOperationsPerMinute = 0, 0
			change(l)
		},
	})
	alice, bob, eve := w.Register(f), w.Register(f), testserver.NewPerson(f)
	a, b, e := alice.Devices[0], bob.Devices[0], eve.Devices[0]
	w.tokens = []string{"", a.TokenAt(w.URL, now), e.TokenAt(w.URL, now), a.TokenAt("https://other.example.org", now)}
	var waits struct{ Mailbox struct{ Nodes []message } }
	w.Send(f, "waits", b, a).Into(f, &struct{}{})
	w.Query(f, w.tokens[asAlice], `{ mailbox { nodes { cursor } } }`, nil).Into(f, &waits)
	quoted := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			f.Fatal(err)
		}
		return string(text)
	}
	w.words = map[string]string{
		"@alice": alice.ID.String(), "@bob": bob.ID.String(), "@phone": b.ID(), "@cursor": waits.Mailbox.Nodes[0].Cursor,
		"@token": w.tokens[asAlice], "@message": quoted(testserver.Message(f, "hello", a, b)), "@id": uuid.Must(uuid.NewV7()).String(),
		"@list": testserver.Bytes(alice.Sign(a, alice.NewDevice()).Statement()), "@register": quoted(eve.Registration()),
		"@prekeys": quoted(a.Prekeys(1)), "@prekey": testserver.Bytes(a.Prekey(identity.PrekeySigned, 2).Statement()),
		"@deletion": quoted(eve.Deletion(w.URL)),
	}
	return w
}

// expand replaces the names in an input. Longer ones go first: @prekeys is not @prekey with an s.
func (w *fuzzed) expand(input []byte) []byte {
	names := slices.SortedFunc(maps.Keys(w.words), func(a, b string) int { return len(b) - len(a) })
	for _, name := range names {
		input = bytes.ReplaceAll(input, []byte(name), []byte(w.words[name]))
	}
	return input
}

// healthy fails if the server's log tells of a defect.
func (w *fuzzed) healthy(t *testing.T) {
	t.Helper()
	if log := w.log.String(); log != "" {
		t.Fatalf("the log says %s", log)
	}
}

// declared checks that a response is one that the schema and the specification promise.
func declared(text []byte) error {
	if !utf8.Valid(text) {
		return fmt.Errorf("it is not UTF-8")
	}
	var response struct {
		Data       json.RawMessage
		Errors     json.RawMessage
		Extensions map[string]any
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&response); err != nil {
		return err
	}
	if response.Errors == nil {
		if response.Data == nil {
			return fmt.Errorf("it has neither data nor errors")
		}
		return nil
	}
	return declaredErrors(response.Errors)
}

func declaredErrors(text []byte) error {
	var errs []struct {
		Message    string
		Path       []any
		Locations  []struct{ Line, Column int }
		Extensions struct {
			Code         model.ErrorCode
			Stored       model.Stored
			RetryAfterMs *int64
			ServerTime   *time.Time
		}
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&errs); err != nil {
		return err
	}
	if len(errs) == 0 {
		return fmt.Errorf("its errors are empty")
	}
	for _, e := range errs {
		code := e.Extensions.Code
		if e.Message == "" || !code.IsValid() || !e.Extensions.Stored.IsValid() || code == model.ErrorCodeInternal {
			return fmt.Errorf("it has the error %+v", e)
		}
	}
	return nil
}
