package device

import (
	"bytes"
	"slices"
	"time"

	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/identity"
)

// Bounds of R4 and R2.
const (
	// maxSessions is how many sessions are kept with one peer device.
	maxSessions = 5
	// retired is how long a replaced session still receives, and how long replaced private prekeys and the hashes of accepted
	// preambles are kept: as long as an envelope waits on a server at the most, and five days more.
	retired = 35 * 24 * time.Hour
)

// peerSessions is the record of the sessions with one device of a peer, newest first.
type peerSessions struct {
	Sessions []storedSession
	// ResetAt is when a session was last given up because something did not open.
	ResetAt time.Time `json:",omitzero"`
	// Asked counts what was asked for again since.
	Asked int `json:",omitempty"`
}

// storedSession is one session. Of those that are neither replaced nor of an earlier epoch, the first is sent on.
type storedSession struct {
	State     []byte
	Ephemeral [32]byte  // of the start: what settles crossed starts
	Preamble  [32]byte  // hash of the peer's start; zero if Mine
	Mine      bool      // started on this side
	Epoch     uint64    // see tallies.Epoch
	Replaced  time.Time `json:",omitzero"` // from when on it only receives
}

func sessionsKey(user identity.UserID, device identity.DeviceID) Key {
	return Key{Collection: collectionSession, Owner: user.String() + "/" + device.String()}
}

func (w *work) sessions(user identity.UserID, device identity.DeviceID) (peerSessions, error) {
	var record peerSessions
	_, err := w.get(sessionsKey(user, device), &record)
	return record, err
}

// putSessions keeps the bounds: what was replaced long ago goes, then the oldest beyond maxSessions.
func (w *work) putSessions(user identity.UserID, device identity.DeviceID, record peerSessions) error {
	record.Sessions = slices.DeleteFunc(record.Sessions, func(s storedSession) bool {
		return !s.Replaced.IsZero() && w.Now.Sub(s.Replaced) > retired
	})
	record.Sessions = record.Sessions[:min(len(record.Sessions), maxSessions)]
	return w.put(sessionsKey(user, device), record)
}

// epoch gives the number that sessions must have to be sent on.
func (w *work) epoch() (uint64, error) {
	var all tallies
	_, err := w.get(Key{Collection: collectionTallies}, &all)
	return all.Epoch, err
}

// current gives the place of the session to send on, or -1.
func (p *peerSessions) current(epoch uint64) int {
	return slices.IndexFunc(p.Sessions, func(s storedSession) bool { return s.Replaced.IsZero() && s.Epoch == epoch })
}

// retire makes what is sent on only receive from now on.
func (p *peerSessions) retire(now time.Time) {
	for i := range p.Sessions {
		if p.Sessions[i].Replaced.IsZero() {
			p.Sessions[i].Replaced = now
		}
	}
}

// add puts a session in front and makes it the one to send on.
func (p *peerSessions) add(session storedSession, now time.Time) {
	p.retire(now)
	p.Sessions = slices.Insert(p.Sessions, 0, session)
}

// start says how a session stands to the one that is sent on.
type start int

const (
	newer    start = iota
	outdated       // the counter that was sealed in it shows that it is older than what has come since
	instead        // the peer asks for what it could not open: the one that is sent on does not work
)

// settle takes in a session that the peer has started, whose first message was opened, and decides by R4 which one to
// send on: of two starts that crossed, the one with the smaller ephemeral key; otherwise the newer one, unless it is
// outdated.
func (p *peerSessions) settle(session storedSession, epoch uint64, how start, now time.Time) error {
	at := p.current(epoch)
	wins := how != outdated
	if at >= 0 && p.Sessions[at].Mine && how != instead {
		own, err := cryptobox.ParseSession(p.Sessions[at].State)
		if err != nil {
			return err
		}
		if own.Started() {
			wins = bytes.Compare(session.Ephemeral[:], p.Sessions[at].Ephemeral[:]) < 0
		}
	}
	if wins || at < 0 {
		p.add(session, now)
		return nil
	}
	session.Replaced = now
	p.Sessions = slices.Insert(p.Sessions, at+1, session)
	return nil
}

// member gives one side of a session by its verified list.
func member(userKey identity.SigningPublicKey, entry identity.Entry) cryptobox.Member {
	return cryptobox.Member{UserKey: userKey, Device: entry.DeviceID(), AgreementKey: entry.AgreementKey}
}

func (o *own) member() (cryptobox.Member, error) {
	entry, standing := o.chain.Device(o.Device)
	head := o.chain.Head()
	if standing == identity.Unknown || head == nil {
		return cryptobox.Member{}, errDamaged
	}
	return member(head.UserKey, entry), nil
}

// sealInSession seals for a device on the session with it. It gives nothing if there is none.
func (w *work) sealInSession(user identity.UserID, device identity.DeviceID, plaintext []byte) (*SealedEnvelope, error) {
	record, err := w.sessions(user, device)
	if err != nil {
		return nil, err
	}
	epoch, err := w.epoch()
	if err != nil {
		return nil, err
	}
	at := record.current(epoch)
	if at < 0 {
		return nil, nil //nolint:nilnil // documented: there is no session
	}
	session, err := cryptobox.ParseSession(record.Sessions[at].State)
	if err != nil {
		return nil, err
	}
	defer session.Erase()
	kind := KindSession
	if session.Started() {
		kind = KindSessionStart
	}
	session.Expire(w.Now)
	ciphertext, err := session.Encrypt(w.Rand, plaintext)
	if err != nil {
		return nil, err
	}
	record.Sessions[at].State = session.Marshal()
	if err := w.putSessions(user, device, record); err != nil {
		return nil, err
	}
	return &SealedEnvelope{Device: device, Kind: kind, Ciphertext: ciphertext}, nil
}

// hasSession reports whether there is a session to send on.
func (w *work) hasSession(user identity.UserID, device identity.DeviceID) (bool, error) {
	record, err := w.sessions(user, device)
	if err != nil {
		return false, err
	}
	epoch, err := w.epoch()
	return record.current(epoch) >= 0, err
}
