package server_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/limits"
	"github.com/letterlock/letterlock/internal/socket"
	"github.com/letterlock/letterlock/internal/testdb"
	"github.com/letterlock/letterlock/internal/testserver"
)

// Senders are at work when the server stops: what was acknowledged is there after the restart, and what was refused is not.
func TestStopAnswersCommittedWork(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		s := testserver.Start(t, testserver.Options{DB: db, PublicURLs: []string{"https://chat.example.org"}})
		bob := s.Register(t).Devices[0]
		listening := s.Open(t, testserver.Modern, bob.Token(s.URL))
		listening.Start("1", testserver.Received, nil)

		var mu sync.Mutex
		acknowledged, undecided := map[string]bool{}, map[string]bool{}
		var senders sync.WaitGroup
		for range 8 {
			alice := s.Register(t).Devices[0]
			senders.Go(func() {
				for {
					input := testserver.Message(t, "x", alice, bob)
					id, _ := input["messageId"].(string)
					code, stored, sent := trySend(s, alice.Token(s.URL), input)
					mu.Lock()
					switch {
					case sent && code == "":
						acknowledged[id] = true
					case !sent || stored != "NO":
						undecided[id] = true
					}
					mu.Unlock()
					if !sent || code != "" {
						return
					}
				}
			})
		}
		for range 20 {
			listening.Next() // work is going on
		}
		if err := s.Stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
		if code, _ := listening.Closed(); code != socket.CloseRestart {
			t.Errorf("the socket is closed with %d, want 1012", code)
		}
		senders.Wait()

		after := testserver.Start(t, testserver.Options{DB: db, PublicURLs: []string{"https://chat.example.org"}})
		again := after.Open(t, testserver.Modern, bob.Token(after.URL))
		again.Start("1", testserver.Received, nil)
		found := map[string]bool{}
		for len(found) < len(acknowledged) {
			id := received(t, again.Next()).MessageID
			if found[id] {
				t.Fatalf("%s came twice", id)
			}
			if !acknowledged[id] && !undecided[id] {
				t.Fatalf("%s was refused and came all the same", id)
			}
			if acknowledged[id] {
				found[id] = true
			}
		}
		t.Logf("%d acknowledged, %d undecided", len(acknowledged), len(undecided))
	})
}

// trySend sends a message to a server that may be gone. sent is false if there was no answer.
func trySend(s *testserver.Server, token string, input map[string]any) (code, stored string, sent bool) {
	body, err := json.Marshal(map[string]any{"query": testserver.SendMessage, "variables": map[string]any{"input": input}})
	if err != nil {
		return "", "", false
	}
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "http://"+s.Addr+"/graphql", bytes.NewReader(body))
	if err != nil {
		return "", "", false
	}
	request.Header.Set("Content-Type", plain)
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", "", false
	}
	defer func() { _ = response.Body.Close() }()
	var answer testserver.Answer
	if json.NewDecoder(response.Body).Decode(&answer) != nil {
		return "", "", false
	}
	if len(answer.Errors) > 0 {
		stored, _ = answer.Errors[0].Extensions["stored"].(string)
	}
	return answer.Code(), stored, true
}

// A stream that the server cuts off must not look like one that is complete: clients would not come back.
func TestStopCutsEventStreamsOff(t *testing.T) {
	s := testserver.Start(t, testserver.Options{})
	d := s.Register(t).Devices[0]
	s.Send(t, "to self", d, d).Into(t, &struct{}{})
	events := s.Stream(t.Context(), t, d.Token(s.URL), testserver.Received, nil)
	events.Next()
	if err := s.Stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if kind, data, err := events.Event(); err == nil {
		t.Errorf("the stream ended in order, with %q %s", kind, data)
	}
}

// A store that is there but does not give what is in it is no store to send work to. The process itself is fine.
func TestBrokenStoreIsNotReady(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		s := testserver.Start(t, testserver.Options{DB: db})
		get := func(path string) int { return s.Do(t, http.MethodGet, path, nil, nil).Status }
		for _, c := range []struct {
			statement string
			ready     int
		}{{"ALTER TABLE stores RENAME TO gone", http.StatusServiceUnavailable}, {"ALTER TABLE gone RENAME TO stores", http.StatusOK}} {
			if _, err := db.SQL.ExecContext(t.Context(), c.statement); err != nil {
				t.Fatal(err)
			}
			if ready, alive := get("/readyz"), get("/healthz"); ready != c.ready || alive != http.StatusOK {
				t.Errorf("after %s: readyz %d, healthz %d", c.statement, ready, alive)
			}
		}
	})
}

// A store that gives rows and takes none is no store to send work to either: its disk is full, say. What waits meanwhile is stored after it.
func TestAStoreThatTakesNoMessagesIsNotReady(t *testing.T) {
	db := testdb.Open(t, database.PostgreSQL)
	execute := func(statement string) {
		if _, err := db.SQL.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	s := testserver.Start(t, testserver.Options{DB: db})
	d := s.Register(t).Devices[0]
	execute(`CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no space' USING ERRCODE = '53100'; END $$`)
	execute(`CREATE TRIGGER full_disk BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION full_disk()`)
	sent := make(chan *testserver.Answer, 1)
	go func() { sent <- s.Send(t, "to self", d, d) }()
	ready := func() string { return s.Do(t, http.MethodGet, "/readyz", nil, nil).Body }
	waitFor(t, "readyz to say so", func() bool { return ready() == "the store takes no messages\n" })
	execute(`DROP TRIGGER full_disk ON messages`)
	(<-sent).Into(t, &struct{}{})
	if answer := ready(); answer != "ready\n" {
		t.Errorf("after the disk has room again: %q", answer)
	}
}

func TestStoppingIsNotReady(t *testing.T) {
	s := testserver.Start(t, testserver.Options{Limits: func(l *limits.Limits) { l.DrainDelay = time.Second }})
	stopped := make(chan error, 1)
	go func() { stopped <- s.Stop() }()
	waitFor(t, "readyz to say so", func() bool {
		answer := s.Do(t, http.MethodGet, "/readyz", nil, nil)
		return answer.Status == http.StatusServiceUnavailable && answer.Body == "stopping\n"
	})
	s.Query(t, "", `{ server { version } }`, nil).Into(t, &struct{}{}) // it works until it stops
	if err := <-stopped; err != nil {
		t.Errorf("stop: %v", err)
	}
}

// Other nodes get the clients over some time, not all at once: most are still here, and served, when the first ones are sent away.
func TestDrainingSendsClientsAwayBitByBit(t *testing.T) {
	const crowd = 200
	s := testserver.Start(t, testserver.Options{Limits: func(l *limits.Limits) { l.DrainDelay = 2 * time.Second }})
	d := s.Register(t).Devices[0]
	events := s.Stream(t.Context(), t, d.Token(s.URL), testserver.Received, nil)
	codes := make(chan int, crowd)
	for i := range crowd {
		open := s.Open(t, []string{testserver.Modern, testserver.Legacy}[i%2], "")
		go func() { codes <- closedLater(open) }()
	}
	stopped := make(chan error, 1)
	go func() { stopped <- s.Stop() }()
	first := <-codes
	if left := s.Inner.Sockets(); left == 0 || len(codes) == crowd-1 {
		t.Error("all were sent away at once")
	}
	s.Query(t, "", `{ server { version } }`, nil).Into(t, &struct{}{})
	for range crowd - 1 {
		if code := <-codes; code != first || code != socket.CloseRestart {
			t.Fatalf("closed with %d", code)
		}
	}
	if kind, _, err := events.Event(); err == nil {
		t.Errorf("the event stream ended in order, with %q", kind)
	}
	if err := <-stopped; err != nil {
		t.Errorf("stop: %v", err)
	}
}

// closedLater waits for the close frame, for as long as a drain takes, and gives its code; 0 if none came.
func closedLater(s *testserver.Socket) int {
	for {
		if _, _, err := s.Conn.ReadMessage(); err != nil {
			var closed *websocket.CloseError
			if !errors.As(err, &closed) {
				return 0
			}
			return closed.Code
		}
	}
}

// Clients open connections in advance. One on which nothing was asked holds nothing up: with a stop timeout below the five
// seconds that net/http would wait for it, stopping succeeds.
func TestStopDoesNotWaitForUnusedConnections(t *testing.T) {
	s := testserver.Start(t, testserver.Options{Limits: func(l *limits.Limits) { l.StopTimeout = 4 * time.Second }})
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	s.Query(t, "", `{ server { version } }`, nil).Into(t, &struct{}{}) // accepted later, so conn is known to the server as well
	if err := s.Stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// A request whose body arrives after the server was told to stop is new work.
func TestStoppingTakesNoNewWork(t *testing.T) {
	s := testserver.Start(t, testserver.Options{})
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(15 * time.Second))
	lines := bufio.NewReader(conn)
	const body = `{"query":"{server{version}}"}`
	_, err = fmt.Fprintf(conn, "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", len(body))
	if err != nil {
		t.Fatal(err)
	}
	if line, err := lines.ReadString('\n'); err != nil || !strings.Contains(line, "100") {
		t.Fatalf("%q %v, want 100 Continue", line, err)
	}
	stopped := make(chan error, 1)
	go func() { stopped <- s.Stop() }()
	waitFor(t, "the server to stop listening", func() bool {
		probe, err := (&net.Dialer{Timeout: time.Second}).DialContext(t.Context(), "tcp", s.Addr)
		if err == nil {
			_ = probe.Close()
		}
		return err != nil
	})
	if _, err := io.WriteString(conn, body); err != nil {
		t.Fatal(err)
	}
	_, _ = lines.ReadString('\n') // the empty line behind 100 Continue
	response, err := http.ReadResponse(lines, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var answer testserver.Answer
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("status %d", response.StatusCode)
	}
	wrong(t, &answer, "STOPPING", "Connect again")
	if err := <-stopped; err != nil {
		t.Errorf("stop: %v", err)
	}
}

// told runs a function when it logs a text.
type told struct {
	text string
	do   func()
}

func (w told) Write(p []byte) (int, error) {
	if strings.Contains(string(p), w.text) {
		w.do()
	}
	return len(p), nil
}

// Two servers on one file would give a device's messages to two readers: the second comes up when the first is gone, and has what it left.
func TestASecondServerOnAFileWaitsForTheFirst(t *testing.T) {
	dir := t.TempDir()
	one := testserver.Start(t, testserver.Options{DataDir: dir, PublicURLs: []string{"https://chat.example.org"}})
	alice, bob := one.Register(t).Devices[0], one.Register(t).Devices[0]
	one.Query(t, alice.Token(one.URL), testserver.SendMessage, map[string]any{"input": testserver.Message(t, "hello", alice, bob)}).Into(t, &struct{}{})

	ended := make(chan error, 1)
	two := testserver.Start(t, testserver.Options{
		DataDir: dir, PublicURLs: []string{"https://chat.example.org"},
		Log: slog.New(slog.NewTextHandler(told{"another server runs", func() { ended <- one.Stop() }}, nil)),
	})
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	listening := two.Open(t, testserver.Modern, bob.Token(two.URL))
	listening.Start("1", testserver.Received, nil)
	listening.Next()
}
