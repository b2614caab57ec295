package client_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/letterlock/letterlock/client"
	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/testserver"
)

func TestLiveDelivery(t *testing.T) {
	server := testserver.Start(t, testserver.Options{})
	alice, bob := person(t, server.URL), person(t, server.URL)
	listener := listen(t, bob)
	for i := range 20 {
		text := fmt.Sprintf("message %d", i)
		started := time.Now()
		send(t, alice, bob.UserID(), text)
		listener.text(text)
		if took := time.Since(started); took > 5*time.Second {
			t.Fatalf("it took %v from send to show", took)
		} else if i == 19 {
			t.Logf("send to show: %v", took)
		}
	}
	send(t, bob, alice.UserID(), "and back")
	equal(t, inbox(t, alice), []string{"and back"})
	listener.stop()
	if n := len(history(t, bob, alice.UserID())); n != 21 {
		t.Fatalf("%d messages in the history, want 21", n)
	}
}

func TestOfflineRecipientGetsEverythingOnce(t *testing.T) {
	server := testserver.Start(t, testserver.Options{})
	alice, bob := person(t, server.URL), person(t, server.URL)
	var want []string
	for i := range 120 { // more than a page
		want = append(want, fmt.Sprint("number ", i))
		send(t, alice, bob.UserID(), want[i])
	}
	equal(t, inbox(t, bob), want)
	equal(t, inbox(t, bob), nil)
	send(t, alice, bob.UserID(), "later")
	listener := listen(t, bob)
	listener.text("later")
	listener.stop()
	equal(t, history(t, bob, alice.UserID()), append(want, "later"))
}

// The server goes away while Bob listens; Alice writes meanwhile; the server comes back.
func TestServerDown(t *testing.T) {
	dir := t.TempDir()
	server := testserver.Start(t, testserver.Options{DataDir: dir, Addr: testserver.FreeAddress(t)})
	alice := person(t, server.URL, func(o *client.Options) { o.Patience = -1 })
	bob := person(t, server.URL)
	listener := listen(t, bob)
	send(t, alice, bob.UserID(), "one")
	listener.text("one")
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"two", "three"} {
		message, err := alice.Send(t.Context(), bob.UserID(), text)
		var queued *client.QueuedError
		if !errors.As(err, &queued) || message.State != client.Queued || queued.Message.ID != message.ID {
			t.Fatalf("message %+v, error %v; want it queued", message, err)
		}
	}
	testserver.Start(t, testserver.Options{DataDir: dir, Addr: server.Addr})
	if err := alice.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	listener.text("two")
	listener.text("three")
	listener.stop()
	equal(t, history(t, bob, alice.UserID()), []string{"one", "two", "three"})
}

// What a handler has not taken comes again; what it has taken does not.
func TestHandlerFails(t *testing.T) {
	server := testserver.Start(t, testserver.Options{})
	alice, bob := person(t, server.URL), person(t, server.URL)
	for _, text := range []string{"one", "two", "three"} {
		send(t, alice, bob.UserID(), text)
	}
	broken := errors.New("no disk")
	var taken []string
	err := bob.Inbox(t.Context(), func(_ context.Context, n client.Notice) error {
		if n.Message.Text == "two" {
			return broken
		}
		taken = append(taken, n.Message.Text)
		return nil
	})
	if err != broken { //nolint:errorlint // the very error
		t.Fatalf("error %v, want the handler's", err)
	}
	equal(t, taken, []string{"one"})
	equal(t, inbox(t, bob), []string{"two", "three"})
	equal(t, history(t, bob, alice.UserID()), []string{"one", "two", "three"})
}

// A restored server renews its epoch: the client starts again without a cursor and drops doubles.
func TestCursorInvalid(t *testing.T) {
	dir := t.TempDir()
	db := openDatabase(t, dir)
	server := testserver.Start(t, testserver.Options{DB: db, Addr: testserver.FreeAddress(t)})
	alice, bob := person(t, server.URL), person(t, server.URL)
	send(t, alice, bob.UserID(), "one")
	listener := listen(t, bob)
	listener.text("one")
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := db.RenewEpoch(t.Context()); err != nil {
		t.Fatal(err)
	}
	testserver.Start(t, testserver.Options{DB: db, Addr: server.Addr})
	send(t, alice, bob.UserID(), "two")
	listener.text("two")
	listener.stop()
	send(t, alice, bob.UserID(), "three")
	equal(t, inbox(t, bob), []string{"three"})
	equal(t, history(t, bob, alice.UserID()), []string{"one", "two", "three"})
}

func openDatabase(t *testing.T, dir string) *database.DB {
	t.Helper()
	db, err := database.Open(t.Context(), database.Config{DataDir: dir}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func TestSuperseded(t *testing.T) {
	server := testserver.Start(t, testserver.Options{})
	alice, bob := person(t, server.URL), person(t, server.URL)
	listener := listen(t, bob)
	send(t, alice, bob.UserID(), "one")
	listener.text("one")
	token, err := bob.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	server.Open(t, testserver.Modern, token).Start("1", testserver.Received, nil)
	if err := listener.end(); !errors.Is(err, client.ErrSuperseded) {
		t.Fatalf("Listen ended with %v, want ErrSuperseded", err)
	}
}

func TestDeviceRemoved(t *testing.T) {
	middle := newMiddle(t)
	alice, bob := person(t, middle.URL), person(t, middle.URL)
	middle.fails("SendMessage", `{"code":"DEVICE_REMOVED","stored":"NO"}`, 99)
	_, err := alice.Send(t.Context(), bob.UserID(), "hello")
	if !errors.Is(err, client.ErrDeviceRemoved) {
		t.Fatalf("error %v, want ErrDeviceRemoved", err)
	}
	middle.fails("Mailbox", `{"code":"DEVICE_REMOVED","stored":"NO"}`, 99)
	if err := bob.Inbox(t.Context(), func(context.Context, client.Notice) error { return nil }); !errors.Is(err, client.ErrDeviceRemoved) {
		t.Fatalf("error %v, want ErrDeviceRemoved", err)
	}
}

// S6.7: a wrong clock is made up for in tokens, up to a day; a message id from the future is not.
func TestWrongClock_S6_7(t *testing.T) {
	for name, test := range map[string]struct {
		off      time.Duration
		register error
		queued   bool
	}{
		"two hours behind":  {-2 * time.Hour, nil, false},
		"two hours ahead":   {2 * time.Hour, nil, true},
		"two days ahead":    {48 * time.Hour, client.ErrClock, false},
		"two days behind":   {-48 * time.Hour, client.ErrClock, false},
		"20 seconds behind": {-20 * time.Second, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			server := testserver.Start(t, testserver.Options{})
			bob := person(t, server.URL)
			alice, err := client.Init(t.Context(), client.Options{
				Home: filepath.Join(t.TempDir(), "home"), Server: server.URL, Now: func() time.Time { return time.Now().Add(test.off) },
			})
			if err != nil {
				t.Fatal(err)
			}
			defer closed(t, alice)
			if err := alice.Register(t.Context()); !errors.Is(err, test.register) {
				t.Fatalf("register: %v, want %v", err, test.register)
			}
			if test.register != nil {
				return
			}
			_, err = alice.Send(t.Context(), bob.UserID(), "what time is it?")
			if test.queued != errors.Is(err, client.ErrClock) || !test.queued && err != nil {
				t.Fatalf("send: %v", err)
			}
			listener := listen(t, alice) // the socket takes the corrected token, too
			send(t, bob, alice.UserID(), "late")
			listener.text("late")
			listener.stop()
		})
	}
}

// The server has lost its database: clients register again by themselves.
func TestServerLostItsDatabase(t *testing.T) {
	server := testserver.Start(t, testserver.Options{Addr: testserver.FreeAddress(t)})
	alice, bob := person(t, server.URL), person(t, server.URL)
	send(t, alice, bob.UserID(), "one")
	equal(t, inbox(t, bob), []string{"one"})
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	testserver.Start(t, testserver.Options{Addr: server.Addr})
	equal(t, inbox(t, bob), nil)
	send(t, alice, bob.UserID(), "two")
	equal(t, inbox(t, bob), []string{"two"})
	send(t, person(t, server.URL), bob.UserID(), "who has never written to him needs his prekeys")
	equal(t, inbox(t, bob), []string{"who has never written to him needs his prekeys"})
}

func TestTwoClientsOneHome(t *testing.T) {
	server := testserver.Start(t, testserver.Options{})
	bob := person(t, server.URL)
	dir := filepath.Join(t.TempDir(), "alice")
	alice := person(t, server.URL, home(dir))
	second := reopen(t, client.Options{Home: dir, Server: server.URL})
	listener := listen(t, alice)
	send(t, bob, alice.UserID(), "to both")
	listener.text("to both")
	equal(t, history(t, second, bob.UserID()), []string{"to both"})
	send(t, second, bob.UserID(), "from the second")
	send(t, alice, bob.UserID(), "from the first")
	equal(t, inbox(t, bob), []string{"from the second", "from the first"})
	ignore := func(context.Context, client.Notice) error { return nil }
	for _, receive := range []func(context.Context, client.Handler) error{second.Listen, second.Inbox} {
		if err := receive(t.Context(), ignore); !errors.Is(err, client.ErrListening) {
			t.Fatalf("error %v, want ErrListening", err)
		}
	}
	listener.stop()
	equal(t, inbox(t, second), nil)
}

// Many senders of one home at once: nothing lost, doubled or out of order.
func TestConcurrentSends(t *testing.T) {
	server := testserver.Start(t, testserver.Options{})
	bob := person(t, server.URL)
	dir := filepath.Join(t.TempDir(), "alice")
	alice := person(t, server.URL, home(dir))
	second := reopen(t, client.Options{Home: dir, Server: server.URL})
	const each = 8
	errs := make(chan error, 4*each)
	for i := range 4 {
		go func() {
			for j := range each {
				_, err := []*client.Client{alice, second}[i%2].Send(t.Context(), bob.UserID(), fmt.Sprintf("%d %d", i, j))
				errs <- err
			}
		}()
	}
	for range 4 * each {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
	}
	texts := inbox(t, bob)
	equal(t, texts, history(t, alice, bob.UserID()))
	if len(texts) != 4*each {
		t.Fatalf("%d messages, want %d", len(texts), 4*each)
	}
}

func TestListenEndsWithClose(t *testing.T) {
	server := testserver.Start(t, testserver.Options{})
	alice, err := client.Init(t.Context(), client.Options{Home: filepath.Join(t.TempDir(), "home"), Server: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	listener := listen(t, alice)
	eventually(t, "a subscription", func() bool { return server.Inner.Sockets() == 1 })
	closed(t, alice)
	if err := listener.end(); !errors.Is(err, client.ErrClosed) {
		t.Fatalf("Listen ended with %v, want ErrClosed", err)
	}
}

func TestLongestTextArrives(t *testing.T) {
	server := testserver.Start(t, testserver.Options{})
	alice, bob := person(t, server.URL), person(t, server.URL)
	text := strings.Repeat("🦊", 15_000)
	listener := listen(t, bob)
	send(t, alice, bob.UserID(), text)
	listener.text(text)
	listener.stop()
}

// What was queued and turns out to be unsendable is told by the very Listen that has tried it, without waiting for mail.
func TestListenTellsOfFailure(t *testing.T) {
	server := newMiddle(t).URL
	alice := person(t, server)
	nobody, err := client.ParseUserID("u" + strings.Repeat("a", 32))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := alice.Queue(t.Context(), nobody, "hello?"); err != nil {
		t.Fatal(err)
	}
	l := listen(t, alice)
	if m := l.next().Message; m == nil || m.State != client.Failed || m.Text != "hello?" {
		t.Fatalf("message %+v, want the failed one", m)
	}
	l.stop()
}
