package device

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/letterlock/letterlock/identity"
)

var errDamaged = errors.New("record is damaged")

// chainRecord is a chain that was verified when it was written, and is verified again when it is read, unless this process has done so (ChainCache).
type chainRecord struct {
	Statements [][]byte
	// Removed tells when this device learnt that another one was removed (C4).
	Removed map[identity.DeviceID]time.Time `json:",omitempty"`
}

func chainKey(user identity.UserID) Key {
	return Key{Collection: collectionChain, Owner: user.String()}
}

func (h Host) chainRecord(user identity.UserID) (chainRecord, *identity.Chain, error) {
	var record chainRecord
	if _, err := h.read(chainKey(user), &record); err != nil {
		return record, nil, err
	}
	chain, err := h.Chains.parse(user, record.Statements)
	if err != nil {
		return record, nil, fmt.Errorf("own records of %s: %w", user, err)
	}
	return record, chain, nil
}

// chain gives what is held of a user's device lists; empty if nothing is.
func (h Host) chain(user identity.UserID) (*identity.Chain, error) {
	_, chain, err := h.chainRecord(user)
	return chain, err
}

// UserAnswer is what the server said to FetchUser.
type UserAnswer struct {
	User identity.UserID
	// Since is the version after which the lists were asked for, as FetchUser has it.
	Since uint32
	// Found is false if the server says that there is no such user.
	Found bool
	// Version is the version that the server calls the newest.
	Version uint32
	// Statements are the lists after the version that was asked for, oldest first.
	Statements [][]byte
}

// Fetched verifies what the server says of a user's devices (S3, S4) and adds it to what is held. If it can't be true,
// nothing is added and the alarm says why; the step records and shows it, unless it has done so before. The step asks
// for the rest if the server has more. It asks again if the answer falls short of what is held, but was not asked with that: of
// two askers the one who was answered first may come last.
func (h Host) Fetched(answer UserAnswer) (Step, *Alarm, error) {
	w := h.begin()
	record, chain, err := w.chainRecord(answer.User)
	if err != nil {
		return Step{}, nil, err
	}
	held := chain.Version()
	if answer.endsBelow(held) && answer.Since < held {
		return Step{Requests: []Request{&FetchUser{User: answer.User, Since: held}}}, nil, nil
	}
	if reason, statement := extend(chain, answer); reason != "" {
		alarm := &Alarm{User: answer.User, Reason: reason, Version: held, Evidence: statement, At: h.Now}
		step, err := w.done(w.raise(alarm))
		return step, alarm, err
	}
	if chain.Version() == held {
		return Step{}, nil, nil
	}
	record.Statements = chain.Statements()
	record.learnRemoved(chain, h.Now)
	if chain.Version() < answer.Version {
		w.step.Requests = append(w.step.Requests, &FetchUser{User: answer.User, Since: chain.Version()})
	}
	step, err := w.done(w.put(chainKey(answer.User), record))
	return step, nil, err
}

// endsBelow is whether the server shows less than is held.
func (a UserAnswer) endsBelow(held uint32) bool {
	return held > 0 && (!a.Found || a.Version < held)
}

// extend adds the answer to the chain, or says what it must be refused for, and over which statement.
func extend(chain *identity.Chain, answer UserAnswer) (AlarmReason, []byte) {
	if answer.endsBelow(chain.Version()) {
		return Rollback, nil // S3.5
	}
	for _, statement := range answer.Statements {
		err := chain.Extend(statement)
		switch {
		case err == nil || errors.Is(err, identity.ErrListOlder): // two fetches may overlap
		case errors.Is(err, identity.ErrEquivocation):
			return Equivocation, statement
		default:
			return ForgedList, statement
		}
	}
	if answer.Found && chain.Version() == 0 {
		return ForgedList, nil // a user without a list
	}
	return "", nil
}

// learnRemoved notes when a device that was listed is no longer, for C4; also one that came and went in one answer.
func (r *chainRecord) learnRemoved(chain *identity.Chain, now time.Time) {
	for _, statement := range r.Statements {
		list, err := identity.ParseDeviceList(statement)
		if err != nil {
			continue // ParseChain has accepted it
		}
		for _, entry := range list.Entries {
			r.learnIfRemoved(chain, entry.DeviceID(), now)
		}
	}
}

func (r *chainRecord) learnIfRemoved(chain *identity.Chain, device identity.DeviceID, now time.Time) {
	if _, standing := chain.Device(device); standing != identity.Removed {
		return
	}
	if _, known := r.Removed[device]; known {
		return
	}
	if r.Removed == nil {
		r.Removed = make(map[identity.DeviceID]time.Time)
	}
	r.Removed[device] = now
}

// raise records an alarm and shows it, unless the last one for this user says the same.
func (w *work) raise(alarm *Alarm) error {
	key := Key{Collection: collectionAlarm, Owner: alarm.User.String()}
	var last Alarm
	found, err := w.get(key, &last)
	if err != nil {
		return err
	}
	if found && last.Reason == alarm.Reason && last.Version == alarm.Version && bytes.Equal(last.Evidence, alarm.Evidence) {
		return nil
	}
	if err := w.put(key, alarm); err != nil {
		return err
	}
	return w.show(Notice{Alarm: alarm})
}

// LastAlarm gives the last alarm that was raised about a user, or nil.
func (h Host) LastAlarm(user identity.UserID) (*Alarm, error) {
	var alarm Alarm
	found, err := h.read(Key{Collection: collectionAlarm, Owner: user.String()}, &alarm)
	if err != nil || !found {
		return nil, err
	}
	return &alarm, nil
}
