package client_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/letterlock/letterlock/client"
	"github.com/letterlock/letterlock/internal/testserver"
)

// The server hands out Mallory's prekeys for Bob's: no session is started on them, nothing is sent, and Alice is told.
func TestServerSwapsPrekeys(t *testing.T) {
	middle := newMiddle(t)
	alice, bob, mallory := person(t, middle.URL), person(t, middle.URL), person(t, middle.URL)
	middle.on(func(operation string, w http.ResponseWriter, r *http.Request, forward http.Handler) bool {
		if operation != "ClaimPrekeys" {
			return false
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(err)
		}
		swap := strings.NewReplacer(bob.UserID().String(), mallory.UserID().String(), bob.DeviceID().String(), mallory.DeviceID().String())
		swapped := swap.Replace(string(body))
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(swapped)), int64(len(swapped))
		recorder := httptest.NewRecorder()
		forward.ServeHTTP(recorder, r)
		answer := bytes.ReplaceAll(recorder.Body.Bytes(), []byte(mallory.DeviceID().String()), []byte(bob.DeviceID().String()))
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(answer)
		return true
	})
	_, err := alice.Send(t.Context(), bob.UserID(), "secret")
	wantSendError(t, err, "prekeys-refused")
	var alarm *client.AlarmError
	if !errors.As(err, &alarm) || alarm.Alarm.Reason != "forged-prekey" {
		t.Fatalf("error %v, want an AlarmError about a prekey", err)
	}
	middle.on(nil)
	send(t, alice, bob.UserID(), "hello")
	equal(t, inbox(t, bob), []string{"hello"})
}

// Between a registration and the upload of prekeys is a moment, in which the first message must not fail.
func TestFirstMessageToWhomHasJustRegistered(t *testing.T) {
	middle := newMiddle(t)
	bob := person(t, middle.URL)
	alice := person(t, middle.URL, func(o *client.Options) {
		o.OnWait = func(error, time.Duration) { middle.on(nil) }
	})
	middle.says("ClaimPrekeys", "application/json", `{"data":{"claimPrekeys":{"sets":[]}}}`)
	send(t, alice, bob.UserID(), "hello")
	equal(t, inbox(t, bob), []string{"hello"})
}

func TestServerWithholdsPrekeys(t *testing.T) {
	middle := newMiddle(t)
	alice, bob := person(t, middle.URL), person(t, middle.URL)
	middle.says("ClaimPrekeys", "application/json", `{"data":{"claimPrekeys":{"sets":[]}}}`)
	_, err := alice.Send(t.Context(), bob.UserID(), "secret")
	wantSendError(t, err, "prekeys-missing")
	if n := middle.count("SendMessage"); n > 0 {
		t.Fatalf("sent %d times, in what?", n)
	}
	middle.on(nil)
	send(t, alice, bob.UserID(), "hello")
	equal(t, inbox(t, bob), []string{"hello"})
}

// A home that is put back from an older copy goes on in new sessions (R3), and the others read on.
func TestHomePutBack_R3(t *testing.T) {
	server := testserver.Start(t, testserver.Options{})
	dir := filepath.Join(t.TempDir(), "alice")
	options := client.Options{Home: dir, Server: server.URL}
	alice, err := client.Init(t.Context(), options)
	check(t, err)
	bob := person(t, server.URL)
	send(t, alice, bob.UserID(), "one")
	closed(t, alice)
	backup := filepath.Join(t.TempDir(), "backup")
	check(t, os.CopyFS(backup, os.DirFS(dir)))
	alice = must(client.Open(t.Context(), options))(t)
	send(t, alice, bob.UserID(), "two")
	send(t, alice, bob.UserID(), "three")
	closed(t, alice)
	equal(t, inbox(t, bob), []string{"one", "two", "three"})

	check(t, os.RemoveAll(dir))
	check(t, os.CopyFS(dir, os.DirFS(backup)))
	check(t, os.Chmod(dir, 0o700))
	for _, file := range []string{"key", "letter.db"} {
		check(t, os.Chmod(filepath.Join(dir, file), 0o600))
	}
	alice = must(client.Open(t.Context(), options))(t)
	defer closed(t, alice)
	send(t, alice, bob.UserID(), "four")
	equal(t, inbox(t, bob), []string{"four"})
	send(t, bob, alice.UserID(), "five")
	equal(t, inbox(t, alice), []string{"five"})
	send(t, alice, bob.UserID(), "six")
	equal(t, inbox(t, bob), []string{"six"})
}

// Many write to one user at once: every session works, with one-time keys or without.
func TestManyStartSessionsAtOnce(t *testing.T) {
	server := testserver.Start(t, testserver.Options{})
	bob := person(t, server.URL)
	var writers sync.WaitGroup
	const count = 12
	for range count {
		alice := person(t, server.URL)
		writers.Go(func() {
			if _, err := alice.Send(t.Context(), bob.UserID(), "hello"); err != nil {
				t.Error(err)
			}
		})
	}
	writers.Wait()
	if texts := inbox(t, bob); len(texts) != count {
		t.Fatalf("%d messages came, want %d", len(texts), count)
	}
}
