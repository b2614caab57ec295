//go:build js && wasm

package main

import (
	"syscall/js"
)

func main() {
	global := js.Global()
	store := global.Get("letterlockStore")
	global.Delete("letterlockStore")
	c := newCore(store)
	store.Call("ready", js.ValueOf(map[string]any{
		"call":   c.queued(func(args []js.Value) (any, error) { return c.call(args[0].String(), args[1].String()) }),
		"make":   c.queued(func(args []js.Value) (any, error) { return c.make(args[0].String()) }),
		"open":   c.queued(func(args []js.Value) (any, error) { return c.open(args[0], args[1].String(), args[2].String()) }),
		"change": c.queued(func(args []js.Value) (any, error) { return c.change(args[0], args[1].String(), args[2].String()) }),
	}))
	c.run()
}
