//go:build unix

package graph

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/gorilla/websocket"

	"github.com/letterlock/letterlock/graph/generated"
	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/failure"
	"github.com/letterlock/letterlock/internal/guard"
	"github.com/letterlock/letterlock/internal/mailbox"
	"github.com/letterlock/letterlock/internal/socket"
	"github.com/letterlock/letterlock/internal/testdb"
	"github.com/letterlock/letterlock/internal/wakeup"
)

// What the server pays from a message that is committed to its last byte on the socket of a subscription: the hub, the mailbox's
// feed, the encoder, the socket, the system call. In each round every device gets a burst. The clients are another process, which
// says after each round that it has all.
func BenchmarkDeliveryToSocket(b *testing.B) {
	for _, burst := range []int{1, 100} {
		b.Run("burst="+strconv.Itoa(burst), func(b *testing.B) {
			d := newDeliveries(b, burst)
			b.ReportAllocs()
			var spent time.Duration
			for b.Loop() {
				hints := d.prepare(burst)
				before := processTime(b)
				for _, some := range hints {
					d.hub.Notify(some...)
				}
				d.wait()
				spent += processTime(b) - before
			}
			b.ReportMetric(float64(spent)/float64(b.N*burst*receivers), "cpu-ns/delivery")
		})
	}
}

// A delivery costs less than three allocations, from the message that is committed to its last byte on the socket.
func TestDeliveryAllocatesNextToNothing(t *testing.T) {
	const most, rounds = 3, 20
	for _, burst := range []int{1, 20} {
		d := newDeliveries(t, burst)
		var prepared [][][]wakeup.Hint[mailbox.Message]
		for range rounds + 1 { // AllocsPerRun runs it once more, to warm up
			prepared = append(prepared, d.prepare(burst))
		}
		all := testing.AllocsPerRun(rounds, func() {
			for _, some := range prepared[0] {
				d.hub.Local.Notify(some...)
			}
			d.wait()
			prepared = prepared[1:]
		})
		if each := all / float64(burst*receivers); each >= most {
			t.Errorf("in bursts of %d a delivery makes %.2f allocations", burst, each)
		} else {
			t.Logf("in bursts of %d a delivery makes %.2f allocations", burst, each)
		}
	}
}

// receivers is how many devices have a socket.
const receivers = 200

// deliveries is a server with a subscription for each of some devices, whose mailboxes grow without a store.
type deliveries struct {
	b    testing.TB
	hub  *echo
	last [receivers]wakeup.Hint[mailbox.Message]
	done *bufio.Reader
}

// echo is a hub that remembers the last message of each device.
type echo struct {
	*wakeup.Local[mailbox.Message]
	mu   sync.Mutex
	last map[identity.DeviceID]wakeup.Hint[mailbox.Message]
}

// Notify passes hints on.
func (e *echo) Notify(hints ...wakeup.Hint[mailbox.Message]) {
	for _, h := range hints {
		if h.Message != nil {
			e.mu.Lock()
			e.last[h.Device] = h
			e.mu.Unlock()
		}
	}
	e.Local.Notify(hints...)
}

func newDeliveries(b testing.TB, burst int) *deliveries {
	b.Helper()
	hub := &echo{Local: wakeup.NewLocal[mailbox.Message](), last: make(map[identity.DeviceID]wakeup.Hint[mailbox.Message])}
	w := newWorldAt(b, testdb.Open(b, database.SQLite), hub)
	users := make([]*user, receivers)
	for i := range users {
		users[i] = w.user()
	}
	schema := handler.New(generated.NewExecutableSchema(generated.Config{Resolvers: w.resolver}))
	sockets := socket.New(socket.Options{
		AllowOrigin: func(string) bool { return true },
		Init: func(_ context.Context, payload transport.InitPayload) (context.Context, error) {
			n, err := strconv.Atoi(payload.GetString("n"))
			return w.calls(users[n]), err
		},
		Live:       Streams{w.resolver},
		Guard:      guard.New(guard.Options{MaxBytes: 1 << 16, MaxDepth: 20, MaxCost: 1000}),
		Present:    failure.NewPresenter(slog.New(slog.DiscardHandler), time.Now),
		MaxOpening: 10, MaxOperations: 10, MaxBytes: 1 << 20,
		InitTimeout: time.Minute, PingInterval: time.Hour, WriteTimeout: time.Minute,
	})
	schema.AddTransport(sockets)
	server := httptest.NewServer(schema)
	b.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		sockets.Stop(ctx)
		server.Close()
	})
	d := &deliveries{b: b, hub: hub, done: receive(b, strings.TrimPrefix(server.URL, "http://"), burst)}
	for range burst {
		w.mustSend(users[0], users...)
	}
	d.wait()
	hub.mu.Lock()
	defer hub.mu.Unlock()
	for i, u := range users {
		d.last[i] = hub.last[u.device]
	}
	return d
}

// prepare makes what the mailboxes grow by, each in its turn.
func (d *deliveries) prepare(burst int) (hints [][]wakeup.Hint[mailbox.Message]) {
	for i := range d.last {
		var own []wakeup.Hint[mailbox.Message]
		for range burst {
			m := *d.last[i].Message
			m.Number++
			m.Ciphertext = make([]byte, 256)
			d.last[i].Message = &m
			own = append(own, d.last[i])
		}
		hints = append(hints, own)
	}
	return hints
}

// wait waits until the clients have all.
func (d *deliveries) wait() {
	if _, err := d.done.ReadByte(); err != nil {
		d.b.Fatal("the clients have gone: ", err)
	}
}

// receiveFrom is the variable by which this program is told to be the clients.
const receiveFrom = "LETTERLOCK_BENCH_RECEIVE_FROM"

// receive starts the clients. What it gives has a byte for each round that has arrived.
func receive(b testing.TB, addr string, burst int) *bufio.Reader {
	b.Helper()
	clients := exec.CommandContext(b.Context(), os.Args[0])
	clients.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d", receiveFrom, addr, burst))
	clients.Stdout = os.Stderr
	own, theirs, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	clients.ExtraFiles = []*os.File{theirs}
	if err := clients.Start(); err != nil {
		b.Fatal(err)
	}
	_ = theirs.Close()
	b.Cleanup(func() {
		_ = clients.Process.Kill()
		_ = clients.Wait()
		_ = own.Close()
	})
	done := bufio.NewReader(own)
	if _, err := done.ReadByte(); err != nil {
		b.Fatal("the clients did not connect: ", err)
	}
	return done
}

// TestMain runs the tests, or is the clients.
func TestMain(m *testing.M) {
	addr, burst, ok := strings.Cut(os.Getenv(receiveFrom), " ")
	if !ok {
		os.Exit(m.Run())
	}
	each, err := strconv.Atoi(burst)
	if err == nil {
		err = receiveAll(addr, each)
	}
	fmt.Fprintln(os.Stderr, "clients:", err)
}

// receiveAll is the clients: it says when all are connected, and after each round.
func receiveAll(addr string, each int) error {
	said := os.NewFile(3, "said")
	arrived := make(chan error, receivers)
	for n := range receivers {
		client, err := subscribe(addr, n)
		if err != nil {
			return err
		}
		go func() {
			for round := 1; ; round++ {
				for range each {
					if _, _, err := client.ReadMessage(); err != nil {
						arrived <- err
						return
					}
				}
				arrived <- nil
			}
		}()
	}
	for {
		if _, err := said.Write([]byte{'.'}); err != nil {
			return err
		}
		for range receivers {
			if err := <-arrived; err != nil {
				return err
			}
		}
	}
}

func subscribe(addr string, n int) (*websocket.Conn, error) {
	dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}}
	client, _, err := dialer.Dial("ws://"+addr+"/", nil)
	if err != nil {
		return nil, err
	}
	err = client.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, `{"type":"connection_init","payload":{"n":"%d"}}`, n))
	if err != nil {
		return nil, err
	}
	if _, _, err = client.ReadMessage(); err != nil {
		return nil, err
	}
	const all = "subscription { messageReceived { cursor messageId senderUserId senderDeviceId senderListVersion sentAt expiresAt kind ciphertext nonce } }"
	return client, client.WriteMessage(websocket.TextMessage, []byte(`{"id":"1","type":"subscribe","payload":{"query":"`+all+`"}}`))
}

// processTime gives the CPU time of this process.
func processTime(t testing.TB) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
