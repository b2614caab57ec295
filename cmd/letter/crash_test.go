package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/letterlock/letterlock/client"
	"github.com/letterlock/letterlock/internal/testsecret"
	"github.com/letterlock/letterlock/internal/testserver"
	"github.com/letterlock/letterlock/internal/vault"
)

// What letter says when it dies while it listens holds no passphrase, no key, no token and nothing that was written.
func TestCrashOutputHoldsNoSecrets(t *testing.T) {
	const passphrase, text = "correct-horse-battery-staple", "under-the-third-stone"
	server, dir := testserver.Start(t, testserver.Options{}), t.TempDir()
	home := filepath.Join(dir, "home")
	env := append(os.Environ(), "LETTER_HOME="+home, "LETTER_SERVER="+server.URL, "LETTER_PASSPHRASE="+passphrase, "XDG_CONFIG_HOME="+dir)
	run := func(arguments ...string) string {
		t.Helper()
		command := exec.CommandContext(t.Context(), "letter", arguments...)
		command.Env = env
		out, err := command.Output()
		if err != nil {
			t.Fatalf("letter %v: %v", arguments, err)
		}
		return strings.TrimSpace(string(out))
	}
	run("init")
	token := run("token")
	alice, err := client.Open(t.Context(), client.Options{Home: home, Server: server.URL, Passphrase: func() ([]byte, error) { return []byte(passphrase), nil }})
	if err != nil {
		t.Fatal(err)
	}
	user := alice.UserID()
	if err := alice.Close(); err != nil {
		t.Fatal(err)
	}

	secrets := testsecret.New()
	secrets.Add("the passphrase", []byte(passphrase))
	secrets.Add("a text", []byte(text))
	secrets.Add("a token", []byte(token[strings.LastIndexByte(token, '.')+1:]))
	secrets.Add("the store key", storeKey(t, home, passphrase))

	listening := exec.CommandContext(t.Context(), "letter", "listen")
	listening.Env = append(env, "GOTRACEBACK=all")
	shown, err := listening.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	listening.Stderr = &said
	if err := listening.Start(); err != nil {
		t.Fatal(err)
	}
	bob, err := client.Init(t.Context(), client.Options{Home: filepath.Join(dir, "bob"), Server: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = bob.Close() }()
	if err := bob.Register(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := bob.Send(t.Context(), user, text); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 1)
	if _, err := shown.Read(line); err != nil { // the message is shown: everything was in memory
		t.Fatal(err)
	}
	if err := listening.Process.Signal(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	if err := listening.Wait(); err == nil {
		t.Error("letter has ended in order")
	}
	out := said.Bytes()
	for _, want := range []string{"SIGQUIT: quit", "client.(*Client)"} {
		if !bytes.Contains(out, []byte(want)) {
			t.Errorf("there is no %q in it:\n%s", want, out)
		}
	}
	if found := secrets.In(out); len(found) > 0 {
		t.Errorf("it shows %s:\n%s", strings.Join(found, ", "), out)
	}
}

func storeKey(t *testing.T, home, passphrase string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(home, "key"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := vault.ParseKey(text)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := key.Open([]byte(passphrase))
	if err != nil {
		t.Fatal(err)
	}
	return opened
}
