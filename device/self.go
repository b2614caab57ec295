package device

import (
	"errors"
	"fmt"
	"time"

	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/identity"
)

// Errors of a device about itself.
var (
	// ErrNoKeys: the records hold no device yet; see Create.
	ErrNoKeys = errors.New("no keys have been made here yet")
	// ErrHasKeys: the records hold a device already.
	ErrHasKeys = errors.New("keys have been made here before")
)

// Self is what a device may tell about itself.
type Self struct {
	User      identity.UserID
	Device    identity.DeviceID
	CreatedAt time.Time
}

// keys is the record of one's own private keys, as seeds.
type keys struct {
	User      []byte `json:",omitempty"` // only on devices that may change the list (S5)
	Signing   []byte
	Agreement []byte
	Box       []byte `json:",omitempty"` // only of a device that takes boxes
	UserID    identity.UserID
	Device    identity.DeviceID `json:",omitzero"` // of Signing; earlier releases have left it out
	CreatedAt time.Time
}

// own is one's own device, ready for use. Call erase when done. Its keys are made of their seeds when they are first needed:
// a message in a session needs none of them, and making them takes longer than opening it.
type own struct {
	Self
	seeds     keys
	signing   *cryptobox.SigningKey
	agreement *cryptobox.AgreementKey
	box       *cryptobox.BoxKey
	chain     *identity.Chain
}

func (o *own) signingKey() (_ *cryptobox.SigningKey, err error) {
	if o.signing == nil {
		o.signing, err = cryptobox.SigningKeyFromSeed(o.seeds.Signing)
	}
	return o.signing, err
}

func (o *own) agreementKey() (_ *cryptobox.AgreementKey, err error) {
	if o.agreement == nil {
		o.agreement, err = cryptobox.AgreementKeyFromSeed(o.seeds.Agreement)
	}
	return o.agreement, err
}

// boxKey gives nil if the device has none.
func (o *own) boxKey() (_ *cryptobox.BoxKey, err error) {
	if o.box == nil && o.hasBox() {
		o.box, err = cryptobox.BoxKeyFromSeed(o.seeds.Box)
	}
	return o.box, err
}

func (o *own) hasBox() bool { return len(o.seeds.Box) > 0 }

func (o *own) erase() {
	if o.signing != nil {
		o.signing.Erase()
	}
	if o.agreement != nil {
		o.agreement.Erase()
	}
	if o.box != nil {
		o.box.Erase()
	}
}

// Create makes a user with a first device that accepts these protocols: independent random keys (S1.1) and the device list
// with version 1. It fails with ErrHasKeys if there are keys. Register then gives the request that makes them known.
//
// Sessions are how devices talk; ProtocolBox alone is for those who have to talk with clients that know only boxes (B3).
func (h Host) Create(protocols identity.Protocols) (Step, Self, error) {
	w := h.begin()
	if found, err := w.get(Key{Collection: collectionSelf}, new(keys)); err != nil || found {
		return Step{}, Self{}, errors.Join(err, onlyIf(found, ErrHasKeys))
	}
	user, err := cryptobox.GenerateSigningKey(h.Rand)
	if err != nil {
		return Step{}, Self{}, err
	}
	defer user.Erase()
	made, err := generateDevice(h, protocols)
	if err != nil {
		return Step{}, Self{}, err
	}
	defer made.erase()
	id := identity.NewUserID(user.PublicKey())
	entry, err := made.entry(id, protocols, h.Now)
	if err != nil {
		return Step{}, Self{}, err
	}
	statement, err := identity.SignDeviceList(nil, user, made.signing, []identity.Entry{entry})
	if err != nil {
		return Step{}, Self{}, err
	}
	k := made.keys(id, h.Now)
	k.User = user.Seed()
	if err := w.keepSelf(k, [][]byte{statement}); err != nil {
		return Step{}, Self{}, err
	}
	return w.step, Self{User: id, Device: entry.DeviceID(), CreatedAt: h.Now}, nil
}

func (w *work) keepSelf(k keys, statements [][]byte) error {
	if err := w.put(Key{Collection: collectionSelf}, k); err != nil {
		return err
	}
	return w.put(chainKey(k.UserID), chainRecord{Statements: statements})
}

// generateDevice makes the keys of a device; the box key only for one that accepts boxes.
func generateDevice(h Host, protocols identity.Protocols) (made own, err error) {
	if made.signing, err = cryptobox.GenerateSigningKey(h.Rand); err != nil {
		return own{}, err
	}
	if made.agreement, err = cryptobox.GenerateAgreementKey(h.Rand); err != nil {
		return own{}, err
	}
	made.seeds = keys{Signing: made.signing.Seed(), Agreement: made.agreement.Seed()}
	made.seeds.Device = identity.NewDeviceID(made.signing.PublicKey())
	if !protocols.Has(identity.ProtocolBox) {
		return made, nil
	}
	if made.box, err = cryptobox.GenerateBoxKey(h.Rand); err != nil {
		return own{}, err
	}
	made.seeds.Box = made.box.Seed()
	return made, nil
}

// entry signs what the device says of itself (S4).
func (o *own) entry(user identity.UserID, protocols identity.Protocols, now time.Time) (identity.Entry, error) {
	signing, err := o.signingKey()
	if err != nil {
		return identity.Entry{}, err
	}
	agreement, err := o.agreementKey()
	if err != nil {
		return identity.Entry{}, err
	}
	box, err := o.boxKey()
	if err != nil {
		return identity.Entry{}, err
	}
	fields := identity.EntryFields{UserID: user, AgreementKey: agreement.PublicKey(), Protocols: protocols, CreatedAt: now}
	if box != nil {
		fields.BoxKey = box.PublicKey()
	}
	return identity.SignEntry(fields, signing)
}

// keys gives the device's seeds for the record.
func (o *own) keys(user identity.UserID, now time.Time) keys {
	k := o.seeds
	k.UserID, k.CreatedAt = user, now
	return k
}

// Self tells who this device is; ErrNoKeys if nobody yet.
func (h Host) Self() (Self, error) {
	k, err := h.keys()
	if err != nil {
		return Self{}, err
	}
	return k.self()
}

func (k *keys) self() (Self, error) {
	if k.Device == (identity.DeviceID{}) {
		signing, err := cryptobox.SigningKeyFromSeed(k.Signing)
		if err != nil {
			return Self{}, err
		}
		defer signing.Erase()
		k.Device = identity.NewDeviceID(signing.PublicKey())
	}
	return Self{User: k.UserID, Device: k.Device, CreatedAt: k.CreatedAt}, nil
}

// TakesSessions reports whether this device takes sessions: then it has prekeys to look after, and boxes are refused (B3).
func (h Host) TakesSessions() (bool, error) {
	self, err := h.own()
	if err != nil {
		return false, err
	}
	defer self.erase()
	entry, _ := self.chain.Device(self.Device)
	return entry.Protocols.Has(identity.ProtocolSession), nil
}

// Token signs a device token for the host's server (S6), good from now for less than ten minutes. now is the host's
// clock corrected by what is known of the server's (S6.7).
func (h Host) Token(now time.Time) (string, error) {
	k, err := h.keys()
	if err != nil {
		return "", err
	}
	signing, err := cryptobox.SigningKeyFromSeed(k.Signing)
	if err != nil {
		return "", err
	}
	defer signing.Erase()
	return identity.NewToken(signing, k.UserID, h.Server, now)
}

// serverRecord is what is kept of one server.
type serverRecord struct {
	Registered bool
	Cursor     string // of the last envelope that a record holds
	// Accepted counts the envelopes that the server has taken, as far as is known here; see CheckAccepted.
	Accepted uint64 `json:",omitempty"`
	Counted  bool   `json:",omitempty"` // Accepted has been compared with the server's count before
	// Blocked is the version of the blocked users that the server has.
	Blocked uint64 `json:",omitempty"`
}

func (h Host) serverKey() Key { return Key{Collection: collectionServer, Owner: h.Server} }

// Register gives the request to register this device at the host's server, or nothing if that was done.
func (h Host) Register() (Step, error) {
	var server serverRecord
	if _, err := h.read(h.serverKey(), &server); err != nil || server.Registered {
		return Step{}, err
	}
	registration, err := h.Registration()
	if err != nil {
		return Step{}, err
	}
	return Step{Requests: []Request{registration}}, nil
}

// Registration gives what registers this device, whether that was done or not.
func (h Host) Registration() (*Register, error) {
	k, err := h.keys()
	if err != nil {
		return nil, err
	}
	chain, err := h.chain(k.UserID)
	if err != nil {
		return nil, err
	}
	head := chain.Head()
	if head == nil {
		return nil, fmt.Errorf("own chain: %w", errDamaged)
	}
	return &Register{UserKey: head.UserKey[:], DeviceList: chain.Statements()[0]}, nil
}

// Registered records whether the host's server knows this device: true once it has taken the registration, false if it
// turns out to have lost it.
func (h Host) Registered(known bool) (Step, error) {
	w := h.begin()
	var server serverRecord
	if _, err := w.get(h.serverKey(), &server); err != nil || server.Registered == known {
		return Step{}, err
	}
	server.Registered = known
	if !known {
		server.Blocked = 0
	}
	return w.done(w.put(h.serverKey(), server))
}

// Cursor gives the position behind which the host's server has something new, or "" for its beginning.
func (h Host) Cursor() (string, error) {
	var server serverRecord
	_, err := h.read(h.serverKey(), &server)
	return server.Cursor, err
}

// ForgetCursor makes the next subscription start at the beginning, after CURSOR_INVALID. What comes twice is dropped.
func (h Host) ForgetCursor() (Step, error) {
	w := h.begin()
	return w.done(w.moveCursor(""))
}

func (w *work) moveCursor(cursor string) error {
	var server serverRecord
	if _, err := w.get(w.serverKey(), &server); err != nil {
		return err
	}
	server.Cursor = cursor
	return w.put(w.serverKey(), server)
}

func (h Host) keys() (keys, error) {
	var k keys
	found, err := h.read(Key{Collection: collectionSelf}, &k)
	if err == nil && !found {
		err = ErrNoKeys
	}
	return k, err
}

func (h Host) own() (*own, error) {
	k, err := h.keys()
	if err != nil {
		return nil, err
	}
	chain, err := h.chain(k.UserID)
	if err != nil {
		return nil, err
	}
	self, err := k.self()
	if err != nil {
		return nil, err
	}
	return &own{Self: self, seeds: k, chain: chain}, nil
}

func onlyIf(condition bool, err error) error {
	if condition {
		return err
	}
	return nil
}
