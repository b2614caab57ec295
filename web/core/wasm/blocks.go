//go:build js && wasm

package main

import (
	"github.com/letterlock/letterlock/device"
)

// blockedView is a user from whom nothing is taken.
type blockedView struct {
	User string `json:"user"`
	At   int64  `json:"at"`
}

func blocked(c *core, _ none) (any, error) {
	found, err := c.host().Blocked()
	views := make([]blockedView, len(found))
	for i, one := range found {
		views[i] = blockedView{User: one.User.String(), At: millis(one.At)}
	}
	return views, err
}

// blocksView is what the server is to be told.
type blocksView struct {
	Users   []string `json:"users"`
	Version uint64   `json:"version"`
}

func blocksToSet(c *core, _ none) (any, error) {
	request, err := c.host().BlocksToSet()
	if err != nil || request == nil {
		return nil, err
	}
	view := blocksView{Users: make([]string, len(request.Users)), Version: request.Version}
	for i, user := range request.Users {
		view.Users[i] = user.String()
	}
	return view, nil
}

func block(c *core, p struct{ User userParam }) (device.Step, any, error) {
	step, err := c.host().Block(p.User.UserID)
	return step, nil, err
}

func unblock(c *core, p struct{ User userParam }) (device.Step, any, error) {
	step, err := c.host().Unblock(p.User.UserID)
	return step, nil, err
}

func blockedSet(c *core, p struct{ Version uint64 }) (device.Step, any, error) {
	step, err := c.host().BlockedSet(p.Version)
	return step, nil, err
}
