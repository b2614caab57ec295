//go:build js && wasm

package main

import (
	"errors"
	"syscall/js"
)

// maxQueue is how many calls may wait.
const maxQueue = 10_000

var errBusy = errors.New("too many calls wait already")

// later is what a call gives that is not done yet: it is called again after the calls that wait.
type later func() (any, error)

// job is a call that waits, with what is told of its end.
type job struct {
	do   later
	done js.Value
}

// queue holds the calls that wait. Only one goroutine runs at a time here, and none is interrupted.
type queue struct {
	urgent []job // what somebody waits for on the other side
	jobs   []job
	wake   chan struct{}
}

// urgent reports whether a call of the core's comes before what only reads for the screen. Their order among each other stays: setDraft is
// one of them so that no text becomes a draft again after it was composed.
func urgent(method string) bool {
	switch method {
	case "compose", "nextSend", "receive", "setDraft":
		return true
	default:
		return false
	}
}

// queued gives a JavaScript function that takes the arguments of do and, as its last one, what is to be called with its error
// and its result.
func (c *core) queued(do func([]js.Value) (any, error)) js.Func {
	return js.FuncOf(func(_ js.Value, args []js.Value) any {
		done := args[len(args)-1]
		if len(c.queue.jobs)+len(c.queue.urgent) >= maxQueue {
			answer(done, nil, errBusy)
			return nil
		}
		c.queue.add(job{do: func() (any, error) { return do(args) }, done: done}, args[0].Type() == js.TypeString && urgent(args[0].String()))
		return nil
	})
}

func (q *queue) add(j job, urgent bool) {
	if urgent {
		q.urgent = append(q.urgent, j)
	} else {
		q.jobs = append(q.jobs, j)
	}
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func (q *queue) next() (next job, ok bool) {
	from := &q.jobs
	if len(q.urgent) > 0 {
		from = &q.urgent
	}
	if len(*from) == 0 {
		return job{}, false
	}
	next = (*from)[0]
	*from = (*from)[1:]
	return next, true
}

// run does the calls for ever, the urgent ones first.
func (c *core) run() {
	for range c.queue.wake {
		for {
			next, ok := c.queue.next()
			if !ok {
				break
			}
			result, err := next.do()
			if again, ok := result.(later); ok && err == nil {
				c.queue.add(job{do: again, done: next.done}, false)
				c.breathe()
				continue
			}
			answer(next.done, result, err)
		}
	}
}

// answer tells a call's end: JSON text or bytes, or an error.
func answer(done js.Value, result any, err error) {
	if err != nil {
		done.Invoke(map[string]any{"code": codeOf(err), "message": err.Error()}, js.Null())
		return
	}
	if bytes, ok := result.([]byte); ok {
		result = toJS(bytes)
	}
	done.Invoke(js.Null(), result)
}
