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
	Box       []byte
	UserID    identity.UserID
	CreatedAt time.Time
}

// own is one's own device, ready for use. Call erase when done.
type own struct {
	Self
	signing *cryptobox.SigningKey
	box     *cryptobox.BoxKey
	chain   *identity.Chain
}

func (o *own) erase() {
	o.signing.Erase()
	o.box.Erase()
}

// Create makes a user with a first device: independent random keys (S1.1) and the device list with version 1. It fails
// with ErrHasKeys if there are keys. Register then gives the request that makes them known.
func (h Host) Create() (Step, Self, error) {
	w := h.begin()
	if found, err := w.get(Key{Collection: collectionSelf}, new(keys)); err != nil || found {
		return Step{}, Self{}, errors.Join(err, onlyIf(found, ErrHasKeys))
	}
	user, err := cryptobox.GenerateSigningKey(h.Rand)
	if err != nil {
		return Step{}, Self{}, err
	}
	defer user.Erase()
	signing, agreement, box, err := generateDevice(h)
	if err != nil {
		return Step{}, Self{}, err
	}
	defer signing.Erase()
	defer agreement.Erase()
	defer box.Erase()
	id := identity.NewUserID(user.PublicKey())
	entry, err := identity.SignEntry(identity.EntryFields{
		UserID: id, AgreementKey: agreement.PublicKey(), Protocols: identity.ProtocolBox, CreatedAt: h.Now, BoxKey: box.PublicKey(),
	}, signing)
	if err != nil {
		return Step{}, Self{}, err
	}
	statement, err := identity.SignDeviceList(nil, user, signing, []identity.Entry{entry})
	if err != nil {
		return Step{}, Self{}, err
	}
	if err := w.keepSelf(keys{
		User: user.Seed(), Signing: signing.Seed(), Agreement: agreement.Seed(), Box: box.Seed(), UserID: id, CreatedAt: h.Now,
	}, [][]byte{statement}); err != nil {
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

func generateDevice(h Host) (*cryptobox.SigningKey, *cryptobox.AgreementKey, *cryptobox.BoxKey, error) {
	signing, err := cryptobox.GenerateSigningKey(h.Rand)
	if err != nil {
		return nil, nil, nil, err
	}
	agreement, err := cryptobox.GenerateAgreementKey(h.Rand)
	if err != nil {
		return nil, nil, nil, err
	}
	box, err := cryptobox.GenerateBoxKey(h.Rand)
	return signing, agreement, box, err
}

// Self tells who this device is; ErrNoKeys if nobody yet.
func (h Host) Self() (Self, error) {
	k, err := h.keys()
	if err != nil {
		return Self{}, err
	}
	signing, err := cryptobox.SigningKeyFromSeed(k.Signing)
	if err != nil {
		return Self{}, err
	}
	defer signing.Erase()
	return Self{User: k.UserID, Device: identity.NewDeviceID(signing.PublicKey()), CreatedAt: k.CreatedAt}, nil
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
	signing, err := cryptobox.SigningKeyFromSeed(k.Signing)
	if err != nil {
		return nil, err
	}
	box, err := cryptobox.BoxKeyFromSeed(k.Box)
	if err != nil {
		return nil, err
	}
	self := Self{User: k.UserID, Device: identity.NewDeviceID(signing.PublicKey()), CreatedAt: k.CreatedAt}
	return &own{Self: self, signing: signing, box: box, chain: chain}, nil
}

func onlyIf(condition bool, err error) error {
	if condition {
		return err
	}
	return nil
}
