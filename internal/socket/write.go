package socket

import (
	"context"
	"errors"
	"os"
	"time"
)

// errStuck is a write that made no progress in time. The connection is at the end of it; the peer may still come back.
var errStuck = errors.New("the client takes nothing")

// push queues frames, and takes b over. c.mu is held. Nothing follows a close frame.
func (c *conn) push(b *buffer) {
	if c.closing {
		c.sockets.buffers.put(b)
		return
	}
	c.sockets.traffic.queued.Add(int64(len(b.data)))
	if !c.queue.push(b) {
		c.sockets.buffers.put(b)
	}
}

// hasRoom reports whether more may be queued, or will never be written. c.mu is held.
func (c *conn) hasRoom() bool { return c.queue.bytes < maxQueued || c.closing }

// startFlush is flush for those who must not wait for a write.
func (c *conn) startFlush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.writing && !c.queue.empty() {
		c.working.Add(1)
		go func() {
			defer c.working.Done()
			c.flush()
		}()
	}
}

// flush writes until nothing is queued, unless somebody does so already.
func (c *conn) flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.writing {
		return
	}
	c.writing = true
	for !c.queue.empty() {
		b := c.queue.take()
		c.mu.Unlock()
		rest, err := c.write(b.data)
		c.mu.Lock()
		c.queue.bytes -= len(b.data)
		c.sockets.traffic.queued.Add(-int64(len(b.data)))
		if err != nil {
			c.writeFailed(b.data, rest, err)
		}
		c.sockets.buffers.put(b)
		c.goOn()
	}
	c.writing = false
	if c.closing {
		_ = c.network.SetReadDeadline(time.Now().Add(grace))
	}
	c.notify()
}

// goOn has those go on who wait for room, or ends all if none will be heard any more. c.mu is held.
func (c *conn) goOn() {
	c.notify()
	if !c.closing {
		c.unpark()
		return
	}
	c.mu.Unlock()
	c.dropAll()
	c.mu.Lock()
}

// write writes, for as long as that makes progress, and gives what is left.
func (c *conn) write(data []byte) (rest []byte, err error) {
	timeout := c.sockets.options.WriteTimeout
	for len(data) > 0 {
		// Setting a deadline costs as much as a small write. It is put off only now and then.
		if now := time.Now(); c.writeBy.Sub(now) < timeout {
			c.writeBy = now.Add(timeout * 5 / 4)
			_ = c.network.SetWriteDeadline(c.writeBy)
		}
		n, err := c.network.Write(data[:min(len(data), c.piece)])
		data = data[n:]
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded) && n > 0:
		case errors.Is(err, os.ErrDeadlineExceeded):
			return data, errStuck
		case err != nil:
			return data, err
		}
	}
	return nil, nil
}

// writeFailed gives the connection up. A client that has taken nothing for too long may only have slept: what waits is dropped,
// and when it takes the rest of the frame that it has begun it is told to come back.
func (c *conn) writeFailed(data, rest []byte, err error) {
	stuck := errors.Is(err, errStuck) && !c.closing
	for !c.queue.empty() {
		c.sockets.buffers.put(c.queue.take())
	}
	c.sockets.traffic.queued.Add(-int64(c.queue.bytes))
	c.queue = queue{}
	if !stuck {
		c.closing = true
		c.cut()
		return
	}
	c.sockets.traffic.slow.Add(1)
	b := c.sockets.buffers.get()
	b.data = append(b.data, restOfFrame(data, len(data)-len(rest))...)
	c.push(b)
	c.close(closeFrame(CloseTryLater, "the client reads too slowly: connect again"))
}

// await blocks until ok, which is asked under c.mu, or until ctx ends.
func (c *conn) await(ctx context.Context, ok func() bool) {
	for {
		c.mu.Lock()
		if ok() {
			c.mu.Unlock()
			return
		}
		if c.changed == nil {
			c.changed = make(chan struct{})
		}
		changed := c.changed
		c.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// notify wakes those who wait in await. c.mu is held.
func (c *conn) notify() {
	if c.changed != nil {
		close(c.changed)
		c.changed = nil
	}
}
