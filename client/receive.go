package client

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/letterlock/letterlock/client/internal/api"
	"github.com/letterlock/letterlock/client/internal/store"
	"github.com/letterlock/letterlock/device"
)

// Handler is given what came in, one after the other. When it returns nil the application has the notice: it is not handed
// over again, and the server may forget the envelope. If it fails, Listen or Inbox ends with that error, and the next one
// hands the notice over again. So a Handler sees each notice once, or once more after a crash in its midst.
type Handler func(ctx context.Context, notice Notice) error

// maxCursor bounds the server's cursors.
const maxCursor = 1024

// receiver takes envelopes in and hands notices over.
type receiver struct {
	client *Client
	handle Handler
	acks   *acknowledger
	// connected is set once the server has shown that it is one.
	connected bool
}

// receiving makes sure that there is one receiver for a home.
func (c *Client) receiving(handle Handler) (*receiver, func(), error) {
	unlock, ok, err := store.Lock(c.options.Home, "receive")
	if err != nil {
		return nil, nil, err
	}
	if !ok {
		return nil, nil, ErrListening
	}
	release := func() {
		if err := unlock(); err != nil {
			c.options.Logger.Warn("could not unlock", "error", err)
		}
	}
	return &receiver{client: c, handle: handle, acks: newAcknowledger(c)}, release, nil
}

// take makes records of an envelope and hands over what that gives. After an error the envelope comes again.
func (r *receiver) take(ctx context.Context, fields *api.EnvelopeFields) error {
	if fields.Cursor == "" || len(fields.Cursor) > maxCursor {
		return fmt.Errorf("%w: a cursor of %d bytes", ErrResponse, len(fields.Cursor))
	}
	envelope := device.Envelope{
		ID: fields.Id, Cursor: fields.Cursor, MessageID: fields.MessageId, SenderUser: fields.SenderUserId,
		SenderDevice: fields.SenderDeviceId, Kind: device.Kind(fields.Kind), Ciphertext: fields.Ciphertext, Nonce: fields.Nonce,
	}
	var asked []UserID
	for {
		step, err := r.client.step(ctx, func(h device.Host) (device.Step, error) { return h.Receive(envelope, asked...) })
		if err != nil {
			return err
		}
		more, err := r.perform(ctx, step.Requests)
		if err != nil {
			return err
		}
		if len(more) == 0 {
			return r.handOver(ctx)
		}
		asked = append(asked, more...)
	}
}

// perform does what a step asks for, and gives the users who were asked for.
func (r *receiver) perform(ctx context.Context, requests []device.Request) (asked []UserID, err error) {
	for _, request := range requests {
		switch request := request.(type) {
		case *device.FetchUser:
			if _, err := r.client.fetch(ctx, request); err != nil {
				return nil, err
			}
			asked = append(asked, request.User)
		case *device.Acknowledge:
			r.acks.upTo(request.Cursor)
		}
	}
	return asked, nil
}

// handOver gives the handler all that waits.
func (r *receiver) handOver(ctx context.Context) error {
	for {
		var notices []Notice
		err := r.client.view(ctx, func(h device.Host) (err error) {
			notices, err = h.Waiting(0, 50)
			return err
		})
		if err != nil || len(notices) == 0 {
			return err
		}
		for _, notice := range notices {
			if err := r.handOne(ctx, notice); err != nil {
				return err
			}
		}
	}
}

func (r *receiver) handOne(ctx context.Context, notice Notice) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if err := r.handle(ctx, notice); err != nil {
		return &handlerError{err}
	}
	// The application has it: that is recorded even if ctx has ended since.
	ctx = context.WithoutCancel(ctx)
	step, err := r.client.step(ctx, func(h device.Host) (device.Step, error) { return h.HandedOver(notice.Number) })
	if err != nil {
		return err
	}
	_, err = r.perform(ctx, step.Requests)
	return err
}

// handlerError marks an error of the application's, which ends Listen as it is.
type handlerError struct{ err error }

func (e *handlerError) Error() string { return e.err.Error() }
func (e *handlerError) Unwrap() error { return e.err }

func ofHandler(err error) bool {
	var handler *handlerError
	return errors.As(err, &handler)
}

// applicationError gives the application's error if that is what ended a receiver.
func applicationError(err error) error {
	var handler *handlerError
	if errors.As(err, &handler) {
		return handler.err
	}
	return err
}

// acknowledger tells the server how far the application has come: the last position alone, as fast as it answers.
type acknowledger struct {
	client *Client
	mutex  sync.Mutex
	cursor string
	done   string // the last that the server has confirmed
	wake   chan struct{}
}

func newAcknowledger(c *Client) *acknowledger {
	return &acknowledger{client: c, wake: make(chan struct{}, 1)}
}

// upTo has all up to a cursor acknowledged. What the server has confirmed is not said again: each device would do so that comes back
// after a restart, all at once.
func (a *acknowledger) upTo(cursor string) {
	a.mutex.Lock()
	known := cursor == a.done
	if !known {
		a.cursor = cursor
	}
	a.mutex.Unlock()
	if known {
		return
	}
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// run acknowledges until ctx ends.
func (a *acknowledger) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.wake:
			if err := a.flush(ctx); err != nil && ctx.Err() == nil {
				// What is not acknowledged comes again, and is dropped then.
				a.client.options.Logger.Info("could not acknowledge", "error", err)
			}
		}
	}
}

// flush acknowledges now. A cursor that the server no longer takes is as good as acknowledged.
func (a *acknowledger) flush(ctx context.Context) error {
	a.mutex.Lock()
	cursor := a.cursor
	a.cursor = ""
	a.mutex.Unlock()
	if cursor == "" {
		return nil
	}
	err := a.client.authorized(ctx, func(ctx context.Context) error {
		_, err := api.AcknowledgeMessages(ctx, a.client.private, cursor)
		return err
	})
	if codeOf(err) == "CURSOR_INVALID" {
		return nil
	}
	if err == nil {
		a.mutex.Lock()
		a.done = cursor
		a.mutex.Unlock()
	}
	return err
}

// finish acknowledges what is left when a receiver ends, also if its context has ended.
func (a *acknowledger) finish(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	if err := a.flush(ctx); err != nil {
		a.client.options.Logger.Info("could not acknowledge", "error", err)
	}
}

// cursor gives the position behind which to go on, or "".
func (c *Client) cursor(ctx context.Context) (cursor string, err error) {
	err = c.view(ctx, func(h device.Host) (err error) {
		cursor, err = h.Cursor()
		return err
	})
	return cursor, err
}

// forgetCursor makes the next look start at the beginning, after the server has refused the cursor. A server that refuses
// none at all is not asked again.
func (c *Client) forgetCursor(ctx context.Context, refused error) error {
	cursor, err := c.cursor(ctx)
	if err != nil {
		return err
	}
	if cursor == "" {
		return refused
	}
	c.options.Logger.Warn("the server has lost its place in the mailbox; starting again")
	_, err = c.step(ctx, func(h device.Host) (device.Step, error) { return h.ForgetCursor() })
	return err
}
