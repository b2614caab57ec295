package client_test

import (
	"bytes"
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/letterlock/letterlock/client"
	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/invites"
	"github.com/letterlock/letterlock/internal/testdb"
	"github.com/letterlock/letterlock/internal/testserver"
	"github.com/letterlock/letterlock/internal/vault"
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

// busy is a server that SDK clients have used in every way that they know.
type busy struct {
	*testserver.Server
	t          *testing.T
	db         *database.DB
	tap        *tap
	wire       *relay
	answers    *journal // to calls that no client makes
	errors     *journal // what clients said to their callers
	serverLog  *journal
	clientLogs *journal
	homes      []string
	secrets    map[string][][]byte // kept from the server, or never written down by it
	public     []string
}

const secretPassphrase = "correct-horse-battery-staple"

func newBusy(t *testing.T, db *database.DB) *busy {
	t.Helper()
	b := &busy{
		t: t, db: db, tap: new(tap), wire: newRelay(t), answers: new(journal), errors: new(journal), serverLog: new(journal), clientLogs: new(journal),
		secrets: map[string][][]byte{},
	}
	b.Server = testserver.Start(t, testserver.Options{
		DB: db, Log: b.serverLog.logger(), MetricsAddr: "127.0.0.1:0", PublicURLs: []string{b.wire.url}, Registration: invites.Invite,
	})
	b.wire.to(b.Addr)
	locked := func(o *client.Options) {
		o.Passphrase = func() ([]byte, error) { return []byte(secretPassphrase), nil }
	}
	alice, bob, carol := b.person(locked), b.person(), b.person()
	j := join(t, b.wire.url, b.options)
	code := j.code()
	b.link(alice, code)
	tablet := b.joined(j)
	b.converse(alice, bob)
	b.say(carol, alice, "the-heron-waits") // and nobody comes to read it
	b.boxes()
	check(t, alice.AddContact(t.Context(), "Wilhelmina-the-neighbour", bob.UserID()))
	b.hide("a name", []byte("Wilhelmina-the-neighbour"))
	b.hide("a passphrase", []byte(secretPassphrase))
	check(t, alice.Unlink(t.Context(), tablet.DeviceID()))
	check(t, alice.Block(t.Context(), bob.UserID()))
	check(t, alice.ExportUser(t.Context(), func(json.RawMessage) error { return nil }))
	if _, err := carol.DeleteUser(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.public = []string{alice.UserID().String(), bob.UserID().String(), alice.DeviceID().String()}
	for _, c := range []*client.Client{alice, bob, carol, tablet} {
		token := must(c.Token(t.Context()))(t)
		b.hide("a token", []byte(token[strings.LastIndex(token, ".")+1:]))
	}
	b.fail(alice, bob, tablet, code)
	return b
}

// hide names something that is to be found nowhere.
func (b *busy) hide(what string, secrets ...[]byte) {
	b.secrets[what] = append(b.secrets[what], secrets...)
}

// options are those of every client.
func (b *busy) options(o *client.Options) {
	client.TapRandom(o, b.tap)
	o.Logger = b.clientLogs.logger()
	b.homes = append(b.homes, o.Home)
}

// person registers somebody with an invite of their own.
func (b *busy) person(change ...func(*client.Options)) *client.Client {
	b.t.Helper()
	code := must(invites.New(b.db, invites.Invite, time.Now).Issue(b.t.Context(), time.Hour))(b.t)
	raw := must(base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ToUpper(code[1:])))(b.t)
	b.hide("an invite", []byte(code[1:]), raw)
	return person(b.t, b.wire.url, append(change, b.options, func(o *client.Options) { o.Invite = code })...)
}

// link makes the device that shows the code one of alice's.
func (b *busy) link(alice *client.Client, code string) {
	b.t.Helper()
	b.hide("a link code", []byte(strings.TrimPrefix(code, "letterlock-link:")))
	if _, err := alice.Link(b.t.Context(), code[:len(code)-1], true, says(true)); b.failed(err) == nil {
		b.t.Fatal("half a code links")
	}
	go func() { _, err := alice.Link(b.t.Context(), code, true, says(true)); _ = b.failed(err) }()
}

func (b *busy) joined(j *joining) *client.Client {
	b.t.Helper()
	j.answer <- true
	return must(j.end())(b.t)
}

// boxes has two people talk who take nothing but boxes.
func (b *busy) boxes() {
	b.t.Helper()
	old := func(o *client.Options) { o.Boxes = true }
	dora, erik := b.person(old), b.person(old)
	b.say(dora, erik, "a-box-of-walnuts")
	inbox(b.t, erik)
	b.say(erik, dora, "a-box-of-acorns") // waits
}

// failed writes an error down as programs print errors, and gives it.
func (b *busy) failed(err error) error {
	_, _ = fmt.Fprintf(b.errors, "%v\n%+v\n%#v\n", err, err, err)
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		_, _ = fmt.Fprintf(b.errors, "%#v\n", inner)
	}
	return err
}

// converse has two people talk in both directions, live and not, so that sessions turn and receipts are sent.
func (b *busy) converse(alice, bob *client.Client) {
	b.t.Helper()
	b.say(alice, bob, "an-otter-in-the-reeds")
	inbox(b.t, bob)
	live := listen(b.t, alice)
	for i := range 5 {
		text := fmt.Sprintf("under-the-third-stone-%d", i)
		b.say(bob, alice, text)
		live.text(text)
		b.keys(alice, bob)
	}
	live.stop()
	b.say(alice, bob, "at-dawn") // waits
	b.keys(alice, bob)
}

// keys hides what two devices share at the moment.
func (b *busy) keys(one, other *client.Client) {
	b.t.Helper()
	for _, pair := range [][2]*client.Client{{one, other}, {other, one}} {
		keys := must(client.SessionKeys(b.t.Context(), pair[0], pair[1].UserID(), pair[1].DeviceID()))(b.t)
		if len(keys) < 5 {
			b.t.Fatalf("only %d keys of a session: is this the record?", len(keys))
		}
		b.hide("a key of a session", keys...)
	}
}

func (b *busy) say(from, to *client.Client, text string) {
	b.t.Helper()
	send(b.t, from, to.UserID(), text)
	b.hide("a text", []byte(text))
}

// fail makes calls that are refused, with what must not be written down in places where it might.
func (b *busy) fail(alice, bob, removed *client.Client, code string) {
	b.t.Helper()
	ctx := b.t.Context()
	ignore := func(context.Context, client.Notice) error { return nil }
	if err := b.failed(removed.Inbox(ctx, ignore)); !errors.Is(err, client.ErrDeviceRemoved) {
		b.t.Errorf("a removed device reads its mailbox: %v", err)
	}
	nobody := testserver.NewPerson(b.t)
	for name, call := range map[string]func() error{
		"a code that is over": func() error { _, err := alice.Link(ctx, code, true, says(true)); return err },
		"a text that is too long": func() error {
			_, err := bob.Send(ctx, alice.UserID(), strings.Repeat("an-otter-in-the-reeds", 10_000))
			return err
		},
		"a text to nobody":      func() error { _, err := bob.Send(ctx, nobody.ID, "an-otter-in-the-reeds"); return err },
		"a text to the blocked": func() error { _, err := alice.Send(ctx, bob.UserID(), "an-otter-in-the-reeds"); return err },
		"an invite again": func() error {
			c := must(client.Init(ctx, client.Options{Home: filepath.Join(b.t.TempDir(), "home"), Server: b.wire.url, Invite: "i" + string(b.secrets["an invite"][0])}))(b.t)
			defer closed(b.t, c)
			return c.Register(ctx)
		},
		"no passphrase":      func() error { return b.opens(nil) },
		"a wrong passphrase": func() error { return b.opens([]byte(secretPassphrase + "r")) },
	} {
		if b.failed(call()) == nil {
			b.t.Errorf("%s is taken", name)
		}
	}
	token := must(alice.Token(ctx))(b.t)
	for _, bad := range []string{token + "x", strings.ToUpper(token), "x"} {
		answer := b.Query(b.t, bad, `{ viewer { id } }`, nil)
		_, _ = fmt.Fprintln(b.answers, answer.Header, answer.Body)
		if answer.Code() != "UNAUTHENTICATED" {
			b.t.Errorf("a wrong token is answered by %s", answer.Body)
		}
	}
	for _, query := range []string{
		`{ mailbox(after: "` + token + `") { expiredCount } }`, `{ user(id: "` + token + `") { id } }`,
		`mutation { registerKey(input: {invite: "i` + string(b.secrets["an invite"][0]) + `"}) { user { id } } }`,
	} {
		answer := b.Query(b.t, token, query, nil)
		_, _ = fmt.Fprintln(b.answers, answer.Header, answer.Body)
	}
	answer := b.Do(b.t, http.MethodGet, "/graphql?token="+token, nil, nil)
	_, _ = fmt.Fprintln(b.answers, answer.Header, answer.Body)
}

// missed sends when the server is gone.
func (b *busy) missed(t *testing.T) {
	t.Helper()
	c := reopen(t, client.Options{Home: b.homes[1], Server: b.wire.url, Patience: -1})
	_, err := c.Send(t.Context(), testserver.NewPerson(t).ID, "an-otter-in-the-reeds")
	if queued := new(client.QueuedError); !errors.As(b.failed(err), &queued) {
		t.Errorf("a message that waits: %v", err)
	}
}

// opens opens the first home under a passphrase.
func (b *busy) opens(passphrase []byte) error {
	o := client.Options{Home: b.homes[0], Server: b.wire.url}
	if passphrase != nil {
		o.Passphrase = func() ([]byte, error) { return passphrase, nil }
	}
	c, err := client.Open(b.t.Context(), o)
	if err == nil {
		closed(b.t, c)
	}
	return err
}

// A server that is used in every way keeps, logs, counts and answers no plaintext, passphrase, token, invite, code or private key, in any
// spelling: not in a row of a table, not in the files of SQLite, not in the log at its most talkative, not in metrics, not in what it says
// to anybody. Nor do the logs and the errors of clients hold any.
func TestServerHoldsNoSecrets(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		b := newBusy(t, db)
		places := map[string][]byte{"the database": dumped(t, db), "the metrics": b.scrape(t)}
		if db.Dialect == database.SQLite {
			places["the database's file"] = slurp(t, db.Path, db.Path+"-wal")
		}
		check(t, b.Stop())
		b.missed(t)
		places["the server's log"], places["the clients' logs"] = b.serverLog.bytes(), b.clientLogs.bytes()
		places["the server's answers"], places["the clients' errors"] = append(b.wire.said.bytes(), b.answers.bytes()...), b.errors.bytes()

		for _, id := range b.public { // the looking itself works
			for _, where := range []string{"the database", "the server's answers"} {
				if !bytes.Contains(places[where], []byte(id)) {
					t.Fatalf("the public id %s is not in %s: is this the place?", id, where)
				}
			}
			for _, where := range []string{"the server's log", "the metrics", "the clients' logs"} {
				if bytes.Contains(places[where], []byte(id)) {
					t.Errorf("who it was, %s, is in %s", id, where)
				}
			}
		}
		for where, known := range map[string]string{
			"the server's log": "path=/graphql", "the metrics": "letterlock_envelopes_accepted_total", "the server's answers": "UNAUTHENTICATED", "the clients' errors": "passphrase",
		} {
			if !bytes.Contains(places[where], []byte(known)) {
				t.Fatalf("%s: there is no %q", where, known)
			}
		}
		b.search(t, places)
	})
}

func (b *busy) search(t *testing.T, places map[string][]byte) {
	t.Helper()
	b.hide("a private key", b.tap.secrets(t)...)
	for _, home := range b.homes {
		storeKey := storeKey(t, home)
		b.hide("a store key", storeKey)
		for _, derived := range []string{"seal", "scope"} {
			b.hide("a key of a store", must(hkdf.Key(sha256.New, storeKey, nil, "letterlock/store/v1/"+derived, 32))(t))
		}
	}
	needles := needles{}
	for _, what := range []string{"a text", "a name", "a passphrase", "a token", "an invite", "a link code", "a key of a session", "a store key", "a private key"} {
		if len(b.secrets[what]) == 0 {
			t.Fatalf("%s is not looked for", what)
		}
	}
	for what, secrets := range b.secrets {
		for _, secret := range secrets {
			needles.add(what, secret)
		}
	}
	for where, content := range places {
		for what := range needles.in(content) {
			t.Errorf("%s is in %s", what, where)
		}
	}
}

// storeKey reads the key of a home.
func storeKey(t *testing.T, home string) []byte {
	t.Helper()
	key := must(vault.ParseKey(slurp(t, filepath.Join(home, "key"))))(t)
	return must(key.Open([]byte(secretPassphrase)))(t)
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
