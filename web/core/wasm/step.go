//go:build js && wasm

package main

import (
	"strings"

	"github.com/letterlock/letterlock/device"
)

// stepResult is what a step answers, after its writes are durable.
type stepResult struct {
	Value    any          `json:"value,omitempty"`
	Requests []any        `json:"requests"`
	Notices  []noticeView `json:"notices"`
	Queued   bool         `json:"queued"`
	Change   *changeView  `json:"change"`
}

// changeView says what may be read anew.
type changeView struct {
	Conversations []string `json:"conversations"`
	Contacts      bool     `json:"contacts"`
	Devices       bool     `json:"devices"`
	Trust         []string `json:"trust"`
	Settings      bool     `json:"settings"`
}

// finish commits a step. Nothing of it is told if that fails.
func (c *core) finish(step device.Step, value any) (any, error) {
	if err := c.records.commit(step.Writes); err != nil {
		return nil, err
	}
	if after, ok := value.(later); ok { // what can be read only now
		var err error
		if value, err = after(); err != nil {
			return nil, err
		}
	}
	result := stepResult{
		Value: value, Requests: requestViews(step.Requests), Notices: noticeViews(step.Notices), Queued: step.Queued,
	}
	if len(step.Writes) > 0 {
		result.Change = c.changed(step.Writes)
	}
	return result, nil
}

// changed tells what writes may have changed for who looks at it; nil for nothing.
func (c *core) changed(writes []device.Write) *changeView {
	var (
		change = changeView{Conversations: []string{}, Trust: []string{}}
		told   bool
	)
	for _, write := range writes {
		owner, _, _ := strings.Cut(write.Key.Owner, "/")
		switch write.Key.Collection {
		case "history", "conversation", "sent", draftCollection:
			change.Conversations = include(change.Conversations, owner)
		case "contacts", "blocked":
			change.Contacts = true
		case "chain":
			if owner != c.user() {
				continue
			}
			change.Devices = true
		case "trust", "alarm":
			change.Trust = include(change.Trust, owner)
		case "settings", settingCollection:
			change.Settings = true
		default:
			continue
		}
		told = true
	}
	if !told {
		return nil
	}
	return &change
}

func include(list []string, name string) []string {
	for _, known := range list {
		if known == name {
			return list
		}
	}
	return append(list, name)
}

// user gives one's own user id, or "".
func (c *core) user() string {
	self, err := c.host().Self()
	if err != nil {
		return ""
	}
	return self.User.String()
}
