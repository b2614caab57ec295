package client

import (
	"context"
	"errors"
	"fmt"

	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/device"
)

// LinkPrompt is how a new device talks with its user.
type LinkPrompt struct {
	// Show shows the code, as text or as a QR code, to the existing device and nobody else. It is called once.
	Show func(ctx context.Context, code string) error
	// Confirm asks whether the user that the existing device has named is the right one.
	Confirm LinkConfirm
}

// Join makes a further device of an existing user, in Options.Home, with the help of one of that user's devices: it shows a code
// for Link to read there, and waits, until ctx ends, for ten minutes at the most. Then it opens a client on the new keys. The
// keys are kept only once the user has said yes and the verified lists name them; otherwise the home stays without.
//
// It fails as Init does, and with ErrLinkDeclined, ErrLinkExpired, ErrLinkForged, ErrLinkList, ErrLinkTaken or an AlarmError. The
// same call again goes on where an earlier one was cut off.
func Join(ctx context.Context, options Options, prompt LinkPrompt) (*Client, error) {
	c, err := create(ctx, options)
	if err != nil {
		return nil, err
	}
	if err := c.join(ctx, prompt); err != nil {
		if errors.Is(err, device.ErrHasKeys) {
			err = ErrHasKeys
		}
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func (c *Client) join(ctx context.Context, prompt LinkPrompt) error {
	ctx, cancel := c.while(ctx)
	defer cancel()
	l := &linking{client: c}
	var shown device.NewLink
	start := func(h device.Host) (step device.Step, err error) {
		step, shown, err = h.StartLink(c.options.protocols())
		return step, err
	}
	// Once for what to show: the clock of the link runs from here.
	if _, err := c.step(ctx, start); err != nil {
		return err
	}
	defer shown.Code.Erase()
	ctx, end := context.WithTimeoutCause(ctx, shown.Ends.Sub(c.options.Now()), ErrLinkExpired)
	defer end()
	l.code = shown.Code
	var err error
	if l.slot, err = l.code.Slot(); err != nil {
		return err
	}
	if err = l.put(ctx, start); err == nil {
		err = l.join(ctx, shown, prompt)
	}
	if err := l.ended(ctx, err); err != nil {
		return err
	}
	// The prekeys: without them nobody can write to this device. What fails is tried again with the next command.
	if err := c.ready(ctx); err != nil {
		c.options.Logger.Info("could not look after the prekeys", "error", err)
	}
	return nil
}

func (l *linking) join(ctx context.Context, shown device.NewLink, prompt LinkPrompt) error {
	if err := prompt.Show(ctx, shown.Code.Text()); err != nil {
		return &handlerError{err}
	}
	offer, err := l.await(ctx, cryptobox.LinkStepOffer)
	if err != nil {
		return err
	}
	question := LinkQuestion{Device: shown.Device}
	err = l.client.view(ctx, func(h device.Host) (err error) {
		question.User, err = h.LinkOffered(offer)
		return err
	})
	if err != nil {
		return err
	}
	if err := ask(ctx, prompt.Confirm, question); err != nil {
		if errors.Is(err, ErrLinkDeclined) {
			err = errors.Join(err, l.put(ctx, func(h device.Host) (device.Step, error) { return h.DeclineLink(offer) }))
		}
		return err
	}
	if err := l.put(ctx, func(h device.Host) (device.Step, error) { return h.JoinLink(offer) }); err != nil {
		return err
	}
	grant, err := l.await(ctx, cryptobox.LinkStepGrant)
	if err != nil {
		return err
	}
	return l.finish(ctx, grant)
}

// finish takes the grant, with the chain that it is checked against. A server that withholds the chain gains nothing.
func (l *linking) finish(ctx context.Context, grant []byte) error {
	c := l.client
	for range 2 {
		step, err := c.step(ctx, func(h device.Host) (step device.Step, err error) {
			step, self, err := h.FinishLink(grant)
			if err == nil {
				c.self = self
			}
			return step, err
		})
		if err != nil || len(step.Requests) == 0 {
			return err
		}
		if err := l.fetch(ctx, step); err != nil {
			return err
		}
	}
	return fmt.Errorf("%w: it withholds that one", ErrLinkList)
}

func (l *linking) fetch(ctx context.Context, step device.Step) error {
	c := l.client
	for _, request := range step.Requests {
		request, ok := request.(*device.FetchUser)
		if !ok {
			continue
		}
		err := c.patiently(ctx, c.options.Patience, func() error {
			result, err := c.fetch(ctx, request)
			if err == nil && result.alarm != nil {
				err = &AlarmError{Alarm: *result.alarm}
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
