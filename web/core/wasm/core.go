//go:build js && wasm

package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"syscall/js"
	"time"

	"github.com/letterlock/letterlock/device"
	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/vault"
)

// maxPassphrase bounds a passphrase, in bytes.
const maxPassphrase = 1024

var (
	errLocked   = errors.New("nothing is open: create, join or unlock first")
	errBadCall  = errors.New("no such call, or with other parameters")
	errOtherKey = errors.New("the key does not open these records: they are of another profile, or damaged")
)

// checkRecord is written when a store is made, to tell a wrong key from a damaged record.
var checkRecord = device.Key{Collection: "store"}

const checkValue = "letterlock"

// core is the device and the calls that wait for it.
type core struct {
	queue   queue
	store   *jsStore
	records *records // nil until a key has opened them
	server  string
	chains  device.ChainCache
	unread  unreadCounts
}

func newCore(store js.Value) *core {
	return &core{store: newStore(store), queue: queue{wake: make(chan struct{}, 1)}, unread: make(unreadCounts)}
}

// make gives a new store key, wrapped under the passphrase if there is one.
func (c *core) make(passphrase string) (any, error) {
	if len(passphrase) > maxPassphrase {
		return nil, errBadCall
	}
	return marshalKey(vault.NewKey([]byte(passphrase)))
}

// change gives the same store key under another passphrase.
func (c *core) change(key js.Value, current, passphrase string) (any, error) {
	if len(passphrase) > maxPassphrase || len(current) > maxPassphrase {
		return nil, errBadCall
	}
	old, err := vault.ParseKey(fromJS(key))
	if err != nil {
		return nil, err
	}
	defer old.Erase()
	return marshalKey(old.Change([]byte(current), []byte(passphrase)))
}

func marshalKey(key vault.Key, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	defer key.Erase()
	return key.Text()
}

// open opens the records with a store key, for talking with this server.
func (c *core) open(key js.Value, passphrase, server string) (any, error) {
	if len(passphrase) > maxPassphrase {
		return nil, vault.ErrPassphrase
	}
	origin, err := identity.Origin(server)
	if err != nil {
		return nil, err
	}
	parsed, err := vault.ParseKey(fromJS(key))
	if err != nil {
		return nil, err
	}
	defer parsed.Erase()
	storeKey, err := parsed.Open([]byte(passphrase))
	if err != nil {
		return nil, err
	}
	defer clear(storeKey)
	cipher, err := vault.NewCipher(storeKey)
	if err != nil {
		return nil, err
	}
	opened := newRecords(c.store, cipher)
	if err := opened.check(); err != nil {
		return nil, err
	}
	c.records, c.server = opened, origin
	return "null", nil
}

// check makes sure that the key is the one that the records were made with.
func (r *records) check() error {
	value, err := r.Get(checkRecord)
	switch {
	case errors.Is(err, vault.ErrDamaged) || err == nil && value != nil && string(value) != checkValue:
		return errOtherKey
	case err != nil || value != nil:
		return err
	}
	return r.commit([]device.Write{{Key: checkRecord, Value: []byte(checkValue)}})
}

// host lends a step what it needs.
func (c *core) host() device.Host {
	return device.Host{Records: c.records, Now: time.Now().UTC(), Rand: rand.Reader, Server: c.server, Chains: &c.chains}
}

// call does what JavaScript asks for and gives the answer as JSON.
func (c *core) call(method, params string) (any, error) {
	if c.records == nil {
		return nil, errLocked
	}
	do, ok := methods()[method]
	if !ok {
		return nil, errBadCall
	}
	result, err := do(c, []byte(params))
	if err != nil {
		return nil, err
	}
	return toText(result)
}

// toText encodes a result, now or once there is one.
func toText(result any) (any, error) {
	if again, ok := result.(later); ok {
		return later(func() (any, error) {
			next, err := again()
			if err != nil {
				return nil, err
			}
			return toText(next)
		}), nil
	}
	text, err := json.Marshal(result)
	return string(text), err
}

// breathe lets calls come in that have arrived meanwhile.
func (c *core) breathe() {
	_, _ = c.store.wait("breathe")
}
