package graph

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"log/slog"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/google/uuid"

	"github.com/letterlock/letterlock/graph/generated"
	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/caller"
	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/directory"
	"github.com/letterlock/letterlock/internal/failure"
	"github.com/letterlock/letterlock/internal/mailbox"
	"github.com/letterlock/letterlock/internal/problem"
	"github.com/letterlock/letterlock/internal/testdb"
	"github.com/letterlock/letterlock/internal/wakeup"
)

// patience bounds what a test waits for.
const patience = 20 * time.Second

// world is the resolvers over real mailboxes.
type world struct {
	t         testing.TB
	db        *database.DB
	mailboxes *mailbox.Service
	resolver  *Resolver
	exec      *executor.Executor
	callers   *caller.Authenticator

	mu      sync.Mutex
	removed map[identity.DeviceID]bool
}

// each runs a test over both databases.
func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *database.DB) { test(t, newWorld(t, db)) })
}

func newWorld(t testing.TB, db *database.DB) *world {
	t.Helper()
	return newWorldAt(t, db, wakeup.NewLocal[mailbox.Message]())
}

// newWorldAt is newWorld whose wake-ups pass through hub.
func newWorldAt(t testing.TB, db *database.DB, hub mailbox.Hub) *world {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	mailboxes, err := mailbox.New(t.Context(), db, mailbox.Options{Logger: log, Hub: hub})
	if err != nil {
		t.Fatal(err)
	}
	present := failure.NewPresenter(log, time.Now).Present
	w := &world{
		t: t, db: db, mailboxes: mailboxes, removed: make(map[identity.DeviceID]bool),
		resolver: &Resolver{Mailboxes: mailboxes, Present: present},
	}
	w.callers = caller.NewAuthenticator(w, nil, nil)
	w.exec = executor.New(generated.NewExecutableSchema(generated.Config{Resolvers: w.resolver}))
	w.exec.SetErrorPresenter(present)
	w.exec.SetRecoverFunc(failure.Recover)
	t.Cleanup(w.stop)
	return w
}

func (w *world) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := w.mailboxes.Close(ctx); err != nil {
		w.t.Error(err)
	}
}

// Authenticate is not used: sockets check tokens when they open.
func (w *world) Authenticate(context.Context, string, []string) (directory.Device, time.Time, error) {
	return directory.Device{}, time.Time{}, problem.New(problem.Unauthenticated, "no")
}

// Listed gives a device unless it has been removed.
func (w *world) Remembered(string, []string) (identity.DeviceID, bool) {
	return identity.DeviceID{}, false
}

func (w *world) Listed(_ context.Context, id identity.DeviceID) (directory.Device, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.removed[id] {
		return directory.Device{}, problem.New(problem.DeviceRemoved, "The device is not on its user's device list.")
	}
	return directory.Device{ID: id}, nil
}

// user is a user with one device, as the directory would have made them.
type user struct {
	id      identity.UserID
	device  identity.DeviceID
	version uint32
}

func (w *world) user() *user {
	w.t.Helper()
	u := &user{}
	_, _ = rand.Read(u.id[:])
	_, _ = rand.Read(u.device[:])
	ctx := w.t.Context()
	w.db.Ent.User.Create().SetID(u.id.String()).SetUserKey(make([]byte, 32)).SetListVersion(1).SetCreatedAt(0).ExecX(ctx)
	w.db.Ent.Device.Create().SetID(u.device.String()).SetUserID(u.id.String()).SetSigningKey(make([]byte, 32)).SetCreatedAt(0).ExecX(ctx)
	w.move(u, []identity.DeviceID{u.device}, nil)
	return u
}

// remove takes the user's device from the list.
func (w *world) remove(u *user) {
	w.t.Helper()
	w.mu.Lock()
	w.removed[u.device] = true
	w.mu.Unlock()
	w.move(u, nil, []identity.DeviceID{u.device})
}

// move publishes the user's next list.
func (w *world) move(u *user, added, removed []identity.DeviceID) {
	w.t.Helper()
	tx, err := w.db.Ent.Tx(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	u.version++
	if err := w.mailboxes.MoveList(w.t.Context(), tx, u.id, u.version, added, removed); err != nil {
		w.t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		w.t.Fatal(err)
	}
	w.mailboxes.Closed(removed...)
}

// send sends a message to each of the users.
func (w *world) send(from *user, to ...*user) error {
	send := mailbox.Send{MessageID: newID(), SenderUser: from.id, SenderDevice: from.device}
	for _, u := range to {
		send.Recipients = append(send.Recipients, mailbox.Recipient{
			User: u.id, ListVersion: u.version,
			Envelopes: []mailbox.Envelope{{Device: u.device, Kind: mailbox.Session, Ciphertext: []byte("sealed")}},
		})
	}
	_, err := w.mailboxes.Send(w.t.Context(), send)
	return err
}

func (w *world) mustSend(from *user, to ...*user) {
	w.t.Helper()
	if err := w.send(from, to...); err != nil {
		w.t.Fatal(err)
	}
}

// newID makes a UUIDv7.
func newID() uuid.UUID {
	var id uuid.UUID
	_, _ = rand.Read(id[:])
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(time.Now().UnixMilli()))
	copy(id[:6], ms[2:])
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return id
}

// calls is the context of a socket that belongs to the user's device.
func (w *world) calls(u *user) context.Context {
	if u == nil {
		return w.callers.WithAuthorization(w.t.Context(), "", netip.Addr{})
	}
	return w.callers.WithDevice(w.t.Context(), u.device, netip.Addr{})
}

// operation prepares a subscription.
func (w *world) operation(after string) *graphql.OperationContext {
	document := `subscription($after: Cursor) { received: messageReceived(after: $after) { id cursor messageId } }`
	variables := map[string]any{"after": nil}
	if after != "" {
		variables["after"] = after
	}
	op, errs := w.exec.CreateOperationContext(graphql.StartOperationTrace(w.t.Context()),
		&graphql.RawParams{Query: document, Variables: variables})
	if len(errs) > 0 {
		w.t.Errorf("not valid: %v", errs)
	}
	return op
}
