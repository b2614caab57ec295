package mailbox

import (
	"sync/atomic"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/letterlock/letterlock/identity"
)

// knownMost bounds the mailboxes that are remembered: some 20 MB when all are in use.
const knownMost = 1 << 16

// known remembers what the writers saw of mailboxes last. It may be out of date: plans are made of it, and the store checks
// them. What never changes is the id of a device's mailbox, and its user.
type known struct {
	mailboxes *lru.Cache[identity.DeviceID, *knownMailbox]
	// store is the epoch, 0 while it is not known.
	store atomic.Int64
}

// knownMailbox is replaced when its list moves on, or it begins or ceases to block somebody.
type knownMailbox struct {
	id       int64
	user     identity.UserID
	version  uint32
	blocking bool
	waiting  atomic.Int64
	// The ids as the database has them.
	userText, deviceText string
}

func newKnown() *known {
	cache, err := lru.New[identity.DeviceID, *knownMailbox](knownMost)
	if err != nil {
		panic(err) // the size is positive
	}
	return &known{mailboxes: cache}
}

func (k *known) epoch() (int64, bool) {
	epoch := k.store.Load()
	return epoch, epoch != 0
}

func (k *known) get(device identity.DeviceID) *knownMailbox {
	m, _ := k.mailboxes.Get(device)
	return m
}

// learn takes over what a batch has found under lock of the mailboxes that it asked for, and what it has made of it.
func (k *known) learn(asked []identity.DeviceID, found *claimed) {
	k.store.Store(found.epoch)
	for _, device := range asked {
		if found.mailboxes[device] == nil {
			k.mailboxes.Remove(device) // deleted with its user
		}
	}
	for device, row := range found.mailboxes {
		if row.closed {
			k.mailboxes.Remove(device)
			continue
		}
		m := k.get(device)
		if m == nil || m.version != row.listVersion || m.blocking != row.blocking {
			m = &knownMailbox{
				id: row.id, user: row.user, version: row.listVersion, blocking: row.blocking, userText: row.user.String(), deviceText: device.String(),
			}
			k.mailboxes.Add(device, m)
		}
		m.waiting.Store(row.count)
	}
}

// forget drops what is remembered of devices.
func (k *known) forget(devices []identity.DeviceID) {
	for _, device := range devices {
		k.mailboxes.Remove(device)
	}
}

// recount takes over how much waits after a plan.
func (p *plan) recount() {
	for _, row := range p.rows {
		row.known.waiting.Store(row.waiting)
	}
}
