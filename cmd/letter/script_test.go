package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/letterlock/letterlock/internal/certs"
	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/invites"
	"github.com/letterlock/letterlock/internal/limits"
	"github.com/letterlock/letterlock/internal/server"
	"github.com/letterlock/letterlock/internal/testcert"
	"github.com/letterlock/letterlock/internal/testport"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"letter": main, "query": query})
}

// query is a program for the scripts: query OPERATION VARIABLES TOKEN posts an operation with the variables of a file and
// the token of another, as the playground does, and prints the answer.
func query() {
	read := func(name string) []byte {
		content, err := os.ReadFile(name)
		if err != nil {
			log.Fatal(err)
		}
		return bytes.TrimSpace(content)
	}
	body, err := json.Marshal(map[string]any{"query": os.Args[1], "variables": json.RawMessage(read(os.Args[2]))})
	if err != nil {
		log.Fatal(err)
	}
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost,
		os.Getenv("LETTER_SERVER")+"/graphql", bytes.NewReader(body))
	if err != nil {
		log.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+string(read(os.Args[3])))
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	_, err = io.Copy(os.Stdout, answer.Body)
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		log.Fatal(err)
	}
}

// TestScripts runs testdata/*.txtar against the real server, each with one of its own. Besides testscript's commands:
//
//	server start|invite|tls|stop starts the script's server over its own data, open or by invite with a new one in $INVITE,
//	                         or with a certificate that $LETTER_CA has been told of, or stops it in order
//	exits CODE PROGRAM ...   runs a program that must end with this exit code
//	await FILE REGEXP        waits until a file has a match
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			env.Setenv("LETTER_HOME", filepath.Join(env.WorkDir, "home"))
			env.Setenv("XDG_CONFIG_HOME", filepath.Join(env.WorkDir, "config"))
			env.Setenv("TZ", "UTC")
			running := &scriptServer{data: filepath.Join(env.WorkDir, "server"), authority: testcert.New(t)}
			env.Values[serverKey{}] = running
			env.Defer(func() {
				if err := running.stop(); err != nil {
					t.Error(err)
				}
			})
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"server": serverCommand, "exits": exits, "await": await},
	})
}

type serverKey struct{}

// scriptServer is the server of one script.
type scriptServer struct {
	data, addr string
	authority  *testcert.Authority
	tls        certs.Options
	cancel     context.CancelFunc
	done       chan error
}

func (s *scriptServer) start(who invites.Registration) (origin string, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	if s.addr == "" {
		if s.addr, err = testport.Free(ctx); err != nil {
			cancel()
			return "", err
		}
	}
	inner, err := server.New(ctx, server.Config{
		Addr: s.addr, Database: database.Config{DataDir: s.data}, Limits: limits.Default(), Registration: who, TLS: s.tls,
	})
	if err != nil {
		cancel()
		return "", err
	}
	s.cancel, s.done = cancel, make(chan error, 1)
	go func() { s.done <- inner.Serve(ctx) }()
	return inner.Origins()[0], nil
}

// invite is what letterlock invite does beside the server.
func (s *scriptServer) invite() (code string, err error) {
	db, err := database.Open(context.Background(), database.Config{DataDir: s.data}, slog.New(slog.DiscardHandler))
	if err != nil {
		return "", err
	}
	code, err = invites.New(db, invites.Invite, time.Now).Issue(context.Background(), time.Hour)
	return code, errors.Join(err, db.Close())
}

func (s *scriptServer) stop() error {
	if s.cancel == nil {
		return nil
	}
	s.cancel()
	s.cancel = nil
	return <-s.done
}

func serverCommand(ts *testscript.TestScript, _ bool, args []string) {
	running, ok := ts.Value(serverKey{}).(*scriptServer)
	if !ok || len(args) != 1 {
		ts.Fatalf("usage: server start|invite|tls|stop")
	}
	switch args[0] {
	case "start":
		origin, err := running.start(invites.Open)
		ts.Check(err)
		ts.Setenv("LETTER_SERVER", origin)
	case "invite":
		origin, err := running.start(invites.Invite)
		ts.Check(err)
		code, err := running.invite()
		ts.Check(err)
		ts.Setenv("LETTER_SERVER", origin)
		ts.Setenv("INVITE", code)
	case "tls":
		files := running.authority.Files()
		running.authority.Issue(files, time.Now().Add(time.Hour), "localhost")
		running.tls = certs.Options{Cert: files.Cert, Key: files.Key}
		origin, err := running.start(invites.Open)
		ts.Check(err)
		ts.Setenv("LETTER_SERVER", origin)
		ts.Setenv("LETTER_CA", running.authority.File)
	case "stop":
		ts.Check(running.stop())
	default:
		ts.Fatalf("usage: server start|invite|tls|stop")
	}
}

func exits(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func await(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: await FILE REGEXP")
	}
	wanted, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	var content []byte
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		content, err = os.ReadFile(ts.MkAbs(args[0]))
		if err == nil && wanted.Match(content) {
			return
		}
	}
	ts.Fatalf("%s has no match for %q: %v\n%s", args[0], args[1], err, content)
}

// Every exit code that the help documents is one that the program has.
func TestExitCodesAreDocumented(t *testing.T) {
	for code := exitDone; code <= exitTakenOver; code++ {
		if !regexp.MustCompile(fmt.Sprintf(`\b%d (done|failed|wrong|the|another)`, code)).MatchString(description) {
			t.Errorf("exit code %d is not documented", code)
		}
	}
}
