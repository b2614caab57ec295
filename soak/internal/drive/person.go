package drive

import (
	"crypto/rand"
	"sync/atomic"
	"time"

	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/identity"
)

// person is a user. One goroutine changes its list; the others look at its views.
type person struct {
	id      identity.UserID
	key     *cryptobox.SigningKey
	list    *identity.DeviceList
	devices []*device
	// now is what was published last, before is the one before that: what a sender may still believe.
	now, before atomic.Pointer[view]
}

// view is a version of a person's list.
type view struct {
	version uint32
	devices []*device
}

func newPerson() (*person, error) {
	key, err := cryptobox.GenerateSigningKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	p := &person{id: identity.NewUserID(key.PublicKey()), key: key}
	first, err := p.newDevice()
	if err != nil {
		return nil, err
	}
	p.devices = []*device{first}
	p.list, err = p.sign(p.devices)
	return p, err
}

// newDevice makes a device that is on no list yet.
func (p *person) newDevice() (*device, error) {
	key, err := cryptobox.GenerateSigningKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	agreement, err := cryptobox.GenerateAgreementKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	box, err := cryptobox.GenerateBoxKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	entry, err := identity.SignEntry(identity.EntryFields{
		UserID: p.id, AgreementKey: agreement.PublicKey(), Protocols: identity.ProtocolBox,
		CreatedAt: time.Now().UTC().Truncate(time.Microsecond), BoxKey: box.PublicKey(),
	}, key)
	return &device{owner: p, key: key, entry: entry, id: entry.DeviceID().String()}, err
}

// sign makes the next version of the list, by the first device, which is never removed.
func (p *person) sign(devices []*device) (*identity.DeviceList, error) {
	entries := make([]identity.Entry, len(devices))
	for i, d := range devices {
		entries[i] = d.entry
	}
	statement, err := identity.SignDeviceList(p.list, p.key, devices[0].key, entries)
	if err != nil {
		return nil, err
	}
	return identity.ParseDeviceList(statement)
}

// published makes a list that the server has taken the person's.
func (p *person) published(list *identity.DeviceList, devices []*device) {
	p.list, p.devices = list, devices
	p.before.Store(p.now.Load())
	p.now.Store(&view{version: list.Version, devices: devices})
}
