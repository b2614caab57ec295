package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/testdb"
	"github.com/letterlock/letterlock/internal/testsecret"
	"github.com/letterlock/letterlock/internal/testserver"
)

// faultVariable makes these tests' own binary the server, with a fault that waits for a signal.
const faultVariable = "LETTERLOCK_TEST_FAULT"

// databasePassword is one that every PostgreSQL which trusts its callers takes.
const databasePassword = "correct-horse-battery-staple"

// faulty is main with a goroutine that panics when the process gets SIGUSR1, and takes everybody along, as a defect in the server's own
// goroutines would. Every goroutine's stack is printed then.
func faulty() {
	debug.SetTraceback("all")
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	go func() {
		<-asked
		panic("a planted fault")
	}()
	main()
}

// What a server says when it dies amid work, of a defect or because its operator wants to see what it does, holds no token, no ciphertext, no
// cursor and no password.
func TestCrashOutputHoldsNoSecrets(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, death := range map[string]struct {
		program string
		signal  syscall.Signal
		says    string
	}{
		"a panic":  {self, syscall.SIGUSR1, "panic: a planted fault"},
		"a signal": {program, syscall.SIGQUIT, "SIGQUIT: quit"},
	} {
		for _, dialect := range []database.Dialect{database.SQLite, database.PostgreSQL} {
			t.Run(name+"/"+string(dialect), func(t *testing.T) {
				w := newWork(t, dialect, death.program)
				w.begin()
				if err := w.process.command.Process.Signal(death.signal); err != nil {
					t.Fatal(err)
				}
				out := w.process.died(t)
				for _, want := range []string{death.says, "internal/mailbox.", "internal/socket.", "net/http.(*conn).serve"} {
					if !bytes.Contains(out, []byte(want)) {
						t.Errorf("there is no %q: does it say what goes on?\n%s", want, out)
					}
				}
				if found := w.secrets.In(out); len(found) > 0 {
					t.Errorf("it shows %s:\n%s", strings.Join(found, ", "), out)
				}
			})
		}
	}
}

// died waits for the end, which must not be one in order, and gives all that was said.
func (p *process) died(t *testing.T) []byte {
	t.Helper()
	out, err := io.ReadAll(p.stdout)
	if err != nil {
		t.Error(err)
	}
	if err := p.command.Wait(); err == nil {
		t.Error("it has ended in order")
	}
	return append(out, p.stderr.Bytes()...)
}

// work is a server in the middle of it.
type work struct {
	t       *testing.T
	db      *database.DB
	process *process
	server  *testserver.Server
	metrics string
	secrets *testsecret.Secrets
}

func newWork(t *testing.T, dialect database.Dialect, program string) *work {
	t.Helper()
	config := testdb.Config(t, dialect)
	w := &work{t: t, db: testdb.OpenConfig(t, config), secrets: testsecret.New()}
	w.metrics = testserver.FreeAddress(t)
	env := []string{faultVariable + "=1", "LETTERLOCK_METRICS_ADDR=" + w.metrics, "LETTERLOCK_LOG_LEVEL=debug"}
	if dialect == database.PostgreSQL {
		env = append(env, "LETTERLOCK_DATABASE="+withPassword(t, config.URL))
		w.secrets.Add("the database's password", []byte(databasePassword))
	}
	w.process = serveProgram(t, program, config.DataDir, env...)
	w.server = &testserver.Server{
		URL: w.process.url, GraphQL: w.process.url + "/graphql", WebSocket: "ws" + strings.TrimPrefix(w.process.url, "http") + "/graphql",
		Addr: strings.TrimPrefix(w.process.url, "http://"), Scheme: "http",
	}
	return w
}

func withPassword(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(u.User.Username(), databasePassword)
	return u.String()
}

// begin has sockets open, a message delivered and one waiting, a request of which half has come, and a message that hangs in the
// database.
func (w *work) begin() {
	alice, bob := w.server.Register(w.t).Devices[0], w.server.Register(w.t).Devices[0]
	hearing := w.server.Open(w.t, testserver.Modern, w.token(bob))
	hearing.Start("1", testserver.Received, nil)
	w.send(alice, bob)
	hearing.Next()
	w.send(bob, alice)
	for _, cell := range testdb.Dump(w.t, w.db) {
		if cell.Column == "ciphertext" {
			w.secrets.Add("a ciphertext", cell.Value)
		}
	}

	message, err := json.Marshal(map[string]any{"query": testserver.SendMessage, "variables": map[string]any{"input": w.message(alice, bob)}})
	if err != nil {
		w.t.Fatal(err)
	}
	conn, err := new(net.Dialer).DialContext(w.t.Context(), "tcp", w.server.Addr)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = conn.Close() })
	const head = "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100000\r\nAuthorization: Bearer "
	if _, err := conn.Write(append([]byte(head+w.token(alice)+"\r\n\r\n"), message...)); err != nil {
		w.t.Fatal(err)
	}

	w.lock()
	w.post(w.token(bob), message)
	w.post(w.token(alice), message)
	w.awaitDatabase()
}

func (w *work) token(d *testserver.Device) string {
	token := d.Token(w.server.URL)
	w.secrets.Add("a token", []byte(token[strings.LastIndex(token, ".")+1:]))
	return token
}

func (w *work) message(from, to *testserver.Device) map[string]any {
	w.t.Helper()
	input := testserver.Message(w.t, strings.Repeat("under the third stone ", 20), from, to)
	envelope := input["recipients"].([]any)[0].(map[string]any)["envelopes"].([]any)[0].(map[string]any)
	ciphertext, err := base64.RawURLEncoding.DecodeString(envelope["ciphertext"].(string))
	if err != nil {
		w.t.Fatal(err)
	}
	w.secrets.Add("a ciphertext", ciphertext)
	return input
}

func (w *work) send(from, to *testserver.Device) {
	w.t.Helper()
	answer := w.server.Query(w.t, w.token(from), testserver.SendMessage, map[string]any{"input": w.message(from, to)})
	if len(answer.Errors) > 0 {
		w.t.Fatal(answer.Body)
	}
}

// lock lets nobody write any more, until the test ends.
func (w *work) lock() {
	w.t.Helper()
	conn, err := w.db.SQL.Conn(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	statement := "BEGIN IMMEDIATE"
	if w.db.Dialect == database.PostgreSQL {
		statement = "BEGIN; LOCK TABLE mailboxes IN ACCESS EXCLUSIVE MODE"
	}
	w.execute(conn, statement)
	w.t.Cleanup(func() {
		_, err := conn.ExecContext(context.WithoutCancel(w.t.Context()), "ROLLBACK")
		if err != nil {
			w.t.Error(err)
		}
		_ = conn.Close()
	})
}

func (w *work) execute(conn *sql.Conn, statement string) {
	w.t.Helper()
	if _, err := conn.ExecContext(w.t.Context(), statement); err != nil {
		w.t.Fatal(err)
	}
}

// post sends a request that is never answered.
func (w *work) post(token string, body []byte) {
	request, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.server.GraphQL, bytes.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	request.Header = http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + token}}
	var asking sync.WaitGroup
	w.t.Cleanup(asking.Wait)
	asking.Go(func() {
		if answer, err := http.DefaultClient.Do(request); err == nil { // the server dies first
			_ = answer.Body.Close()
		}
	})
}

// awaitDatabase waits until the server waits for the database.
func (w *work) awaitDatabase() {
	w.t.Helper()
	busy := regexp.MustCompile(`letterlock_database_connections\{state="in_use"\} [1-9]`)
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		if _, page := get(w.t, "http://"+w.metrics+"/metrics"); busy.MatchString(page) {
			return
		}
	}
	w.t.Fatal("the server does not use its database")
}

// serveProgram is serve for another binary.
func serveProgram(t *testing.T, program, dataDir string, env ...string) *process {
	t.Helper()
	if dataDir == "" {
		dataDir = filepath.Join(t.TempDir(), "data")
	}
	return start(t, exec.CommandContext(t.Context(), program), dataDir, env...)
}
