package server_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/testserver"
)

// buffer is a log that many goroutines write to.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// The log of a busy server, at its most talkative, holds no token, key or ciphertext, and not who wrote to whom.
func TestLogsHoldNoSecrets(t *testing.T) {
	log := &buffer{}
	s := testserver.Start(t, testserver.Options{
		Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	alice, bob := s.Register(t), s.Register(t)
	a, b := alice.Devices[0], bob.Devices[0]
	token := a.Token(s.URL)
	input := testserver.Message(t, "hello", a, b)
	envelope := first(first(input, "recipients"), "envelopes")
	listening := s.Open(t, testserver.Modern, b.Token(s.URL))
	listening.Start("1", testserver.Received, nil)
	events := s.Stream(t.Context(), t, token, testserver.Received, nil)
	s.Query(t, token, testserver.SendMessage, map[string]any{"input": input}).Into(t, &struct{}{})
	listening.Next()

	// What fails is logged too.
	s.Query(t, token+"x", testserver.SendMessage, map[string]any{"input": input})
	s.Publish(t, alice, a, alice.NewDevice())
	s.Query(t, token, testserver.PublishList, map[string]any{"input": map[string]any{"deviceList": testserver.Bytes(bob.List.Statement())}})
	s.Post(t, http.Header{"Content-Type": {plain}}, []byte(`{"query":"`+token))
	s.Do(t, http.MethodGet, "/graphql?token="+token, nil, nil)
	refused := s.Dial(t, testserver.Legacy)
	refused.Init(token + "x")
	refused.Closed()
	envelope["nonce"] = "AAAA"
	s.Query(t, token, testserver.SendMessage, map[string]any{"input": input})
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
	_, _, _ = events.Event()

	text := log.String()
	if !strings.Contains(text, "path=/graphql") {
		t.Fatalf("the requests are not logged at all: %s", text)
	}
	for name, secret := range map[string]string{
		"token": strings.Split(token, ".")[2][:40], "ciphertext": fmt.Sprint(envelope["ciphertext"])[:20], "user key": testserver.Bytes(keyOf(alice)),
		"sender": a.ID(), "sending user": alice.ID.String(), "recipient": b.ID(), "receiving user": bob.ID.String(),
		"message id": fmt.Sprint(input["messageId"]), "query of a URL": "?token",
	} {
		if strings.Contains(text, secret) {
			t.Errorf("the log holds the %s", name)
		}
	}
}

// A lost store is an answer that can be tried again, and says nothing of the inside.
func TestLostStoreIsTold(t *testing.T) {
	log := &buffer{}
	db, err := database.Open(t.Context(), database.Config{DataDir: t.TempDir()}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	s := testserver.Start(t, testserver.Options{DB: db, Log: slog.New(slog.NewTextHandler(log, nil))})
	alice := s.Register(t)
	token := alice.Devices[0].Token(s.URL)
	s.Query(t, token, `{ viewer { id } }`, nil).Into(t, &struct{}{})
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	answer := s.Query(t, "", `query($id: ID!) { user(id: $id) { id } }`, map[string]any{"id": alice.ID.String()})
	wrong(t, answer, "STORE_UNAVAILABLE", "Try again")
	if answer.Errors[0].Extensions["retryAfterMs"] == nil {
		t.Errorf("no retryAfterMs: %s", answer.Body)
	}
	if strings.Contains(answer.Body, "sql") || !strings.Contains(log.String(), "STORE_UNAVAILABLE") {
		t.Errorf("answer %s, log %s", answer.Body, log.String())
	}
	if ready := s.Do(t, http.MethodGet, "/readyz", nil, nil); ready.Status != http.StatusServiceUnavailable {
		t.Errorf("readyz: %d", ready.Status)
	}
	if healthy := s.Do(t, http.MethodGet, "/healthz", nil, nil); healthy.Status != http.StatusOK {
		t.Errorf("healthz: %d", healthy.Status)
	}
}
