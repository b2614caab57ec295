package rig

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/letterlock/letterlock/internal/testport"
)

// Proxy passes TCP connections on to one address, and hurts them when told to.
type Proxy struct {
	Address string

	to       string
	listener net.Listener
	ended    sync.WaitGroup

	refusing atomic.Bool
	silent   atomic.Bool  // what the far side says is swallowed
	slow     atomic.Int64 // nanoseconds before each piece in either direction
	losing   atomic.Int64 // answers to COMMIT that are still to be lost
	lost     atomic.Int64

	mu    sync.Mutex
	links map[*link]struct{}
	whole chan struct{} // closed when nothing is held back any more; nil while nothing is
}

// link is one connection and its other half.
type link struct {
	near, far net.Conn
	gone      chan struct{}
	once      sync.Once
}

func (l *link) close() {
	l.once.Do(func() {
		close(l.gone)
		_ = l.near.Close()
		_ = l.far.Close()
	})
}

// NewProxy listens on loopback and passes on to an address.
func NewProxy(ctx context.Context, to string) (*Proxy, error) {
	address, err := testport.Free(ctx)
	if err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	p := &Proxy{Address: address, to: to, listener: listener, links: map[*link]struct{}{}}
	p.ended.Go(p.accept)
	return p, nil
}

// Close ends all connections, and waits until nothing of them is left.
func (p *Proxy) Close() error {
	p.refusing.Store(true)
	err := p.listener.Close()
	p.Cut()
	p.ended.Wait()
	return err
}

// Cut closes all connections. New ones are taken.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.close()
	}
}

// Refuse has new connections closed at once, or taken again.
func (p *Proxy) Refuse(on bool) { p.refusing.Store(on) }

// Silence has everything swallowed that comes back, or passed on again. What the other side is told it is still told.
func (p *Proxy) Silence(on bool) { p.silent.Store(on) }

// Part holds everything back in either direction, also that a side has hung up, as where a network falls apart: both sides keep a
// connection on which nothing comes. Afterwards it comes late.
func (p *Proxy) Part(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case on && p.whole == nil:
		p.whole = make(chan struct{})
	case !on && p.whole != nil:
		close(p.whole)
		p.whole = nil
	}
}

// awaitWhole waits while things are held back, as long as a link is there.
func (p *Proxy) awaitWhole(l *link) {
	p.mu.Lock()
	whole := p.whole
	p.mu.Unlock()
	if whole == nil {
		return
	}
	select {
	case <-whole:
	case <-l.gone:
	}
}

// Slow has each piece wait; 0 for not at all.
func (p *Proxy) Slow(by time.Duration) { p.slow.Store(int64(by)) }

// LoseCommits has the next answers to COMMIT lost, with their connections: PostgreSQL has committed, and who asked does not know.
func (p *Proxy) LoseCommits(n int64) { p.losing.Store(n) }

// LostCommits is how many were lost so far.
func (p *Proxy) LostCommits() int64 { return p.lost.Load() }

func (p *Proxy) accept() {
	for {
		near, err := p.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		p.ended.Go(func() { p.pass(near) })
	}
}

func (p *Proxy) pass(near net.Conn) {
	if p.refusing.Load() {
		_ = near.Close()
		return
	}
	far, err := net.DialTimeout("tcp", p.to, time.Second) //nolint:noctx // bounded by its timeout
	if err != nil {
		_ = near.Close()
		return
	}
	l := &link{near: near, far: far, gone: make(chan struct{})}
	p.keep(l)
	defer p.drop(l)
	p.ended.Go(func() { p.copy(l, far, near, nil) })
	p.copy(l, near, far, p.loses)
}

func (p *Proxy) keep(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.links[l] = struct{}{}
	if p.refusing.Load() {
		l.close()
	}
}

func (p *Proxy) drop(l *link) {
	l.close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, l)
}

// copy passes on until either side ends, or lose says that a piece is lost. With lose it is the way back.
func (p *Proxy) copy(l *link, to io.Writer, from io.Reader, lose func([]byte) bool) {
	defer l.close()
	piece := make([]byte, 32<<10)
	for {
		n, err := from.Read(piece)
		p.awaitWhole(l)
		if n > 0 {
			time.Sleep(time.Duration(p.slow.Load()))
			switch {
			case lose != nil && p.silent.Load():
			case lose != nil && lose(piece[:n]):
				return
			default:
				if _, err := to.Write(piece[:n]); err != nil {
					return
				}
			}
		}
		if err != nil {
			return
		}
	}
}

// committed is how PostgreSQL says that it has: CommandComplete with its length and tag.
var committed = []byte("C\x00\x00\x00\x0bCOMMIT\x00")

func (p *Proxy) loses(piece []byte) bool {
	if p.losing.Load() <= 0 || !bytes.Contains(piece, committed) {
		return false
	}
	if p.losing.Add(-1) < 0 {
		return false
	}
	p.lost.Add(1)
	return true
}

// Instead gives a URL with the proxy's address in it.
func (p *Proxy) Instead(address string) string { return strings.ReplaceAll(address, p.to, p.Address) }
