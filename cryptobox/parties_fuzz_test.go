package cryptobox_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/letterlock/letterlock/cryptobox"
)

// parcel is an envelope that the server holds, for ever.
type parcel struct {
	from, to int
	start    bool
	bytes    []byte
	text     string
}

// held is a session, and the hash of the preamble that it was accepted with; none if it was started here.
type held struct {
	*cryptobox.Session
	preamble [32]byte
}

// parties are several devices that write to each other through a server that a fuzzer plays.
type parties struct {
	*testing.T
	peers    []*peer
	sessions map[[2]int][]held // of the first with the second, newest first; none is ever forgotten
	parcels  []parcel
	opened   map[string]bool // by recipient and text
}

// FuzzSessionParties: each pair of bytes is a step of somebody. What opens was sealed for that device by that peer, and opens once.
func FuzzSessionParties(f *testing.F) {
	peers := []*peer{newPeer(f), newPeer(f), newPeer(f)}
	f.Add([]byte{0, 1, 0x20, 0, 0, 3, 0x21, 1, 0, 1, 0x22, 2})                         // start, deliver, answer, deliver
	f.Add([]byte{0, 1, 0, 3, 0x20, 0, 0x20, 1, 0, 1, 0, 3, 0x20, 2, 0x20, 3})          // crossed starts
	f.Add([]byte{0, 1, 0, 1, 0, 1, 0x20, 2, 0x20, 1, 0x20, 0, 0x20, 0})                // reorder and replay
	f.Add([]byte{0, 1, 0x40, 0, 0x20, 0, 0x60, 0, 0x80, 0, 0xa0, 5, 0, 2, 0x20, 1})    // damage, redirect, restore, a new session
	f.Add([]byte{0, 1, 0x20, 0, 0, 3, 0x20, 1, 0, 1, 0x20, 2, 0, 3, 0x20, 3, 0xc0, 1}) // turns
	f.Fuzz(func(t *testing.T, script []byte) {
		p := &parties{
			T: t, peers: peers, sessions: map[[2]int][]held{}, opened: map[string]bool{},
		}
		for script = script[:min(len(script), 200)]; len(script) > 1; script = script[2:] {
			p.step(script[0]>>5, int(script[1]))
		}
	})
}

// step: 0 sends, 1 delivers, 2 delivers damaged, 3 delivers to somebody else, 4 delivers as another's, 5 starts anew, 6 crashes.
func (p *parties) step(what byte, which int) {
	from, to := which/len(p.peers)%len(p.peers), which%len(p.peers)
	switch {
	case what == 0 && from != to:
		p.send(from, to)
	case what == 5 && from != to:
		p.hold([2]int{from, to}, held{Session: p.begin(from, to)})
	case what == 6:
		p.crash([2]int{from, to})
	case what >= 1 && what <= 4 && len(p.parcels) > 0:
		p.deliver(what, p.parcels[which%len(p.parcels)], which)
	}
}

func (p *parties) hold(pair [2]int, session held) {
	p.sessions[pair] = append([]held{session}, p.sessions[pair]...)
}

func (p *parties) begin(from, to int) *cryptobox.Session {
	a, b := p.peers[from], p.peers[to]
	return must(cryptobox.StartSession(nil, a.agreement, a.Member, b.Member, b.bundle))
}

func (p *parties) send(from, to int) {
	pair := [2]int{from, to}
	if len(p.sessions[pair]) == 0 {
		p.hold(pair, held{Session: p.begin(from, to)})
	}
	session := p.sessions[pair][0]
	text := fmt.Sprintf("%d to %d, %d", from, to, len(p.parcels))
	started := session.Started()
	sealed, err := session.Encrypt(nil, []byte(text))
	if err != nil {
		p.Fatal(err)
	}
	p.parcels = append(p.parcels, parcel{from, to, started, sealed, text})
}

func (p *parties) crash(pair [2]int) {
	for i, session := range p.sessions[pair] {
		p.sessions[pair][i].Session = must(cryptobox.ParseSession(session.Marshal()))
	}
}

func (p *parties) deliver(what byte, it parcel, which int) {
	honest := what == 1
	switch what {
	case 2:
		it.bytes = bytes.Clone(it.bytes)
		it.bytes[which*7%len(it.bytes)] ^= 1 << (which % 8)
	case 3:
		it.to = (it.to + 1 + which%2) % len(p.peers)
	case 4:
		it.from = (it.from + 1 + which%2) % len(p.peers)
	}
	plaintext, err := p.open(it)
	if err != nil {
		if !isSessionError(err) && !errors.Is(err, errNoSession) || plaintext != nil {
			p.Fatalf("an error of no class: %v", err)
		}
		return
	}
	key := fmt.Sprint(it.to, " ", it.text)
	if !honest || string(plaintext) != it.text || p.opened[key] {
		p.Fatalf("opened %q, honest %v, again %v", plaintext, honest, p.opened[key])
	}
	p.opened[key] = true
}

var errNoSession = errors.New("there is no session")

// open is what a device does: with what it holds, or by accepting a start that it has not accepted before.
func (p *parties) open(it parcel) ([]byte, error) {
	pair := [2]int{it.to, it.from}
	message := it.bytes
	var preamble *cryptobox.Preamble
	if it.start {
		var err error
		if preamble, message, err = cryptobox.ParseStart(it.bytes); err != nil {
			return nil, err
		}
	}
	for _, session := range p.sessions[pair] {
		if preamble != nil && session.preamble != preamble.Hash() {
			continue // R1.10
		}
		before := session.Marshal()
		plaintext, err := session.Decrypt(nil, sentAt, message)
		if err == nil {
			return plaintext, nil
		}
		if !bytes.Equal(before, session.Marshal()) {
			p.Fatalf("what was refused has changed the session: %v", err)
		}
		if preamble != nil {
			return nil, err // R2.5: no second session of one preamble
		}
	}
	if preamble == nil {
		return nil, errNoSession
	}
	return p.accept(pair, preamble, message)
}

func (p *parties) accept(pair [2]int, preamble *cryptobox.Preamble, message []byte) ([]byte, error) {
	self, peer := p.peers[pair[0]], p.peers[pair[1]]
	private := self.private
	if preamble.OneTime == 0 {
		private.OneTime = nil
	}
	session, err := cryptobox.AcceptSession(self.agreement, self.Member, peer.Member, preamble, private)
	if err != nil {
		return nil, err
	}
	plaintext, err := session.Decrypt(nil, sentAt, message)
	if err != nil {
		return nil, err
	}
	p.hold(pair, held{session, preamble.Hash()})
	return plaintext, nil
}
