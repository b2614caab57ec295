package client_test

import (
	"bytes"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/letterlock/letterlock/client"
	"github.com/letterlock/letterlock/internal/testserver"
)

func passphrase(text string) func() ([]byte, error) {
	return func() ([]byte, error) { return []byte(text), nil }
}

// made makes a home without a server and gives its directory.
func made(t *testing.T, passphrase func() ([]byte, error)) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "home")
	c, err := client.Init(t.Context(), client.Options{Home: dir, Passphrase: passphrase})
	if err != nil {
		t.Fatal(err)
	}
	closed(t, c)
	return dir
}

func TestPassphrase(t *testing.T) {
	dir := made(t, passphrase("correct horse"))
	before := files(t, dir)
	for name, test := range map[string]struct {
		passphrase func() ([]byte, error)
		want       error
	}{
		"wrong": {passphrase("battery staple"), client.ErrPassphrase},
		"none":  {nil, client.ErrPassphraseNeeded},
		"empty": {passphrase(""), client.ErrPassphraseNeeded},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := client.Open(t.Context(), client.Options{Home: dir, Passphrase: test.passphrase}); !errors.Is(err, test.want) {
				t.Fatalf("error %v, want %v", err, test.want)
			}
		})
	}
	for name, content := range files(t, dir) {
		if !bytes.Equal(content, before[name]) {
			t.Fatalf("%s has changed", name)
		}
	}
	reopen(t, client.Options{Home: dir, Passphrase: passphrase("correct horse")})
}

// A home that a crash left half made, without a passphrase, must not pass for one that is locked.
func TestPassphraseForHalfMadeHome(t *testing.T) {
	dir := made(t, nil)
	data, err := filepath.Glob(filepath.Join(dir, "*.db*"))
	if err != nil || len(data) == 0 {
		t.Fatalf("no database in the home: %v", err)
	}
	for _, name := range data {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	_, err = client.Init(t.Context(), client.Options{Home: dir, Passphrase: passphrase("correct horse")})
	if !errors.Is(err, client.ErrNoPassphrase) {
		t.Fatalf("error %v, want %v", err, client.ErrNoPassphrase)
	}
	c, err := client.Init(t.Context(), client.Options{Home: dir})
	if err != nil {
		t.Fatal(err)
	}
	closed(t, c)
}

func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		all[path] = content
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestHomeIsPrivate(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // which has no modes
	}
	dir := made(t, nil)
	for name, want := range map[string]fs.FileMode{".": 0o700, "key": 0o600, "letter.db": 0o600} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has mode %o, %v; want %o", name, info.Mode().Perm(), err, want)
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	closed(t, must(client.Open(t.Context(), client.Options{Home: dir}))(t))
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("an open directory was not made private: %o, %v", info.Mode().Perm(), err)
	}
	if err := os.Chmod(filepath.Join(dir, "key"), 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Open(t.Context(), client.Options{Home: dir}); !errors.Is(err, client.ErrExposed) {
		t.Errorf("error %v, want ErrExposed", err)
	}
}

func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func TestBrokenHomes(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(t *testing.T, dir string)
		want  error
		other error // as good
	}{
		"nothing there":      {func(t *testing.T, dir string) { check(t, os.RemoveAll(dir)) }, client.ErrNoHome, nil},
		"no key file":        {func(t *testing.T, dir string) { check(t, os.Remove(filepath.Join(dir, "key"))) }, client.ErrNoHome, nil},
		"key of another":     {otherKey, client.ErrOtherKey, nil},
		"key file is a poem": {func(t *testing.T, dir string) { write(t, dir, "key", "roses are red") }, client.ErrKeyFile, nil},
		"key file of a newer release": {func(t *testing.T, dir string) {
			write(t, dir, "key", `{"version":2,"key":""}`)
		}, client.ErrNewerStore, nil},
		"key file that asks for a terabyte": {func(t *testing.T, dir string) {
			write(t, dir, "key", `{"version":1,"key":"AAAA","salt":"AAAA","kdf":{"time":4000000000,"memoryKiB":4000000000,"threads":255}}`)
		}, client.ErrKeyFile, nil},
		"store of a newer release": {func(t *testing.T, dir string) { execute(t, dir, "PRAGMA user_version = 2") }, client.ErrNewerStore, nil},
		"store is a poem":          {func(t *testing.T, dir string) { write(t, dir, "letter.db", string(make([]byte, 5000))+"x") }, client.ErrDamaged, client.ErrOtherKey},
		"records were changed": {func(t *testing.T, dir string) {
			execute(t, dir, "UPDATE records SET value = zeroblob(300)")
		}, client.ErrOtherKey, nil},
		"records were swapped": {func(t *testing.T, dir string) {
			execute(t, dir, "UPDATE records SET value = (SELECT value FROM records AS other WHERE other.scope > records.scope LIMIT 1) WHERE scope < (SELECT max(scope) FROM records)")
		}, client.ErrDamaged, client.ErrOtherKey},
	} {
		t.Run(name, func(t *testing.T) {
			dir := made(t, nil)
			test.spoil(t, dir)
			_, err := client.Open(t.Context(), client.Options{Home: dir, Passphrase: passphrase("x")})
			if !errors.Is(err, test.want) && (test.other == nil || !errors.Is(err, test.other)) {
				t.Fatalf("error %v, want %v", err, test.want)
			}
		})
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	check(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
}

func otherKey(t *testing.T, dir string) {
	t.Helper()
	key, err := os.ReadFile(filepath.Join(made(t, nil), "key"))
	check(t, err)
	write(t, dir, "key", string(key))
}

func execute(t *testing.T, dir, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, "letter.db"))
	check(t, err)
	_, err = db.ExecContext(t.Context(), statement)
	check(t, errors.Join(err, db.Close()))
}

// A lost key file is not replaced by a new one that opens nothing.
func TestInitDoesNotReplaceKeys(t *testing.T) {
	dir := made(t, nil)
	if _, err := client.Init(t.Context(), client.Options{Home: dir}); !errors.Is(err, client.ErrHasKeys) {
		t.Fatalf("error %v, want ErrHasKeys", err)
	}
	check(t, os.Remove(filepath.Join(dir, "key")))
	if _, err := client.Init(t.Context(), client.Options{Home: dir}); !errors.Is(err, client.ErrOtherKey) {
		t.Fatalf("error %v, want ErrOtherKey", err)
	}
}

// An Init that died after the key file goes on where it stopped.
func TestInitGoesOn(t *testing.T) {
	dir := made(t, nil)
	check(t, os.Remove(filepath.Join(dir, "letter.db")))
	c, err := client.Init(t.Context(), client.Options{Home: dir})
	check(t, err)
	closed(t, c)
}

func TestServerURL(t *testing.T) {
	dir := made(t, nil)
	for _, url := range []string{"localhost:8080", "ftp://x", "http://", "http://user:pw@host", "http://host/path", "http://host?x=1", "http://host:99999", ":"} {
		if _, err := client.Open(t.Context(), client.Options{Home: dir, Server: url}); !errors.Is(err, client.ErrServerURL) {
			t.Errorf("%q: error %v, want ErrServerURL", url, err)
		}
	}
	for _, url := range []string{"https://Chat.Example.com", "http://[::1]:80/", ""} {
		closed(t, must(client.Open(t.Context(), client.Options{Home: dir, Server: url}))(t))
	}
}

// After a conversation neither home nor server hold a text, an own id or a private key that can be found without the
// store key: in files, write-ahead logs and free pages, raw, as hex or base64.
func TestNothingSecretLiesAround(t *testing.T) {
	data := t.TempDir()
	server := testserver.Start(t, testserver.Options{DataDir: data})
	homes := t.TempDir()
	alice := person(t, server.URL, home(filepath.Join(homes, "alice")))
	bob := person(t, server.URL, home(filepath.Join(homes, "bob")))
	var secrets [][]byte
	for i := range 5 {
		text := fmt.Sprintf("the password is xyzzy-%d", i)
		secrets = append(secrets, []byte(text))
		send(t, alice, bob.UserID(), text)
	}
	check(t, alice.AddContact(t.Context(), "Bobby Tables", bob.UserID()))
	inbox(t, bob)
	for _, c := range []*client.Client{alice, bob} {
		seeds, err := client.Seeds(t.Context(), c)
		check(t, err)
		if len(seeds) < 100 {
			t.Fatalf("%d seeds, want those of all prekeys", len(seeds))
		}
		secrets = append(secrets, seeds...)
	}
	secretsOfHome := append([][]byte{[]byte("Bobby Tables"), []byte(bob.UserID().String())}, secrets...)
	search(t, homes, secretsOfHome) // while it is open: with the write-ahead log
	search(t, data, secrets)
	check(t, server.Stop())
	search(t, data, secrets)
}

// search fails if a file below dir holds one of the needles in any spelling.
func search(t *testing.T, dir string, needles [][]byte) {
	t.Helper()
	all := files(t, dir)
	if len(all) < 2 {
		t.Fatalf("there are %d files below %s", len(all), dir)
	}
	for path, content := range all {
		for i, needle := range needles {
			for how, spelled := range spellings(needle) {
				if bytes.Contains(content, spelled) {
					t.Errorf("%s holds secret %d, %s", path, i, how)
				}
			}
		}
	}
}

func spellings(secret []byte) map[string][]byte {
	spelled := map[string][]byte{
		"raw": secret, "hex": []byte(hex.EncodeToString(secret)), "HEX": bytes.ToUpper([]byte(hex.EncodeToString(secret))),
	}
	for shift := range 3 { // base64 at each place within its groups of three bytes
		shifted := append(make([]byte, shift), secret...)
		for name, encoding := range map[string]*base64.Encoding{"base64": base64.StdEncoding, "base64url": base64.URLEncoding} {
			text := encoding.EncodeToString(shifted[:len(shifted)/3*3])
			spelled[fmt.Sprint(name, shift)] = []byte(text[(shift*8+5)/6:])
		}
	}
	return spelled
}

// The search finds what lies around, in every spelling.
func TestSearchFinds(t *testing.T) {
	secret := []byte("0123456789abcdefghijklmnopqrstuv")
	for shift := range 3 {
		content := base64.StdEncoding.EncodeToString(append(append(make([]byte, shift+3), secret...), 1, 2, 3))
		found := false
		for _, spelled := range spellings(secret) {
			found = found || bytes.Contains([]byte(content), spelled)
		}
		if !found {
			t.Errorf("base64 after %d bytes is not found", shift)
		}
	}
}
