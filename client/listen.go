package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/letterlock/letterlock/client/internal/api"
	"github.com/letterlock/letterlock/internal/pace"
)

const (
	// firstReturn bounds the wait before the first try to reconnect, longestPause that between two later ones. A server that
	// was restarted has lost all its sockets at one moment, and is to get them back over this time.
	firstReturn  = time.Second
	longestPause = 15 * time.Second
	// flushEvery is how often a Listen looks for messages that another process has queued.
	flushEvery = 20 * time.Second
	// maxPages bounds one Inbox, should the server say for ever that there is more: a hundred envelopes come at a time.
	maxPages = 1000
)

// Listen receives until ctx ends: it hands over what came in before, then whatever comes, live. In between it sends what
// is queued, and reconnects for as long as it takes. It returns
//
//   - ctx's error when ctx has ended, ErrClosed when the client was closed;
//   - handle's error;
//   - ErrListening if another Listen or Inbox of this home is at work, ErrSuperseded if another place with the same
//     keys has begun to listen, ErrDeviceRemoved, ErrClock;
//   - what reading or writing the home failed with.
func (c *Client) Listen(ctx context.Context, handle Handler) error {
	r, release, err := c.receiving(handle)
	if err != nil {
		return err
	}
	defer release()
	ctx, cancel := c.while(ctx)
	defer cancel()
	defer r.acks.finish(ctx)
	pace := pace.New(firstReturn, longestPause)
	for {
		began := time.Now()
		err := r.session(ctx)
		if time.Since(began) > longestPause {
			pace.Reset() // it was a connection worth the name
		}
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		if err = r.recover(ctx, err); err == nil {
			continue
		}
		if !transient(err) && !r.garbled(err) {
			return applicationError(err)
		}
		c.options.Logger.Info("connection lost", "error", err)
		if err := c.wait(ctx, err, after(pace, err)); err != nil {
			return err
		}
	}
}

// garbled reports whether something that is not the server has answered in its place, as a hotel's network does.
func (r *receiver) garbled(err error) bool {
	return r.connected && !ofHandler(err) && errors.Is(err, ErrResponse)
}

// session is one connection, from what waits here to its end.
func (r *receiver) session(ctx context.Context) error {
	c := r.client
	if err := r.handOver(ctx); err != nil {
		return err
	}
	if err := c.ready(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	after, err := c.cursor(ctx)
	if err != nil {
		return err
	}
	socket, err := c.subscribe(ctx, after)
	if err != nil {
		return err
	}
	defer socket.close()
	c.options.Logger.Info("connected")
	r.connected = true
	if after != "" {
		r.acks.upTo(after) // all of it is handed over; the last acknowledgement may have got lost
	}
	return r.serve(ctx, socket)
}

// serve runs the parts of a session side by side until one of them fails.
func (r *receiver) serve(ctx context.Context, socket *socket) error {
	envelopes := make(chan *api.EnvelopeFields, 16)
	group, ctx := errgroup.WithContext(ctx)
	flushed := make(chan struct{}, 1)
	context.AfterFunc(ctx, socket.close)
	group.Go(func() error { return forward(ctx, socket, envelopes) })
	group.Go(func() error {
		for {
			select {
			case envelope := <-envelopes:
				if err := r.take(ctx, envelope); err != nil {
					return err
				}
			case <-flushed: // what is queued may have failed, or raised an alarm
				if err := r.handOver(ctx); err != nil {
					return err
				}
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	})
	group.Go(func() error { r.acks.run(ctx); return nil })
	group.Go(func() error { r.client.keepFlushing(ctx, flushed); return nil })
	return group.Wait()
}

// forward reads from the socket, a few envelopes ahead of the handler.
func forward(ctx context.Context, socket *socket, envelopes chan<- *api.EnvelopeFields) error {
	for {
		envelope, err := socket.next()
		if err != nil {
			return err
		}
		select {
		case envelopes <- envelope:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// keepFlushing sends what is queued, now and again, and says when it has.
func (c *Client) keepFlushing(ctx context.Context, flushed chan<- struct{}) {
	ticker := time.NewTicker(flushEvery)
	defer ticker.Stop()
	for {
		c.tend(ctx) // a connection may last for weeks
		if err := c.flush(ctx, c.options.Patience); err != nil && ctx.Err() == nil {
			c.options.Logger.Info("could not send what is queued", "error", err)
		}
		select {
		case flushed <- struct{}{}:
		default:
		}
		select {
		case <-ticker.C:
		case <-c.queued:
		case <-ctx.Done():
			return
		}
	}
}

// recover does what lets the next session fare better, or gives the error back.
func (r *receiver) recover(ctx context.Context, err error) error {
	c := r.client
	switch {
	case codeOf(err) == "CURSOR_INVALID":
		return c.forgetCursor(ctx, err)
	case refusedToken(err):
		return c.askWhy(ctx)
	default:
		return err
	}
}

// askWhy learns over HTTP, where the answer has a code and the server's time, why a socket's token was refused, and makes
// up for it. A token that HTTP takes is worth another try, in a while.
func (c *Client) askWhy(ctx context.Context) error {
	err := c.authorized(ctx, func(ctx context.Context) error {
		_, err := api.Viewer(ctx, c.private)
		return err
	})
	if err != nil {
		return err
	}
	return &unreachableError{errors.New("the server refused the token on the socket")}
}

// Inbox receives what waits: it hands over what came in before, sends what is queued, then hands over what is in the
// mailbox, and returns. If the server can't be reached it has handed over what was here. It fails like Listen.
func (c *Client) Inbox(ctx context.Context, handle Handler) error {
	r, release, err := c.receiving(handle)
	if err != nil {
		return err
	}
	defer release()
	ctx, cancel := c.while(ctx)
	defer cancel()
	if err := r.handOver(ctx); err != nil {
		return applicationError(err)
	}
	if err := c.flush(ctx, c.options.Patience); unreachable(err) {
		return err
	}
	defer r.acks.finish(ctx)
	defer c.answer(ctx)
	after, err := c.cursor(ctx)
	if err != nil {
		return err
	}
	if after != "" {
		r.acks.upTo(after) // all of it is handed over; the last acknowledgement may have got lost
	}
	for range maxPages {
		var more bool
		err := c.patiently(ctx, c.options.Patience, func() (err error) {
			more, err = r.page(ctx)
			if codeOf(err) == "CURSOR_INVALID" {
				more, err = true, c.forgetCursor(ctx, err)
			}
			return err
		})
		if err != nil || !more {
			return applicationError(err)
		}
	}
	return fmt.Errorf("%w: a mailbox without end", ErrResponse)
}

// answer sends what receiving has put into the outboxes, receipts above all. What fails goes out with the next call.
func (c *Client) answer(ctx context.Context) {
	if err := c.flush(ctx, -1); err != nil {
		c.options.Logger.Info("could not send what is queued", "error", err)
	}
}

// page takes in one page of the mailbox and says whether there is more.
func (r *receiver) page(ctx context.Context) (more bool, err error) {
	c := r.client
	if err := c.ready(ctx); err != nil {
		return false, err
	}
	cursor, err := c.cursor(ctx)
	if err != nil {
		return false, err
	}
	var after *string
	if cursor != "" {
		after = &cursor
	}
	var response *api.MailboxResponse
	err = c.authorized(ctx, func(ctx context.Context) error {
		response, err = api.Mailbox(ctx, c.private, 100, after)
		return err
	})
	if err != nil {
		return false, err
	}
	for i := range response.Mailbox.Nodes {
		if err := r.take(ctx, &response.Mailbox.Nodes[i]); err != nil {
			return false, err
		}
	}
	if err := r.acks.flush(ctx); err != nil {
		c.options.Logger.Info("could not acknowledge", "error", err)
	}
	nodes := response.Mailbox.Nodes
	moved := len(nodes) > 0 && nodes[len(nodes)-1].Cursor != cursor
	return response.Mailbox.PageInfo.HasNextPage && moved, nil
}
