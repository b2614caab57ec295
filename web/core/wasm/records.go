//go:build js && wasm

package main

import (
	"errors"
	"syscall/js"

	"github.com/letterlock/letterlock/device"
	"github.com/letterlock/letterlock/internal/vault"
)

const (
	// maxNumber is the last number that JavaScript tells from the next.
	maxNumber = 1<<53 - 1
	// maxCached is how many bytes of opened records are kept.
	maxCached = 4 << 20
)

var errNumber = errors.New("number out of range")

// records is device.Records over the worker's store. Nobody else writes there while this program runs: the worker holds the
// lock. So what was read or written once is kept, until a commit fails.
type records struct {
	store  *jsStore
	cipher *vault.Cipher
	cached map[device.Key][]byte
	size   int
	staged map[device.Key][]byte // written by steps that are committed with later ones; nil values delete
}

func newRecords(store *jsStore, cipher *vault.Cipher) *records {
	return &records{store: store, cipher: cipher, cached: make(map[device.Key][]byte)}
}

// Get gives the value of a record, or nil if there is none.
func (r *records) Get(key device.Key) ([]byte, error) {
	if key.Number > maxNumber {
		return nil, errNumber
	}
	if value, staged := r.staged[key]; staged {
		return value, nil
	}
	if value, known := r.cached[key]; known {
		return value, nil
	}
	scope := r.cipher.Scope(key.Collection, key.Owner)
	sealed, err := r.store.wait("get", toJS(scope), float64(key.Number))
	if err != nil {
		return nil, err
	}
	if sealed.IsUndefined() {
		r.keep(key, nil)
		return nil, nil
	}
	value, err := r.cipher.Open(scope, key.Number, fromJS(sealed))
	if err == nil {
		r.keep(key, value)
	}
	return value, err
}

// List gives the records of a collection and owner with numbers above after, in ascending order, at most limit.
func (r *records) List(collection device.Collection, owner string, after uint64, limit int) ([]device.Record, error) {
	if after >= maxNumber || limit <= 0 {
		return nil, nil
	}
	staged := r.stagedOf(collection, owner, after)
	stored, err := r.listStored(collection, owner, after, limit+len(staged))
	if err != nil || len(staged) == 0 {
		return stored, err
	}
	var list []device.Record
	for _, record := range stored {
		if _, changed := staged[record.Number]; !changed {
			list = append(list, record)
		}
	}
	for number, value := range staged {
		if value != nil {
			list = inserted(list, device.Record{Number: number, Value: value})
		}
	}
	return list[:min(limit, len(list))], nil
}

// inserted puts a record in its place; most come last.
func inserted(list []device.Record, record device.Record) []device.Record {
	list = append(list, record)
	for i := len(list) - 1; i > 0 && list[i-1].Number > record.Number; i-- {
		list[i-1], list[i] = list[i], list[i-1]
	}
	return list
}

func (r *records) stagedOf(collection device.Collection, owner string, after uint64) map[uint64][]byte {
	found := make(map[uint64][]byte)
	for key, value := range r.staged {
		if key.Collection == collection && key.Owner == owner && key.Number > after {
			found[key.Number] = value
		}
	}
	return found
}

func (r *records) listStored(collection device.Collection, owner string, after uint64, limit int) ([]device.Record, error) {
	scope := r.cipher.Scope(collection, owner)
	found, err := r.store.wait("list", toJS(scope), float64(after), limit)
	if err != nil {
		return nil, err
	}
	numbers, values := found.Get("numbers"), found.Get("values")
	list := make([]device.Record, numbers.Length())
	for i := range list {
		list[i].Number = uint64(numbers.Index(i).Float())
		if list[i].Value, err = r.cipher.Open(scope, list[i].Number, fromJS(values.Index(i))); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// stage lets the steps that follow see writes that are committed together with theirs.
func (r *records) stage(writes []device.Write) {
	if r.staged == nil {
		r.staged = make(map[device.Key][]byte)
	}
	for _, write := range writes {
		r.staged[write.Key] = write.Value
	}
}

// commit makes writes durable, all or none.
func (r *records) commit(writes []device.Write) error {
	if len(writes) == 0 {
		return nil
	}
	identity := false
	list := js.Global().Get("Array").New()
	for _, write := range writes {
		if write.Key.Number > maxNumber {
			return errNumber
		}
		identity = identity || write.Key == device.Key{Collection: "self"}
		scope := r.cipher.Scope(write.Key.Collection, write.Key.Owner)
		value := js.Null()
		if write.Value != nil {
			sealed, err := r.cipher.Seal(scope, write.Key.Number, write.Value)
			if err != nil {
				return err
			}
			value = toJS(sealed)
		}
		list.Call("push", []any{toJS(scope), float64(write.Key.Number), value})
	}
	if _, err := r.store.wait("commit", list, identity); err != nil {
		r.forget()
		return err
	}
	for _, write := range writes {
		r.keep(write.Key, write.Value)
	}
	return nil
}

// keep remembers a record. When there is no more room everything makes room.
func (r *records) keep(key device.Key, value []byte) {
	r.size += len(value) - len(r.cached[key])
	if r.size > maxCached || len(r.cached) > maxCached/256 {
		r.forget()
		r.size = len(value)
	}
	r.cached[key] = value
}

func (r *records) forget() {
	for _, value := range r.cached {
		clear(value)
	}
	clear(r.cached)
	r.size = 0
}
