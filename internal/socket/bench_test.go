//go:build unix

package socket_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/letterlock/letterlock/internal/socket"
)

// The costs of a delivery on an open subscription, client and network of this machine included. The source has the response at
// hand, so that what is measured is the transport.
func BenchmarkDelivery(b *testing.B) {
	for _, burst := range []int{1, 100} {
		b.Run("burst="+strconv.Itoa(burst), func(b *testing.B) {
			r := newRig(b, nil)
			c := dialRaw(b, r.addr)
			c.say(b, `{"id":"1","type":"subscribe","payload":{"query":"`+subscription+`"}}`)
			s := <-r.sources
			s.payload = `{"data":{"messageReceived":"` + strings.Repeat("x", 550) + `"}}`
			b.ReportAllocs()
			before := processTime()
			for b.Loop() {
				s.put(burst)
				for range burst {
					c.skip(b)
				}
			}
			b.ReportMetric(float64(processTime()-before)/float64(b.N*burst), "cpu-ns/delivery")
			b.ReportMetric(float64(b.Elapsed())/float64(b.N*burst), "ns/delivery")
		})
	}
}

// An operation over the socket, from the client's request until it has read that it is complete.
func BenchmarkOperation(b *testing.B) {
	for _, pipelined := range []int{1, 32} {
		b.Run("pipelined="+strconv.Itoa(pipelined), func(b *testing.B) {
			r := newRig(b, nil)
			c := dialRaw(b, r.addr)
			envelope := `{"deviceId":"dabcdefghijklmnopqrstuvwxyz234567","kind":"SESSION","ciphertext":"` + strings.Repeat("x", 400) + `"}`
			variables := `{"input":{"messageId":"0190a3c2-7b1e-7c4e-9d0a-000000000000","recipients":[{"userId":"uabcdefghijklmnopqrstuvwxyz234567","listVersion":1,"envelopes":[` + envelope + `]}]}}`
			request := masked(`{"id":"1","type":"subscribe","payload":{"query":"query Name { name }","operationName":"Name","variables":` + variables + `}}`)
			var batch []byte
			for i := range pipelined {
				one := masked(strings.Replace(string(unmasked(request)), `"id":"1"`, `"id":"`+strconv.Itoa(i)+`"`, 1))
				batch = append(batch, one...)
			}
			b.ReportAllocs()
			before := processTime()
			for b.Loop() {
				c.write(b, batch)
				for range 2 * pipelined {
					c.skip(b)
				}
			}
			b.ReportMetric(float64(processTime()-before)/float64(b.N*pipelined), "cpu-ns/operation")
			b.ReportMetric(float64(b.Elapsed())/float64(b.N*pipelined), "ns/operation")
		})
	}
}

// What an idle subscription costs, after the socket was pinged. The clients are another process.
func BenchmarkIdleSocket(b *testing.B) {
	const sockets = 10_000
	for b.Loop() {
		r := newRig(b, func(o *socket.Options) { o.PingInterval = 5 * time.Second })
		memory, goroutines := inUse()
		resident := residentSize(b)
		hold(b, r.addr, sockets)
		for range sockets {
			<-r.sources
		}
		memoryNow, goroutinesNow := inUse()
		b.ReportMetric(float64(memoryNow-memory)/sockets/1024, "KiB/socket")
		b.ReportMetric(float64(residentSize(b)-resident)/sockets/1024, "resident-KiB/socket")
		b.ReportMetric(float64(goroutinesNow-goroutines)/sockets, "goroutines/socket")
	}
}

// holdSockets is the variable by which this program is told to be the clients of BenchmarkIdleSocket.
const holdSockets = "HOLD_SOCKETS"

// TestMain runs the tests, or holds sockets.
func TestMain(m *testing.M) {
	addr, sockets, ok := strings.Cut(os.Getenv(holdSockets), " ")
	if !ok {
		os.Exit(m.Run())
	}
	n, err := strconv.Atoi(sockets)
	descriptors := make([]int, n)
	for i := range descriptors {
		descriptors[i] = dialDescriptor(addr)
	}
	for _, fd := range descriptors {
		answerPing(fd)
	}
	_, _ = fmt.Println("pinged", err)
	_, _ = io.Copy(io.Discard, os.Stdin) // until the benchmark ends
}

// hold has another process open sockets, each with a subscription, and waits until all were pinged.
func hold(b *testing.B, addr string, sockets int) {
	b.Helper()
	clients := exec.CommandContext(b.Context(), os.Args[0])
	clients.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d", holdSockets, addr, sockets))
	clients.Stderr = os.Stderr
	stdin, err := clients.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := clients.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := clients.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = stdin.Close()
		_ = clients.Wait()
	})
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "pinged <nil>\n" {
		b.Fatalf("the clients said %q, %v", line, err)
	}
}

// processTime gives the CPU time of this process.
func processTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// inUse gives the memory of heap and stacks that is in use, and the goroutines.
func inUse() (bytes, goroutines int) {
	for range 3 { // Stacks shrink by half each time.
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc + m.StackInuse), runtime.NumGoroutine()
}

func residentSize(t testing.TB) int {
	t.Helper()
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip("no /proc here")
	}
	pages, err := strconv.Atoi(strings.Fields(string(statm))[1])
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}

const handshake = "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
	"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"

// raw is a client that reads and writes without allocating.
type raw struct {
	conn net.Conn
	r    *bufio.Reader
}

func dialRaw(t testing.TB, addr string) *raw {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	c := &raw{conn: conn, r: bufio.NewReaderSize(conn, 64<<10)}
	c.write(t, []byte(handshake))
	for line := ""; line != "\r\n"; {
		if line, err = c.r.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	c.say(t, `{"type":"connection_init"}`)
	c.skip(t)
	return c
}

func (c *raw) say(t testing.TB, message string) {
	t.Helper()
	c.write(t, masked(message))
}

func (c *raw) write(t testing.TB, data []byte) {
	if _, err := c.conn.Write(data); err != nil {
		t.Fatal(err)
	}
}

// skip reads one message, and what comes before it.
func (c *raw) skip(t testing.TB) {
	size := 0
	header, err := c.r.Peek(2)
	for ; err == nil && header[0] == 0x89; header, err = c.r.Peek(2) { // a ping
		_, _ = c.r.Discard(2)
	}
	if err == nil {
		switch size = 2 + int(header[1]); header[1] {
		case 126:
			if header, err = c.r.Peek(4); err == nil {
				size = 4 + int(binary.BigEndian.Uint16(header[2:]))
			}
		case 127:
			if header, err = c.r.Peek(10); err == nil {
				size = 10 + int(binary.BigEndian.Uint64(header[2:]))
			}
		}
	}
	if err == nil {
		_, err = c.r.Discard(size)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// masked makes a client's frame, with a mask of zeros.
func masked(message string) []byte {
	frame := []byte{0x81}
	if len(message) < 126 {
		frame = append(frame, 0x80|byte(len(message)))
	} else {
		frame = append(frame, 0x80|126)
		frame = binary.BigEndian.AppendUint16(frame, uint16(len(message)))
	}
	frame = append(frame, 0, 0, 0, 0)
	return append(frame, message...)
}

// unmasked gives the message of a frame of medium size.
func unmasked(frame []byte) []byte { return frame[8:] }

// dialDescriptor opens a socket with a subscription and keeps nothing of it but the file descriptor.
func dialDescriptor(addr string) int {
	to := must(net.ResolveTCPAddr("tcp4", addr))
	fd := must(syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0))
	must(0, syscall.Connect(fd, &syscall.SockaddrInet4{Port: to.Port, Addr: [4]byte(to.IP.To4())}))
	must(syscall.Write(fd, []byte(handshake)))
	var answer []byte
	for one := make([]byte, 1); !strings.HasSuffix(string(answer), "\r\n\r\n"); answer = append(answer, one...) {
		must(syscall.Read(fd, one))
	}
	must(syscall.Write(fd, masked(`{"type":"connection_init"}`)))
	must(io.ReadFull(descriptor(fd), make([]byte, 2+len(`{"type":"connection_ack"}`))))
	must(syscall.Write(fd, masked(`{"id":"1","type":"subscribe","payload":{"query":"`+subscription+`"}}`)))
	return fd
}

func answerPing(fd int) {
	ping := make([]byte, 2)
	if must(io.ReadFull(descriptor(fd), ping)); ping[0] != 0x89 {
		panic(fmt.Sprintf("%x is not a ping", ping))
	}
	must(syscall.Write(fd, []byte{0x8a, 0x80, 0, 0, 0, 0}))
}

func must[T any](result T, err error) T {
	if err != nil {
		panic(err)
	}
	return result
}

// descriptor reads from a file descriptor.
type descriptor int

// Read reads.
func (d descriptor) Read(p []byte) (int, error) { return syscall.Read(int(d), p) }
