package directory_test

import (
	"context"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/rand"
	"sync"
	"testing"
	"time"

	"github.com/letterlock/letterlock/ent"
	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/directory"
	"github.com/letterlock/letterlock/internal/problem"
)

const origin = "https://chat.example"

var origins = []string{"http://localhost:8080", origin}

// start is on the test clock; whole seconds, as tokens are.
var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// clock stands still until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: start} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// key is an Ed25519 key that signs.
type key struct{ private ed25519.PrivateKey }

func newKey() key {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	return key{private}
}

func (k key) PublicKey() identity.SigningPublicKey {
	public, err := identity.ParseSigningPublicKey(k.private[ed25519.PrivateKeySize-ed25519.PublicKeySize:])
	if err != nil {
		panic(err)
	}
	return public
}

func (k key) Sign(message []byte) ([]byte, error) { return ed25519.Sign(k.private, message), nil }

func (k key) device() identity.DeviceID { return identity.NewDeviceID(k.PublicKey()) }

// person is a user in a test, with the lists signed so far.
type person struct {
	t       testing.TB
	user    key
	first   key
	entries map[identity.DeviceID]identity.Entry
	head    *identity.DeviceList
}

// newPerson has a user key, a first device and version 1, nothing of it registered.
func newPerson(t testing.TB) *person {
	t.Helper()
	p := &person{t: t, user: newKey(), first: newKey(), entries: map[identity.DeviceID]identity.Entry{}}
	p.sign(p.first, p.first)
	return p
}

func (p *person) id() identity.UserID { return identity.NewUserID(p.user.PublicKey()) }

func (p *person) userKey() []byte {
	public := p.user.PublicKey()
	return public[:]
}

func (p *person) token(device key) string { return p.tokenAt(device, start) }

func (p *person) tokenAt(device key, now time.Time) string {
	p.t.Helper()
	token, err := identity.NewToken(device, p.id(), origin, now)
	if err != nil {
		p.t.Fatal(err)
	}
	return token
}

// draft signs the version after the head with these devices, and leaves the head.
func (p *person) draft(author key, devices ...key) []byte {
	p.t.Helper()
	entries := make([]identity.Entry, len(devices))
	for i, device := range devices {
		entries[i] = p.entry(device)
	}
	statement, err := identity.SignDeviceList(p.head, p.user, author, entries)
	if err != nil {
		p.t.Fatal(err)
	}
	return statement
}

// sign is draft, and goes on from it.
func (p *person) sign(author key, devices ...key) []byte {
	p.t.Helper()
	statement := p.draft(author, devices...)
	list, err := identity.ParseDeviceList(statement)
	if err != nil {
		p.t.Fatal(err)
	}
	p.head = list
	return statement
}

func (p *person) entry(device key) identity.Entry {
	p.t.Helper()
	if known, ok := p.entries[device.device()]; ok {
		return known
	}
	agreement, err := identity.ParseAgreementPublicKey(x25519(p.t))
	if err != nil {
		p.t.Fatal(err)
	}
	box, err := identity.ParseBoxPublicKey(x25519(p.t))
	if err != nil {
		p.t.Fatal(err)
	}
	entry, err := identity.SignEntry(identity.EntryFields{
		UserID: p.id(), AgreementKey: agreement, Protocols: identity.ProtocolBox, CreatedAt: start, BoxKey: box,
	}, device)
	if err != nil {
		p.t.Fatal(err)
	}
	p.entries[device.device()] = entry
	return entry
}

func x25519(t testing.TB) []byte {
	t.Helper()
	private, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return private.PublicKey().Bytes()
}

// node is one server's directory over a database.
type node struct {
	*directory.Directory
	t     testing.TB
	boxes *boxes
	clock *clock
}

func newNode(t testing.TB, db *database.DB, clock *clock) *node {
	t.Helper()
	boxes := &boxes{}
	return &node{directory.New(db, boxes, directory.Options{MaxDevices: 4, Now: clock.Now}), t, boxes, clock}
}

// register registers a person's version 1.
func (n *node) register(p *person) (*directory.User, directory.Device) {
	n.t.Helper()
	user, device, err := n.Register(n.t.Context(), p.userKey(), p.head.Statement(), p.token(p.first), "", origins)
	if err != nil {
		n.t.Fatal(err)
	}
	return user, device
}

// publish publishes as device does, with a token.
func (n *node) publish(p *person, device key, statement []byte) (*directory.User, error) {
	n.t.Helper()
	caller, _, err := n.Authenticate(n.t.Context(), p.token(device), origins)
	if err != nil {
		return nil, err
	}
	return n.Publish(n.t.Context(), caller, statement)
}

func (n *node) mustPublish(p *person, device key, statement []byte) *directory.User {
	n.t.Helper()
	user, err := n.publish(p, device, statement)
	if err != nil {
		n.t.Fatal(err)
	}
	return user
}

// boxes stands for the mailboxes: it keeps what it was told, and fails where a test wants it.
type boxes struct {
	mu     sync.Mutex
	moves  []move
	closed []identity.DeviceID
	fail   error
	onMove func(ctx context.Context, tx *ent.Tx) error // called instead of failing
}

type move struct {
	user           identity.UserID
	version        uint32
	added, removed []identity.DeviceID
}

func (b *boxes) MoveList(ctx context.Context, tx *ent.Tx, user identity.UserID, version uint32, added, removed []identity.DeviceID) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.moves = append(b.moves, move{user, version, added, removed})
	if b.onMove != nil {
		return b.onMove(ctx, tx)
	}
	return b.fail
}

func (b *boxes) Block(context.Context, *ent.Tx, identity.DeviceID, []identity.UserID) error {
	return b.fail
}

func (b *boxes) Drain(context.Context, *ent.Tx, identity.UserID) (bool, error) { return false, b.fail }

func (b *boxes) Delete(ctx context.Context, tx *ent.Tx, _ identity.UserID) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.onMove != nil {
		return b.onMove(ctx, tx)
	}
	return b.fail
}

func (b *boxes) Closed(devices ...identity.DeviceID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = append(b.closed, devices...)
}

// wantCode fails the test unless err has this code and a message that ends as a sentence does.
func wantCode(t testing.TB, err error, want problem.Code) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want %s", want)
		return
	}
	if got := problem.CodeOf(err); got != want {
		t.Errorf("code %s, want %s: %v", got, want, err)
	}
}
