package client_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/letterlock/letterlock/client"
	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/testdb"
	"github.com/letterlock/letterlock/internal/testserver"
)

// journal is a log that many goroutines write to.
type journal struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	return j.text.Write(p)
}

func (j *journal) bytes() []byte {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	return bytes.Clone(j.text.Bytes())
}

func (j *journal) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(j, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// tap writes down what clients draw at random.
type tap struct {
	mutex sync.Mutex
	drawn [][]byte
}

func (d *tap) Read(p []byte) (int, error) {
	n, err := rand.Reader.Read(p)
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.drawn = append(d.drawn, bytes.Clone(p[:n]))
	return n, err
}

// secrets gives the draws that are keys and seeds: 32 bytes, or 64 as two halves. Nonces and ids are shorter, and public.
func (d *tap) secrets() (secrets [][]byte) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	for _, draw := range d.drawn {
		switch len(draw) {
		case 32:
			secrets = append(secrets, draw)
		case 64:
			secrets = append(secrets, draw[:32], draw[32:])
		}
	}
	return secrets
}

// busy is a server that SDK clients have used in every way that they know.
type busy struct {
	*testserver.Server
	tap        *tap
	serverLog  *journal
	clientLogs *journal
	words      []string // said, and kept from the server
	tokens     []string
	public     []string
}

const secretPassphrase = "correct-horse-battery-staple"

func newBusy(t *testing.T, db *database.DB) *busy {
	t.Helper()
	b := &busy{tap: new(tap), serverLog: new(journal), clientLogs: new(journal)}
	b.Server = testserver.Start(t, testserver.Options{DB: db, Log: b.serverLog.logger(), MetricsAddr: "127.0.0.1:0"})
	listens := func(o *client.Options) {
		client.TapRandom(o, b.tap)
		o.Logger = b.clientLogs.logger()
	}
	locked := func(o *client.Options) {
		o.Passphrase = func() ([]byte, error) { return []byte(secretPassphrase), nil }
	}
	alice, bob, carol := person(t, b.URL, listens, locked), person(t, b.URL, listens), person(t, b.URL, listens)
	tablet := linkWith(t, alice, true, listens)
	b.converse(t, alice, bob)
	b.say(t, carol, alice, "the-heron-waits") // and nobody comes to read it
	check(t, alice.AddContact(t.Context(), "Wilhelmina-the-neighbour", bob.UserID()))
	b.words = append(b.words, "Wilhelmina-the-neighbour", secretPassphrase)
	check(t, alice.Unlink(t.Context(), tablet.DeviceID()))
	b.fail(t, alice, tablet)
	check(t, alice.Block(t.Context(), bob.UserID()))
	check(t, alice.ExportUser(t.Context(), func(json.RawMessage) error { return nil }))
	if _, err := carol.DeleteUser(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.public = []string{alice.UserID().String(), bob.UserID().String(), alice.DeviceID().String()}
	for _, c := range []*client.Client{alice, bob, carol, tablet} {
		b.tokens = append(b.tokens, must(c.Token(t.Context()))(t))
	}
	return b
}

// converse has two people talk in both directions, live and not, so that sessions turn and receipts are sent.
func (b *busy) converse(t *testing.T, alice, bob *client.Client) {
	t.Helper()
	b.say(t, alice, bob, "an-otter-in-the-reeds")
	inbox(t, bob)
	live := listen(t, alice)
	for i := range 5 {
		text := fmt.Sprintf("under-the-third-stone-%d", i)
		b.say(t, bob, alice, text)
		live.text(text)
	}
	live.stop()
	b.say(t, alice, bob, "at-dawn") // waits
}

func (b *busy) say(t *testing.T, from, to *client.Client, text string) {
	t.Helper()
	send(t, from, to.UserID(), text)
	b.words = append(b.words, text)
}

// fail makes calls that the server refuses, with what it must not write down in places where it might.
func (b *busy) fail(t *testing.T, alice, removed *client.Client) {
	t.Helper()
	if err := removed.Inbox(t.Context(), func(context.Context, client.Notice) error { return nil }); !errors.Is(err, client.ErrDeviceRemoved) {
		t.Errorf("a removed device reads its mailbox: %v", err)
	}
	token := must(alice.Token(t.Context()))(t)
	for _, bad := range []string{token + "x", strings.ToUpper(token), "x"} {
		if answer := b.Query(t, bad, `{ viewer { id } }`, nil); answer.Code() != "UNAUTHENTICATED" {
			t.Errorf("a wrong token is answered by %s", answer.Body)
		}
	}
	b.Query(t, token, `{ mailbox(after: "`+token+`") { expiredCount } }`, nil)
	b.Do(t, http.MethodGet, "/graphql?token="+token, nil, nil)
}

// A server that is used in every way keeps, logs and counts no plaintext, passphrase, token or private key, in any spelling: not in a row
// of a table, not in the files of SQLite, not in the log at its most talkative, not in metrics. Nor do the logs of the clients.
func TestServerHoldsNoSecrets(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		b := newBusy(t, db)
		places := map[string][]byte{
			"the database": dumped(t, db), "the metrics": b.scrape(t), "the server's log": nil, "the clients' logs": b.clientLogs.bytes(),
		}
		if db.Dialect == database.SQLite {
			places["the database's file"] = slurp(t, db.Path, db.Path+"-wal")
		}
		check(t, b.Stop())
		places["the server's log"] = b.serverLog.bytes()

		for _, id := range b.public { // the looking itself works
			if !bytes.Contains(places["the database"], []byte(id)) {
				t.Fatalf("the public id %s is not in the database: is this the place?", id)
			}
			for _, where := range []string{"the server's log", "the metrics", "the clients' logs"} {
				if bytes.Contains(places[where], []byte(id)) {
					t.Errorf("who it was, %s, is in %s", id, where)
				}
			}
		}
		if !bytes.Contains(places["the server's log"], []byte("path=/graphql")) || !bytes.Contains(places["the metrics"], []byte("letterlock_envelopes_accepted_total")) {
			t.Fatal("log or metrics are empty")
		}
		b.search(t, places)
	})
}

func (b *busy) search(t *testing.T, places map[string][]byte) {
	t.Helper()
	needles := needles{}
	for _, word := range b.words {
		needles.add("a text", []byte(word))
	}
	for _, token := range b.tokens {
		needles.add("a token", []byte(token[strings.LastIndex(token, ".")+1:]))
	}
	drawn := b.tap.secrets()
	if len(drawn) < 500 {
		t.Fatalf("only %d secrets were drawn: is the tap at the right place?", len(drawn))
	}
	for _, secret := range drawn {
		needles.add("a private key", secret)
	}
	for where, content := range places {
		for what := range needles.in(content) {
			t.Errorf("%s is in %s", what, where)
		}
	}
}

// needles are spellings of secrets by their first bytes, so that many are looked for at once.
type needles map[[needleHead]byte][]needle

const needleHead = 6

type needle struct {
	what    string
	spelled []byte
}

func (n needles) add(what string, secret []byte) {
	for _, spelled := range spellings(secret) {
		if len(spelled) < needleHead {
			continue
		}
		head := [needleHead]byte(spelled)
		n[head] = append(n[head], needle{what, spelled})
	}
}

// in gives what of the needles content holds.
func (n needles) in(content []byte) map[string]bool {
	found := map[string]bool{}
	for ; len(content) >= needleHead; content = content[1:] {
		for _, needle := range n[[needleHead]byte(content)] {
			if bytes.HasPrefix(content, needle.spelled) {
				found[needle.what] = true
			}
		}
	}
	return found
}

// The search finds a secret in every spelling, wherever it stands.
func TestNeedlesAreFound(t *testing.T) {
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		t.Fatal(err)
	}
	hay := needles{}
	hay.add("it", secret)
	for how, spelled := range spellings(secret) {
		if !hay.in(append([]byte("key="), append(spelled, '"')...))["it"] {
			t.Errorf("%s is not found", how)
		}
	}
	if hay.in(bytes.Repeat([]byte("key"), 100))["it"] {
		t.Error("it is found where it is not")
	}
}

// dumped is every value of every table.
func dumped(t *testing.T, db *database.DB) []byte {
	t.Helper()
	var all bytes.Buffer
	for _, cell := range testdb.Dump(t, db) {
		all.Write(cell.Value)
		all.WriteByte('\n')
	}
	return all.Bytes()
}

func (b *busy) scrape(t *testing.T) []byte {
	t.Helper()
	request := must(http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+b.Inner.MetricsAddr().String()+"/metrics", nil))(t)
	answer := must(http.DefaultClient.Do(request))(t)
	defer func() { _ = answer.Body.Close() }()
	return must(io.ReadAll(answer.Body))(t)
}

func slurp(t *testing.T, paths ...string) (all []byte) {
	t.Helper()
	for _, path := range paths {
		all = append(all, must(os.ReadFile(path))(t)...)
	}
	return all
}
