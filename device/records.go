package device

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Collection names a kind of record.
type Collection string

// The collections. Owner and Number of a [Key] are empty where nothing is said of them.
const (
	collectionSelf          Collection = "self"           // own keys
	collectionTallies       Collection = "tallies"        // the last numbers of the device's own lists
	collectionChain         Collection = "chain"          // owner: user; a verified chain of device lists
	collectionAlarm         Collection = "alarm"          // owner: user; the last alarm
	collectionContacts      Collection = "contacts"       // local names of users
	collectionBlocked       Collection = "blocked"        // users from whom nothing is taken
	collectionTrust         Collection = "trust"          // owner: user; verified, and what waits to be accepted
	collectionConversation  Collection = "conversation"   // owner: user; last numbers and the sending counter
	collectionConversations Collection = "conversations"  // number: order of first message; the users written with
	collectionHistory       Collection = "history"        // owner: user; number: order; messages
	collectionOutbox        Collection = "outbox"         // owner: user; number: order; messages on their way
	collectionOutboxes      Collection = "outboxes"       // the users with something in their outbox
	collectionSequence      Collection = "sequence"       // owner: user and device; which counters have come (C1.2)
	collectionAccepted      Collection = "accepted"       // owner: device and message id (B2.2)
	collectionNotices       Collection = "notices"        // number: order; not yet handed over
	collectionRefusals      Collection = "refusals"       // number: order; the last refused envelopes
	collectionServer        Collection = "server"         // owner: origin; registration, cursor, count of what it took
	collectionSession       Collection = "session"        // owner: user and device; sessions with it
	collectionPrekey        Collection = "prekey"         // owner: kind; number; own private prekeys (R2)
	collectionPrekeyNumbers Collection = "prekey-numbers" // the last numbers of own prekeys
	collectionPreamble      Collection = "preamble"       // number: day; accepted starts of sessions (R2)
	collectionSeenPrekeys   Collection = "seen-prekeys"   // owner: user and device; the highest numbers seen (R2)
	collectionSent          Collection = "sent"           // owner: user and message id; where a message stands in the history
	collectionSettings      Collection = "settings"       // receipts
	collectionLink          Collection = "link"           // owner: side; a link that has not ended (L1.9)
)

// Key names a record. Owner is at most 400 bytes.
type Key struct {
	Collection Collection
	Owner      string
	Number     uint64
}

// Record is a record with its number.
type Record struct {
	Number uint64
	Value  []byte
}

// Records is a read view of a device's records, the same for the whole of a step.
type Records interface {
	// Get gives the value of a record, or nil if there is none.
	Get(Key) ([]byte, error)
	// List gives the records of a collection and owner with numbers above after, in ascending order, at most limit.
	List(collection Collection, owner string, after uint64, limit int) ([]Record, error)
}

// Write is a record to write. A nil Value deletes.
type Write struct {
	Key   Key
	Value []byte
}

// recordVersion is the version of the values that this release writes.
const recordVersion = 1

// ErrRecordVersion: the records were written by a newer release.
var ErrRecordVersion = errors.New("the records were written by a newer release of Letterlock")

// versioned is how every value is encoded, as JSON.
type versioned struct {
	Version int             `json:"v"`
	Data    json.RawMessage `json:"d"`
}

func encode(value any) ([]byte, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	return json.Marshal(versioned{Version: recordVersion, Data: data})
}

func decode(raw []byte, value any) error {
	var outer versioned
	if err := json.Unmarshal(raw, &outer); err != nil {
		return fmt.Errorf("record is damaged: %w", err)
	}
	if outer.Version > recordVersion {
		return ErrRecordVersion
	}
	if err := json.Unmarshal(outer.Data, value); err != nil {
		return fmt.Errorf("record is damaged: %w", err)
	}
	return nil
}

// work is a step in the making: it sees its own writes.
type work struct {
	Host
	step Step
}

func (h Host) begin() *work { return &work{Host: h} }

// done ends a step: what failed has no writes.
func (w *work) done(err error) (Step, error) {
	if err != nil {
		return Step{}, err
	}
	return w.step, nil
}

// get reads a record into value and says whether there is one.
func (w *work) get(key Key, value any) (bool, error) {
	for _, write := range slices.Backward(w.step.Writes) {
		if write.Key == key {
			if write.Value == nil {
				return false, nil
			}
			return true, decode(write.Value, value)
		}
	}
	return w.read(key, value)
}

func (h Host) read(key Key, value any) (bool, error) {
	raw, err := h.Records.Get(key)
	if err != nil || raw == nil {
		return false, err
	}
	return true, decode(raw, value)
}

func (w *work) put(key Key, value any) error {
	raw, err := encode(value)
	if err != nil {
		return err
	}
	w.write(Write{Key: key, Value: raw})
	return nil
}

func (w *work) delete(key Key) { w.write(Write{Key: key}) }

func (w *work) write(write Write) {
	for i := range w.step.Writes {
		if w.step.Writes[i].Key == write.Key {
			w.step.Writes[i] = write
			return
		}
	}
	w.step.Writes = append(w.step.Writes, write)
}

// tallies are the last numbers that the device's own lists have given out.
type tallies struct {
	Conversations uint64
	Notices       uint64
	Refusals      uint64
	// Epoch counts how often this device has found its own records to be older than what it has sent (R3). Sessions of an
	// earlier one only receive.
	Epoch uint64 `json:",omitempty"`
}

// next gives out the next number of the list that pick points at.
func (w *work) next(pick func(*tallies) *uint64) (uint64, error) {
	var all tallies
	key := Key{Collection: collectionTallies}
	if _, err := w.get(key, &all); err != nil {
		return 0, err
	}
	number := pick(&all)
	*number++
	return *number, w.put(key, all)
}
