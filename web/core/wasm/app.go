//go:build js && wasm

package main

import (
	"encoding/json"
	"errors"
	"slices"

	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/device"
	"github.com/letterlock/letterlock/identity"
)

// The host's own records, beside the device's.
const (
	draftCollection   device.Collection = "app-draft"   // owner: user; the text
	draftsCollection  device.Collection = "app-drafts"  // the users with a draft, as JSON
	settingCollection device.Collection = "app-setting" // owner: name; JSON
)

const (
	maxDrafts      = 1000
	maxSetting     = 16 << 10
	maxSettingName = 64
)

var (
	errDrafts  = errors.New("there are 1,000 drafts; send or clear one first")
	errSetting = errors.New("a setting has a name of 1 to 64 bytes and at most 16 KiB of JSON")
)

func draftKey(peer identity.UserID) device.Key {
	return device.Key{Collection: draftCollection, Owner: peer.String()}
}

// setDraft keeps a text that was not sent; an empty one forgets it.
func setDraft(c *core, p struct {
	Peer userParam
	Text string
},
) (device.Step, any, error) {
	if len(p.Text) > cryptobox.MaxTextSize {
		return device.Step{}, nil, device.ErrTextTooLong
	}
	before, err := c.records.Get(draftKey(p.Peer.UserID))
	if err != nil || string(before) == p.Text {
		return device.Step{}, nil, err
	}
	if p.Text == "" {
		step, err := c.dropDraft(p.Peer.UserID)
		return step, nil, err
	}
	step := device.Step{Writes: []device.Write{{Key: draftKey(p.Peer.UserID), Value: []byte(p.Text)}}}
	if before != nil {
		return step, nil, nil
	}
	peers, err := c.drafts()
	if err == nil && len(peers) >= maxDrafts {
		err = errDrafts
	}
	if err != nil {
		return device.Step{}, nil, err
	}
	listed, err := listDrafts(append(peers, p.Peer.UserID))
	step.Writes = append(step.Writes, listed)
	return step, nil, err
}

func (c *core) dropDraft(peer identity.UserID) (device.Step, error) {
	peers, err := c.drafts()
	if err != nil {
		return device.Step{}, err
	}
	listed, err := listDrafts(slices.DeleteFunc(peers, func(p identity.UserID) bool { return p == peer }))
	return device.Step{Writes: []device.Write{{Key: draftKey(peer)}, listed}}, err
}

// drafts gives the users with a draft.
func (c *core) drafts() (peers []identity.UserID, err error) {
	raw, err := c.records.Get(device.Key{Collection: draftsCollection})
	if err != nil || raw == nil {
		return nil, err
	}
	return peers, json.Unmarshal(raw, &peers)
}

func listDrafts(peers []identity.UserID) (device.Write, error) {
	raw, err := json.Marshal(peers)
	return device.Write{Key: device.Key{Collection: draftsCollection}, Value: raw}, err
}

// setSetting keeps a value of the program's; nothing, or null, forgets it.
func setSetting(_ *core, p struct {
	Name  string
	Value json.RawMessage
},
) (device.Step, any, error) {
	if p.Name == "" || len(p.Name) > maxSettingName || len(p.Value) > maxSetting {
		return device.Step{}, nil, errSetting
	}
	write := device.Write{Key: device.Key{Collection: settingCollection, Owner: p.Name}}
	if len(p.Value) > 0 && string(p.Value) != "null" {
		write.Value = p.Value
	}
	return device.Step{Writes: []device.Write{write}}, nil, nil
}

func getSetting(c *core, p struct{ Name string }) (any, error) {
	raw, err := c.records.Get(device.Key{Collection: settingCollection, Owner: p.Name})
	if err != nil || raw == nil {
		return nil, err
	}
	return json.RawMessage(raw), nil
}
