package client

import (
	"context"
	"errors"
	"time"

	"github.com/letterlock/letterlock/client/internal/api"
	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/device"
)

// linkPoll is how often a device looks whether the other one has answered.
const linkPoll = time.Second

// LinkQuestion is what the user of a device is asked before it is linked to another one.
type LinkQuestion struct {
	// User is whom the new device would belong to. On the new device: is it you?
	User UserID
	// Device is the new device. On the existing one: is it the one that shows the code?
	Device DeviceID
}

// LinkConfirm asks the user. Reading a code, or opening it as a link, is no consent: only a person who has compared what is shown
// may say yes. An error ends the link as a no does.
type LinkConfirm func(context.Context, LinkQuestion) (bool, error)

// Link makes the device that shows a code a device of one's own user: it asks, leaves an offer, and publishes the list that
// names the new device. manage hands it the user key, too: then it can link and unlink devices itself, and so can its thief.
// It waits for the other device until ctx ends, for ten minutes at the most.
//
// It fails with ErrLinkCode, ErrLinkDeclined, ErrLinkExpired, ErrLinkForged, ErrLinkProtocols, ErrLinkTaken, ErrNoUserKey,
// ErrDeviceRemoved or an AlarmError. The same call again goes on where an earlier one was cut off.
func (c *Client) Link(ctx context.Context, code string, manage bool, confirm LinkConfirm) (DeviceID, error) {
	read, err := cryptobox.ParseLinkCode(code)
	if err != nil {
		return DeviceID{}, err
	}
	defer read.Erase()
	ctx, cancel := c.while(ctx)
	defer cancel()
	ctx, end := context.WithTimeoutCause(ctx, device.LinkLifetime, ErrLinkExpired)
	defer end()
	l := &linking{client: c, code: read}
	if l.slot, err = read.Slot(); err != nil {
		return DeviceID{}, err
	}
	id, err := l.invite(ctx, manage, confirm)
	return id, l.ended(ctx, err)
}

// linking is one side of a link under way.
type linking struct {
	client *Client
	code   cryptobox.LinkCode
	slot   []byte
}

func (l *linking) invite(ctx context.Context, manage bool, confirm LinkConfirm) (id DeviceID, err error) {
	c := l.client
	if err := c.learnOwn(ctx); err != nil {
		return id, err
	}
	keys, err := l.look(ctx, cryptobox.LinkStepKeys)
	if err == nil && keys == nil {
		err = ErrLinkExpired
	}
	if err != nil {
		return id, err
	}
	err = c.view(ctx, func(h device.Host) (err error) {
		id, err = h.CheckLink(l.code, keys)
		return err
	})
	if err != nil {
		return id, err
	}
	if err := ask(ctx, confirm, LinkQuestion{User: c.self.User, Device: id}); err != nil {
		return id, err
	}
	if err := l.put(ctx, func(h device.Host) (device.Step, error) { return h.OfferLink(l.code, keys, manage) }); err != nil {
		return id, err
	}
	answer, err := l.await(ctx, cryptobox.LinkStepEntry)
	if err != nil {
		return id, err
	}
	if err := c.publish(ctx, func(h device.Host) (device.Step, error) { return h.SignLink(answer) }); err != nil {
		return id, err
	}
	return id, l.put(ctx, device.Host.GrantLink)
}

func ask(ctx context.Context, confirm LinkConfirm, question LinkQuestion) error {
	yes, err := confirm(ctx, question)
	if err == nil && !yes {
		err = ErrLinkDeclined
	}
	if err != nil {
		return &handlerError{err}
	}
	return nil
}

// ended forgets a link that has come to an end, for good or bad (L1.9). One that was cut off can go on.
func (l *linking) ended(ctx context.Context, err error) error {
	cut := err != nil && (ctx.Err() != nil || transient(err))
	if err != nil && errors.Is(context.Cause(ctx), ErrLinkExpired) {
		err, cut = ErrLinkExpired, false
	}
	if cut {
		return err
	}
	_, dropped := l.client.step(context.WithoutCancel(ctx), device.Host.DropLink)
	return errors.Join(err, dropped)
}

// put does a step, and puts the message that it asks for into the slot.
func (l *linking) put(ctx context.Context, do func(device.Host) (device.Step, error)) error {
	c := l.client
	step, err := c.step(ctx, do)
	if err != nil {
		return err
	}
	for _, request := range step.Requests {
		put, ok := request.(*device.PutLink)
		if !ok {
			continue
		}
		err := c.patiently(ctx, c.options.Patience, func() error {
			_, err := api.PutLinkMessage(ctx, c.public, put.Slot, int(put.Step), put.Data)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// look gives what lies in a step of the slot; nil if nothing does.
func (l *linking) look(ctx context.Context, step cryptobox.LinkStep) (data []byte, err error) {
	c := l.client
	err = c.patiently(ctx, c.options.Patience, func() error {
		response, err := api.LinkMessage(ctx, c.public, l.slot, int(step))
		if err == nil {
			data = response.LinkMessage
		}
		return err
	})
	return data, err
}

// await looks until something lies there. A server that can't be reached is asked again: there is time.
func (l *linking) await(ctx context.Context, step cryptobox.LinkStep) ([]byte, error) {
	ticker := time.NewTicker(linkPoll)
	defer ticker.Stop()
	for {
		data, err := l.look(ctx, step)
		if len(data) > 0 || err != nil && !transient(err) {
			return data, err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}
