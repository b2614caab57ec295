//go:build js && wasm

package main

import (
	"errors"
	"syscall/js"
)

// errStoreFull: the browser gives no more room.
var errStoreFull = errors.New("the browser has no more room for Letterlock; free some and try again: nothing was changed")

// errStore: the browser's database failed.
var errStore = errors.New("the browser's database failed; nothing was changed")

// jsStore is the worker's store. One call is under way at a time, so that one pair of callbacks is enough.
type jsStore struct {
	object         js.Value
	fulfil, reject js.Func
	outcome        chan outcome
}

type outcome struct {
	value js.Value
	err   error
}

func newStore(object js.Value) *jsStore {
	s := &jsStore{object: object, outcome: make(chan outcome, 1)}
	s.fulfil = js.FuncOf(func(_ js.Value, args []js.Value) any {
		s.outcome <- outcome{value: args[0]}
		return nil
	})
	s.reject = js.FuncOf(func(_ js.Value, args []js.Value) any {
		s.outcome <- outcome{err: readable(args[0])}
		return nil
	})
	return s
}

// wait calls a method and waits for the end of its promise.
func (s *jsStore) wait(method string, args ...any) (js.Value, error) {
	s.object.Call(method, args...).Call("then", s.fulfil, s.reject)
	o := <-s.outcome
	return o.value, o.err
}

// readable names what a user can do something about. What the browser says stays out: nothing is known of it.
func readable(reason js.Value) error {
	if reason.Type() == js.TypeObject && reason.Get("name").String() == "QuotaExceededError" {
		return errStoreFull
	}
	return errStore
}
