package wakeup_test

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/testnats"
	"github.com/letterlock/letterlock/internal/wakeup"
)

// stranger is somebody on NATS who can say anything.
func stranger(t *testing.T, url string) *nats.Conn {
	t.Helper()
	conn, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

// say publishes something and waits until the hub has heard it.
func say(t *testing.T, conn *nats.Conn, hub *wakeup.NATS[int], subject string, data []byte) {
	t.Helper()
	if err := conn.Publish(subject, data); err != nil {
		t.Fatal(err)
	}
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	hub.Settle(t)
}

func TestGarbageIsHarmless(t *testing.T) {
	url := testnats.Start(t).URL
	hub, other, conn := newNATS(t, url, 1), newNATS(t, url, 1), stranger(t, url)
	var l listener
	defer hub.Listen(alice, l.hear)()
	hub.Settle(t)
	long := append([]byte{1}, bytes.Repeat([]byte{1, 0, 0}, wakeup.MaxFrame)...)
	frame := wakeup.AppendFrame([]wakeup.Hint[int]{grown(alice, 1)}, intCodec{})
	garbage := [][]byte{{}, {1, 3}, {1, 9, 9, 9}, {1, 2, 0}, {1, 1, 0xff, 0xff}, {1, 1, 0, 1, 1}, long, frame[:len(frame)-1], append(frame, 1)}
	for _, data := range garbage {
		say(t, conn, hub, hub.Subject(alice), data)
	}
	for _, data := range [][]byte{{}, {1, 2}, long} {
		say(t, conn, hub, hub.RemovedSubject(), data)
	}
	say(t, conn, hub, hub.RemovedSubject(), []byte{2, 1})
	if heard := l.heard(); len(heard) != 0 {
		t.Errorf("garbage was heard as %+v", heard)
	}
	if got, want := hub.Stats().Damaged, uint64(len(garbage)+3); got != want {
		t.Errorf("%d frames were damaged, want %d", got, want)
	}
	other.Notify(grown(alice, 7))
	other.Settle(t)
	hub.Settle(t)
	if want := []int{7}; !slices.Equal(l.messages(), want) {
		t.Errorf("after garbage heard %v, want %v", l.messages(), want)
	}
}

// During an upgrade nodes of two releases talk: what the older cannot read is a hint without message, and it reads the store.
func TestWhatALaterReleaseSaysIsAHintWithoutMessage(t *testing.T) {
	url := testnats.Start(t).URL
	hub, conn := newNATS(t, url, 1), stranger(t, url)
	var l listener
	defer hub.Listen(alice, l.hear)()
	hub.Settle(t)
	say(t, conn, hub, hub.Subject(alice), []byte{2, 7, 7, 7})
	say(t, conn, hub, hub.Subject(alice), []byte{1, 1, 0, 2, 99, 99})
	if want := []int{-1, -1}; !slices.Equal(l.messages(), want) {
		t.Errorf("heard %v, want two hints without message", l.messages())
	}
}

func TestStoresOnOneNATSDoNotMix(t *testing.T) {
	url := testnats.Start(t).URL
	one, other := newNATS(t, url, 1), newNATS(t, url, -1)
	var l listener
	var removed []identity.DeviceID
	defer one.Listen(alice, l.hear)()
	defer one.ListenRemoved(func(device identity.DeviceID) { removed = append(removed, device) })()
	one.Settle(t)
	other.Notify(grown(alice, 1), wakeup.Hint[int]{Device: alice, Event: wakeup.Removed})
	other.Settle(t)
	one.Settle(t)
	if len(l.heard()) != 0 || slices.Contains(removed, alice) {
		t.Errorf("heard %+v, %v of another store", l.heard(), removed)
	}
}

// A message that is too large to travel wakes all the same.
func TestALargeMessageIsAHintWithoutMessage(t *testing.T) {
	url := testnats.Start(t).URL
	one, two := newNATS(t, url, 1), newNATS(t, url, 1)
	var l listener
	defer two.Listen(alice, l.hear)()
	two.Settle(t)
	one.Notify(grown(alice, -5))
	one.Settle(t)
	two.Settle(t)
	if want := []int{-1}; !slices.Equal(l.messages(), want) {
		t.Errorf("heard %v, want a hint without message", l.messages())
	}
}

// The hints of a batch travel together, in frames that every NATS takes.
func TestHintsOfADeviceShareFrames(t *testing.T) {
	url := testnats.Start(t).URL
	hub, conn := newNATS(t, url, 1), stranger(t, url)
	frames, err := conn.SubscribeSync(hub.Subject(alice))
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	const count = 5000
	hints := make([]wakeup.Hint[int], count)
	for n := range hints {
		hints[n] = grown(alice, n)
	}
	hub.Notify(hints...)
	hub.Settle(t)
	next, seen := 0, 0
	for ; next < count; seen++ {
		frame, err := frames.NextMsg(10 * time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if len(frame.Data) > wakeup.MaxFrame {
			t.Fatalf("a frame has %d bytes", len(frame.Data))
		}
		read, err := wakeup.ReadFrame(alice, frame.Data, intCodec{})
		if err != nil {
			t.Fatal(err)
		}
		for _, hint := range read {
			if *hint.Message != next {
				t.Fatalf("heard %d, want %d", *hint.Message, next)
			}
			next++
		}
	}
	if seen > 5 {
		t.Errorf("%d hints took %d frames", count, seen)
	}
}

// Without NATS a node works for itself, and with the others as soon as it is there.
func TestNATSComesAndGoes(t *testing.T) {
	nats := testnats.Start(t)
	nats.Stop()
	one, two := newNATS(t, nats.URL, 1), newNATS(t, nats.URL, 1)
	var here, there listener
	defer one.Listen(alice, here.hear)()
	defer two.Listen(alice, there.hear)()
	var want []int
	for n := range 2 {
		one.Notify(grown(alice, 100+n))
		want = append(want, 100+n)
		nats.Restart()
		waitFor(t, "the nodes to find NATS", func() bool { return one.Stats().Connected && two.Stats().Connected })
		two.Settle(t)
		one.Notify(grown(alice, n))
		want = append(want, n)
		one.Settle(t)
		two.Settle(t)
		if got := there.messages(); len(got) == 0 || got[len(got)-1] != n {
			t.Errorf("the other node heard %v, want %d at last", got, n)
		}
		nats.Stop()
		waitFor(t, "the nodes to lose NATS", func() bool { return !one.Stats().Connected && !two.Stats().Connected })
	}
	if !slices.Equal(here.messages(), want) {
		t.Errorf("the node itself heard %v, want %v", here.messages(), want)
	}
}

// A NATS that takes nothing any more holds nobody up: hints beyond a bound are dropped and counted.
func TestNotifyDoesNotWaitForNATS(t *testing.T) {
	hub := newNATS(t, stuckNATS(t), 1)
	waitFor(t, "the connection", func() bool { return hub.Stats().Connected })
	var l listener
	defer hub.Listen(alice, l.hear)()
	hints := make([]wakeup.Hint[int], 1000)
	for i := range hints {
		hints[i] = wakeup.Hint[int]{Device: identity.DeviceID{byte(i), byte(i >> 8), 1}, Event: wakeup.TakenOver}
	}
	for sent := 0; hub.Stats().Dropped == 0; sent++ {
		if sent*len(hints)*9 > 1<<30 {
			t.Fatal("a gigabyte of hints was taken")
		}
		hub.Notify(hints...)
	}
	hub.Notify(grown(alice, 1))
	if want := []int{1}; !slices.Equal(l.messages(), want) {
		t.Errorf("heard %v, want %v", l.messages(), want)
	}
}

// stuckNATS greets as NATS does, and then reads nothing more.
func stuckNATS(t testing.TB) string {
	return fakeNATS(t, func(_ *bufio.Scanner, _ net.Conn, over <-chan struct{}) { <-over })
}

// fakeNATS greets as NATS does, and then does what then says.
func fakeNATS(t testing.TB, then func(lines *bufio.Scanner, conn net.Conn, over <-chan struct{})) string {
	t.Helper()
	listening, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	over := make(chan struct{})
	t.Cleanup(func() {
		close(over)
		_ = listening.Close()
		serving.Wait()
	})
	serving.Go(func() {
		for {
			conn, err := listening.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer func() { _ = conn.Close() }()
				_, _ = fmt.Fprint(conn, `INFO {"server_id":"x","version":"2.10.0","proto":1,"max_payload":1048576,"headers":true}`+"\r\n")
				lines := bufio.NewScanner(conn)
				for lines.Scan() && lines.Text() != "PING" {
				}
				_, _ = fmt.Fprint(conn, "PONG\r\n")
				then(lines, conn, over)
			})
		}
	})
	return "nats://" + listening.Addr().String()
}

// Passwords stand in URLs, and in no log and no error.
func TestCredentialsOpenNATSAndAreNotShown(t *testing.T) {
	nats := testnats.Start(t, func(o *server.Options) { o.Username, o.Password = "letterlock", "hunter2" })
	address := strings.TrimPrefix(nats.URL, "nats://")
	var log lockedBuffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	connect := func(url string) *wakeup.NATS[int] {
		hub, err := wakeup.NewNATS(wakeup.NATSOptions{URL: url, Log: logger}, intCodec{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { hub.Close(t.Context()) })
		return hub
	}
	good := connect("nats://letterlock:hunter2@" + address)
	waitFor(t, "the log of the connection", func() bool { return strings.Contains(log.String(), "connected to NATS") })
	if !good.Stats().Connected {
		t.Error("the right password does not connect")
	}
	bad := connect("nats://letterlock:hunter2-old@" + address)
	if bad.Stats().Connected {
		t.Error("a wrong password connects")
	}
	waitFor(t, "the log of the refusal", func() bool { return strings.Contains(log.String(), "level=WARN") })
	if strings.Contains(log.String(), "hunter2") {
		t.Errorf("the log shows the password: %s", log.String())
	}
}

// A NATS of a private authority is believed where its certificate is given, and nowhere else.
func TestNATSIsCheckedByItsCertificate(t *testing.T) {
	certificate, file := selfSigned(t)
	nats := testnats.Start(t, func(o *server.Options) {
		o.TLS, o.TLSConfig = true, &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	})
	secure := strings.Replace(nats.URL, "nats://", "tls://", 1)
	for _, c := range [][2]string{{nats.URL, file}, {secure, file}, {nats.URL, ""}, {secure, ""}} {
		url, ca := c[0], c[1]
		hub, err := wakeup.NewNATS(wakeup.NATSOptions{URL: url, CA: ca, Log: slog.New(slog.DiscardHandler)}, intCodec{})
		if err != nil {
			t.Fatal(err)
		}
		if hub.Stats().Connected != (ca != "") {
			t.Errorf("%s with certificates %q: connected %v", url, ca, hub.Stats().Connected)
		}
		hub.Close(t.Context())
	}
}

// selfSigned makes a certificate for loopback, and a file with it.
func selfSigned(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}, file
}

func TestWrongOptionsAreRefusedByTheirName(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		options wakeup.NATSOptions
		want    string
	}{
		"scheme":         {wakeup.NATSOptions{URL: "http://u:hunter2@localhost:4222"}, "LETTERLOCK_NATS "},
		"no URL":         {wakeup.NATSOptions{URL: "nats://u:hunter2@%zz"}, "LETTERLOCK_NATS "},
		"one of two":     {wakeup.NATSOptions{URL: "nats://localhost:4222,hunter2"}, "LETTERLOCK_NATS "},
		"port":           {wakeup.NATSOptions{URL: "nats://u:hunter2@localhost:port"}, "LETTERLOCK_NATS "},
		"CA missing":     {wakeup.NATSOptions{URL: "nats://localhost:4222", CA: "/nowhere"}, "LETTERLOCK_NATS_CA"},
		"CA empty":       {wakeup.NATSOptions{URL: "nats://localhost:4222", CA: empty}, "LETTERLOCK_NATS_CA"},
		"creds missing":  {wakeup.NATSOptions{URL: "nats://localhost:4222", Credentials: "/nowhere"}, "LETTERLOCK_NATS_CREDS"},
		"creds no creds": {wakeup.NATSOptions{URL: "nats://localhost:4222", Credentials: empty}, "LETTERLOCK_NATS_CREDS"},
	} {
		t.Run(name, func(t *testing.T) {
			c.options.Log = slog.New(slog.DiscardHandler)
			hub, err := wakeup.NewNATS(c.options, intCodec{})
			if err == nil {
				hub.Close(t.Context())
				t.Fatal("was taken")
			}
			if !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("said %v, want %s", err, c.want)
			}
		})
	}
}

func TestFramesKeepWhatTheyHold(t *testing.T) {
	hints := []wakeup.Hint[int]{
		grown(alice, 1), {Device: alice, Event: wakeup.Grown}, {Device: alice, Event: wakeup.TakenOver, By: 7}, grown(alice, 1<<62),
	}
	read, err := wakeup.ReadFrame(alice, wakeup.AppendFrame(hints, intCodec{}), intCodec{})
	if err != nil || len(read) != len(hints) {
		t.Fatalf("%+v %v", read, err)
	}
	for i := range hints {
		if (read[i].Message == nil) != (hints[i].Message == nil) || read[i].Message != nil && *read[i].Message != *hints[i].Message {
			t.Errorf("hint %d: another message", i)
		}
		if read[i].Message = hints[i].Message; read[i] != hints[i] {
			t.Errorf("hint %d is %+v, want %+v", i, read[i], hints[i])
		}
	}
}

// Whoever can publish can send any bytes: they are read or refused, and say nothing of another device.
func FuzzReadFrame(f *testing.F) {
	random := make([]byte, 64)
	_, _ = rand.Read(random)
	for _, seed := range [][]byte{{}, {1}, {2}, {1, 1, 0, 0}, random,
		wakeup.AppendFrame([]wakeup.Hint[int]{grown(alice, 1), {Event: wakeup.TakenOver, By: 1}}, intCodec{})} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		hints, err := wakeup.ReadFrame(alice, frame, intCodec{})
		if err != nil {
			return
		}
		for _, hint := range hints {
			if hint.Device != alice || hint.Event == wakeup.Removed {
				t.Fatalf("%+v", hint)
			}
		}
		if frame[0] == 1 && len(hints) > len(frame) {
			t.Fatalf("%d hints in %d bytes", len(hints), len(frame))
		}
	})
}

// lockedBuffer takes a log from several goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
