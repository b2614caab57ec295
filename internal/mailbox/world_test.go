package mailbox

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/letterlock/letterlock/ent"
	entmailbox "github.com/letterlock/letterlock/ent/mailbox"
	"github.com/letterlock/letterlock/ent/predicate"
	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/problem"
	"github.com/letterlock/letterlock/internal/testdb"
)

// patience bounds what a test waits for.
const patience = 20 * time.Second

// clock stands still until a test moves it.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// world is a service over a database of its own, and a clock.
type world struct {
	*Service
	t     testing.TB
	ctx   context.Context
	db    *database.DB
	clock *clock
	// polls is how its subscriptions are read: by Poll, or else by Next.
	polls bool
}

// each runs a test over both databases, and over PostgreSQL with partitions.
func each(t *testing.T, test func(t *testing.T, w *world), change ...func(*Options)) {
	t.Helper()
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		test(t, newWorld(t, db, change...))
	})
	t.Run("partitions", func(t *testing.T) {
		test(t, newWorld(t, openPartitioned(t), change...))
	})
}

func newWorld(t testing.TB, db *database.DB, change ...func(*Options)) *world {
	t.Helper()
	return newNode(t, db, newClock(), change...)
}

// newNode starts a service on a database. Tests look again and sweep by hand, unless change says otherwise.
func newNode(t testing.TB, db *database.DB, clock *clock, change ...func(*Options)) *world {
	t.Helper()
	return newNodeOver(t, db, newStore(db), clock, change...)
}

// newNodeOver is newNode over a store that may fail on purpose.
func newNodeOver(t testing.TB, db *database.DB, store store, clock *clock, change ...func(*Options)) *world {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 5*time.Minute)
	t.Cleanup(cancel)
	options := Options{
		Now: clock.Now, LookAgain: time.Hour, SweepEvery: time.Hour, Logger: slog.New(slog.DiscardHandler),
	}
	for _, c := range change {
		c(&options)
	}
	s, err := start(ctx, db.Dialect, store, options)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{Service: s, t: t, ctx: ctx, db: db, clock: clock}
	t.Cleanup(w.stop)
	return w
}

// node is a second service on the same database and clock, as another server would be.
func (w *world) node(change ...func(*Options)) *world {
	w.t.Helper()
	other := newNode(w.t, testdb.Reopen(w.t, w.db), w.clock, change...)
	other.polls = w.polls
	return other
}

func (w *world) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := w.Close(ctx); err != nil {
		w.t.Errorf("Close: %v", err)
	}
}

// user is a user with devices, as the directory would have made them.
type user struct {
	id      identity.UserID
	version uint32
	devices []identity.DeviceID
}

// user makes a user whose list is at version 1 and has n devices.
func (w *world) user(n int) *user {
	w.t.Helper()
	u := &user{}
	random(u.id[:])
	err := w.db.Ent.User.Create().SetID(u.id.String()).SetUserKey(make([]byte, 32)).SetListVersion(1).SetCreatedAt(0).Exec(w.ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	added := make([]identity.DeviceID, n)
	for i := range added {
		random(added[i][:])
	}
	w.move(u, added, nil)
	return u
}

// users makes n users with a device each.
func (w *world) users(n int) []*user {
	w.t.Helper()
	list := make([]*user, n)
	for i := range list {
		list[i] = w.user(1)
	}
	return list
}

// move publishes the next version of a user's list, as the directory does.
func (w *world) move(u *user, added, removed []identity.DeviceID) {
	w.t.Helper()
	if err := w.tryMove(u, u.version+1, added, removed); err != nil {
		w.t.Fatal(err)
	}
	u.version++
	u.devices = append(u.devices, added...)
	u.devices = slices.DeleteFunc(u.devices, func(d identity.DeviceID) bool { return slices.Contains(removed, d) })
}

func (w *world) tryMove(u *user, version uint32, added, removed []identity.DeviceID) error {
	tx, err := w.db.Ent.Tx(w.ctx)
	if err != nil {
		return err
	}
	if err := w.moveIn(tx, u, version, added, removed); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	w.Closed(removed...)
	return nil
}

func (w *world) moveIn(tx *ent.Tx, u *user, version uint32, added, removed []identity.DeviceID) error {
	for _, device := range added {
		err := tx.Device.Create().SetID(device.String()).SetUserID(u.id.String()).SetSigningKey(make([]byte, 32)).SetCreatedAt(0).Exec(w.ctx)
		if err != nil {
			return err
		}
	}
	return w.MoveList(w.ctx, tx, u.id, version, added, removed)
}

// letter is a send from a user's first device to all devices of the recipients, at their versions.
func (w *world) letter(from *user, text string, to ...*user) Send {
	send := Send{MessageID: w.newID(), SenderUser: from.id, SenderDevice: from.devices[0]}
	for _, u := range to {
		r := Recipient{User: u.id, ListVersion: u.version}
		for _, device := range u.devices {
			r.Envelopes = append(r.Envelopes, Envelope{Device: device, Kind: Session, Ciphertext: []byte(text)})
		}
		send.Recipients = append(send.Recipients, r)
	}
	return send
}

// newID makes a UUIDv7 by the world's clock.
func (w *world) newID() uuid.UUID { return idAt(w.clock.Now()) }

func idAt(t time.Time) uuid.UUID {
	var id uuid.UUID
	random(id[:])
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(t.UnixMilli()))
	copy(id[:6], ms[2:])
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return id
}

// must sends and expects every envelope to be stored.
func (w *world) must(send Send) Receipt {
	w.t.Helper()
	receipt, err := w.Send(w.ctx, send)
	if err != nil {
		w.t.Fatalf("Send: %v", err)
	}
	for _, delivery := range receipt.Deliveries {
		if !delivery.Stored {
			w.t.Fatalf("Send: a mailbox was full")
		}
	}
	return receipt
}

// fill sends n messages and gives their ids.
func (w *world) fill(from, to *user, n int) []uuid.UUID {
	w.t.Helper()
	ids := make([]uuid.UUID, n)
	for i := range ids {
		send := w.letter(from, "x", to)
		ids[i] = send.MessageID
		w.must(send)
	}
	return ids
}

// waiting reads a whole mailbox, page by page.
func (w *world) waiting(device identity.DeviceID) []Message {
	w.t.Helper()
	return w.after(device, nil)
}

func (w *world) after(device identity.DeviceID, after *Cursor) []Message {
	w.t.Helper()
	var all []Message
	for {
		page, err := w.Page(w.ctx, device, after, MaxPage)
		if err != nil {
			w.t.Fatalf("Page: %v", err)
		}
		all = append(all, page.Messages...)
		if !page.HasNext {
			return all
		}
		after = &all[len(all)-1].Cursor
	}
}

func (w *world) status(device identity.DeviceID) Status {
	w.t.Helper()
	status, err := w.Status(w.ctx, device)
	if err != nil {
		w.t.Fatalf("Status: %v", err)
	}
	return status
}

func (w *world) subscribe(device identity.DeviceID, after *Cursor) *reading {
	w.t.Helper()
	r, err := w.tryToSubscribe(device, after)
	if err != nil {
		w.t.Fatalf("Subscribe: %v", err)
	}
	w.t.Cleanup(r.Close)
	return r
}

// next waits for a reader's next message.
func (w *world) next(r *reading) Message {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	m, err := r.Next(ctx)
	if err != nil {
		w.t.Fatalf("Next: %v", err)
	}
	return m
}

// nothing expects that a reader has nothing more at hand, after it has looked at the store.
func (w *world) nothing(r *reading) {
	w.t.Helper()
	for {
		m, next := r.take()
		switch next {
		case await:
			return
		case read:
			if err := r.read(w.ctx); err != nil {
				w.t.Fatalf("read: %v", err)
			}
		case deliver:
			if m.ExpiresAt.After(w.clock.Now()) {
				w.t.Fatalf("a reader has message %d, want nothing", m.Number)
			}
		case finish:
			w.t.Fatalf("a reader has ended: %v", r.end(nil))
		}
	}
}

// refused expects an error with a code after which nothing is stored, or with Unknown.
func refused(t testing.TB, err error, code problem.Code) {
	t.Helper()
	var p *problem.Error
	if !errors.As(err, &p) || p.Code != code {
		t.Fatalf("got error %v, want %s", err, code)
	}
	want := problem.No
	if code == problem.OutcomeUnknown {
		want = problem.Unknown
	}
	if p.Stored != want {
		t.Errorf("%s says stored %s, want %s", code, p.Stored, want)
	}
}

func numbers(messages []Message) []int64 {
	list := make([]int64, len(messages))
	for i := range messages {
		list[i] = messages[i].Number
	}
	return list
}

func names(messages []Message) []uuid.UUID {
	list := make([]uuid.UUID, len(messages))
	for i := range messages {
		list[i] = messages[i].MessageID
	}
	return list
}

// upTo gives 1 to n.
func upTo(n int) []int64 {
	list := make([]int64, n)
	for i := range list {
		list[i] = int64(i + 1)
	}
	return list
}

func equal[T comparable](t testing.TB, what string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

func random(b []byte) { _, _ = rand.Read(b) }

// waitFor waits until a condition holds.
func waitFor(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited too long for %s", what)
		}
	}
}

func mailboxOf(u *user) predicate.Mailbox { return entmailbox.DeviceID(u.devices[0].String()) }

// looksOften is for nodes that no wake-up reaches.
func looksOften(o *Options) { o.LookAgain = 5 * time.Millisecond }
