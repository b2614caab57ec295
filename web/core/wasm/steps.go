//go:build js && wasm

package main

import (
	"github.com/letterlock/letterlock/device"
	"github.com/letterlock/letterlock/identity"
)

func create(c *core, _ none) (device.Step, any, error) {
	step, self, err := c.host().Create(identity.ProtocolSession)
	return step, selfView{
		User: self.User.String(), Device: self.Device.String(), CreatedAt: millis(self.CreatedAt), Manages: true,
	}, err
}

func registered(c *core, p struct{ Known bool }) (device.Step, any, error) {
	step, err := c.host().Registered(p.Known)
	return step, nil, err
}

// alarmValue is what fetched and claimed answer.
type alarmValue struct {
	Alarm *alarmView `json:"alarm,omitempty"`
}

type fetchedParams struct {
	User   userParam
	Answer struct {
		Since       uint32
		Known       bool
		ListVersion uint32
		Statements  []encoded
	}
}

func fetched(c *core, p fetchedParams) (device.Step, any, error) {
	step, alarm, err := c.host().Fetched(device.UserAnswer{
		User: p.User.UserID, Since: p.Answer.Since, Found: p.Answer.Known, Version: p.Answer.ListVersion, Statements: decodedAll(p.Answer.Statements),
	})
	return step, alarmValue{viewAlarm(alarm)}, err
}

type claimedParams struct {
	User userParam
	Sets []struct {
		DeviceID string
		Signed   encoded
		OneTime  encoded
		KEM      encoded
	}
}

func claimed(c *core, p claimedParams) (device.Step, any, error) {
	var sets []device.PrekeySet
	for _, set := range p.Sets {
		id, err := identity.ParseDeviceID(set.DeviceID)
		if err != nil {
			continue // what is no device has no session
		}
		sets = append(sets, device.PrekeySet{Device: id, Signed: set.Signed, OneTime: set.OneTime, KEM: set.KEM})
	}
	step, alarm, err := c.host().Claimed(p.User.UserID, sets)
	return step, alarmValue{viewAlarm(alarm)}, err
}

type prekeysParams struct {
	Held struct {
		OneTime, KEMOneTime               int
		SignedNumber, KEMLastResortNumber *uint32
	}
}

func prekeys(c *core, p prekeysParams) (device.Step, any, error) {
	number := func(n *uint32) uint32 {
		if n == nil {
			return 0
		}
		return *n
	}
	step, err := c.host().Prekeys(device.PrekeyCount{
		OneTime: p.Held.OneTime, KEMOneTime: p.Held.KEMOneTime,
		Signed: number(p.Held.SignedNumber), KEMLastResort: number(p.Held.KEMLastResortNumber),
	})
	return step, nil, err
}

func checkAccepted(c *core, p struct{ Accepted uint64 }) (device.Step, any, error) {
	rolledBack, step, err := c.host().CheckAccepted(p.Accepted)
	return step, map[string]bool{"rolledBack": rolledBack}, err
}

func compose(c *core, p struct {
	Peer userParam
	Text string
},
) (device.Step, any, error) {
	step, message, err := c.host().Compose(p.Peer.UserID, p.Text)
	if err != nil {
		return device.Step{}, nil, err
	}
	// What was sent is no draft any more: one commit, so that no crash leaves it to be sent twice.
	draft, err := c.records.Get(draftKey(p.Peer.UserID))
	if err == nil && draft != nil {
		var drop device.Step
		drop, err = c.dropDraft(p.Peer.UserID)
		step.Writes = append(step.Writes, drop.Writes...)
	}
	return step, viewMessage(message), err
}

func nextSend(c *core, p struct {
	Peer    userParam
	Claimed []userParam
},
) (device.Step, any, error) {
	step, err := c.host().NextSend(p.Peer.UserID, userIDs(p.Claimed)...)
	return step, nil, err
}

type acceptedParams struct {
	Token   tokenView
	Receipt struct {
		AcceptedAt float64
		Full       []string
	}
}

func accepted(c *core, p acceptedParams) (device.Step, any, error) {
	request, err := p.Token.request()
	if err != nil {
		return device.Step{}, nil, err
	}
	receipt := device.Receipt{AcceptedAt: fromMillis(p.Receipt.AcceptedAt)}
	for _, text := range p.Receipt.Full {
		if id, err := identity.ParseDeviceID(text); err == nil {
			receipt.Full = append(receipt.Full, id)
		}
	}
	step, err := c.host().Accepted(request, receipt)
	return step, nil, err
}

func declined(c *core, p struct {
	Token   tokenView
	Refused string
},
) (device.Step, any, error) {
	request, err := p.Token.request()
	if err != nil {
		return device.Step{}, nil, err
	}
	refused, ok := map[string]device.Refused{
		"list-changed": device.RefusedListChanged, "expired": device.RefusedExpired,
		"recipient": device.RefusedRecipient, "for-good": device.RefusedForGood,
	}[p.Refused]
	if !ok {
		return device.Step{}, nil, errBadCall
	}
	step, err := c.host().Declined(request, refused)
	return step, nil, err
}

func giveUp(c *core, p struct {
	Peer   userParam
	Reason device.FailureReason
},
) (device.Step, any, error) {
	switch p.Reason {
	case device.RecipientUnknown, device.ListRefused, device.PrekeysRefused:
	default:
		return device.Step{}, nil, errBadCall
	}
	step, err := c.host().GiveUp(p.Peer.UserID, p.Reason)
	return step, nil, err
}

func markRead(c *core, p struct {
	Peer userParam
	UpTo uint64
},
) (device.Step, any, error) {
	step, err := c.host().MarkRead(p.Peer.UserID, p.UpTo)
	return step, nil, err
}

type contactParams struct {
	Name string
	User userParam
}

func (p contactParams) contact() device.Contact {
	return device.Contact{Name: p.Name, User: p.User.UserID}
}

func addContact(c *core, p contactParams) (device.Step, any, error) {
	step, err := c.host().AddContact(p.contact())
	return step, nil, err
}

func replaceContact(c *core, p contactParams) (device.Step, any, error) {
	step, err := c.host().ReplaceContact(p.contact())
	return step, nil, err
}

func removeContact(c *core, p struct{ Name string }) (device.Step, any, error) {
	step, err := c.host().RemoveContact(p.Name)
	return step, nil, err
}

func accept(c *core, p struct{ User userParam }) (device.Step, any, error) {
	step, err := c.host().AcceptContact(p.User.UserID)
	return step, nil, err
}

func verify(c *core, p struct {
	User  userParam
	Shown string
},
) (device.Step, any, error) {
	step, err := c.host().Verify(p.User.UserID, p.Shown)
	return step, nil, err
}

func unverify(c *core, p struct{ User userParam }) (device.Step, any, error) {
	step, err := c.host().Unverify(p.User.UserID)
	return step, nil, err
}

func setReceipts(c *core, p struct{ Delivered, Read bool }) (device.Step, any, error) {
	step, err := c.host().SetReceipts(p.Delivered, p.Read)
	return step, nil, err
}

func removeDevice(c *core, p struct{ Device deviceParam }) (device.Step, any, error) {
	step, err := c.host().RemoveDevice(p.Device.DeviceID)
	return step, nil, err
}
