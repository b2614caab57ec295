package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/letterlock/letterlock/client/internal/api"
	"github.com/letterlock/letterlock/device"
)

const (
	// maxReseals bounds how often one call seals a message anew because the server says that a list has moved on.
	maxReseals = 8
	// freeReseals is how often it does so without a pause.
	freeReseals = 2
	// maxRenames bounds how often it makes another message id because the server says that the old one has expired.
	maxRenames = 2
	// Of the waits for prekeys of somebody who has none; each is twice the one before.
	firstPrekeyPause, lastPrekeyPause = 250 * time.Millisecond, time.Second
)

// errNoPrekeys is what is waited for.
var errNoPrekeys = errors.New("the recipient has no prekeys on the server yet")

// deliver sends what is queued for a user, in order, up to the message with this number in the history (0: all). It
// returns nil if that is done, or gone wrong for good; otherwise what was in the way. For a failure for good it gives
// what the server said, too.
func (c *Client) deliver(ctx context.Context, to UserID, upTo uint64, patience time.Duration) error {
	leave, err := c.sending.take(ctx, to)
	if err != nil {
		return err
	}
	defer leave()
	d := &delivery{client: c, to: to}
	for {
		var done bool
		err := c.patiently(ctx, patience, func() (err error) {
			if err = c.ready(ctx); err == nil {
				done, err = d.next(ctx)
			}
			return err
		})
		if err != nil {
			return errors.Join(err, d.said)
		}
		if done || upTo > 0 && d.settled(ctx, upTo) {
			return d.said
		}
	}
}

// delivery is one run through a user's outbox.
type delivery struct {
	client  *Client
	to      UserID
	reseals int
	renames int
	claimed []UserID // whose prekeys were asked for, for the outbox's head
	said    error    // with what the server refused the last message that failed

	// holdBack is a message of the history that is sealed and not sent; then held is its request.
	holdBack uint64
	held     *device.SendMessage
}

// settled reports whether a message of the history is no longer queued.
func (d *delivery) settled(ctx context.Context, number uint64) (settled bool) {
	err := d.client.view(ctx, func(h device.Host) error {
		message, err := h.Message(d.to, number)
		settled = message == nil || message.State != Queued
		return err
	})
	return err == nil && settled
}

// next does what has to be done next for the outbox's head, and says when there is nothing left. One try.
func (d *delivery) next(ctx context.Context) (done bool, err error) {
	step, err := d.client.step(ctx, func(h device.Host) (device.Step, error) { return h.NextSend(d.to, d.claimed...) })
	if err != nil {
		return false, err
	}
	if len(step.Requests) == 0 {
		d.claimed = nil
		return len(step.Writes) == 0, nil // what was written is that the head has come to nothing; there may be more behind it
	}
	for _, request := range step.Requests {
		switch request := request.(type) {
		case *device.FetchUser:
			err = d.fetch(ctx, request)
		case *device.ClaimPrekeys:
			err = d.claim(ctx, request)
		case *device.SendMessage:
			d.claimed = nil
			if d.holdBack > 0 && request.History == d.holdBack {
				d.held = request
				return true, nil
			}
			err = d.send(ctx, request)
		}
		if err != nil {
			return false, err
		}
	}
	return false, nil
}

// fetch gets a chain that sealing needs. Without it the message has failed.
func (d *delivery) fetch(ctx context.Context, request *device.FetchUser) error {
	result, err := d.client.fetch(ctx, request)
	if err != nil {
		return err
	}
	switch {
	case result.alarm != nil:
		d.said = &AlarmError{Alarm: *result.alarm}
		return d.giveUp(ctx, device.ListRefused)
	case !result.known && request.User == d.to:
		return d.giveUp(ctx, device.RecipientUnknown)
	}
	return nil
}

// claim starts sessions on the prekeys that the server hands out. What is still missing, or is refused, shows when NextSend seals.
func (d *delivery) claim(ctx context.Context, request *device.ClaimPrekeys) error {
	found, alarm, err := d.client.claim(ctx, request)
	// Who has just registered uploads prekeys in the next moment.
	for pause := firstPrekeyPause; err == nil && found == 0 && request.User == d.to && pause <= lastPrekeyPause; pause *= 2 {
		if err = d.client.wait(ctx, errNoPrekeys, pause); err == nil {
			found, alarm, err = d.client.claim(ctx, request)
		}
	}
	if err != nil {
		return err
	}
	if alarm != nil {
		d.said = &AlarmError{Alarm: *alarm}
		if request.User == d.to {
			return d.giveUp(ctx, device.PrekeysRefused)
		}
	}
	d.claimed = append(d.claimed, request.User)
	return nil
}

func (d *delivery) giveUp(ctx context.Context, reason device.FailureReason) error {
	_, err := d.client.step(ctx, func(h device.Host) (device.Step, error) { return h.GiveUp(d.to, reason) })
	return err
}

// send makes one try of a message that is sealed.
func (d *delivery) send(ctx context.Context, request *device.SendMessage) error {
	var receipt device.Receipt
	err := d.client.authorized(ctx, func(ctx context.Context) error {
		response, err := api.SendMessage(ctx, d.client.private, sendInput(request))
		if err == nil {
			receipt, err = readReceipt(request, response)
		}
		return err
	})
	if err == nil {
		d.said = nil
		// The server has it: that is recorded even if ctx has ended since.
		ctx = context.WithoutCancel(ctx)
		_, err = d.client.step(ctx, func(h device.Host) (device.Step, error) { return h.Accepted(request, receipt) })
		return err
	}
	refused, final := refusal(err)
	if !final {
		return err
	}
	return d.declined(ctx, request, refused, err)
}

// declined feeds a refusal into the device, and fetches what it asks for.
func (d *delivery) declined(ctx context.Context, request *device.SendMessage, refused device.Refused, why error) error {
	step, err := d.client.step(ctx, func(h device.Host) (device.Step, error) { return h.Declined(request, refused) })
	if err != nil {
		return err
	}
	d.said = why
	for _, next := range step.Requests {
		if next, ok := next.(*device.FetchUser); ok {
			if err := d.fetch(ctx, next); err != nil {
				return err
			}
		}
	}
	switch refused {
	case device.RefusedListChanged:
		d.reseals++
		if d.reseals > maxReseals {
			return fmt.Errorf("a device list changes all the time: %w", why)
		}
		if d.reseals > freeReseals {
			return d.client.wait(ctx, why, time.Duration(d.reseals)*100*time.Millisecond)
		}
	case device.RefusedExpired:
		if d.renames++; d.renames > maxRenames {
			return fmt.Errorf("%w (%w)", ErrClock, why)
		}
	default: // The message has failed.
	}
	return nil
}

// refusal tells how the server has refused a message, if it has.
func refusal(err error) (refused device.Refused, final bool) {
	var said *ServerError
	if !errors.As(err, &said) || said.Stored == "UNKNOWN" || said.transient() {
		return 0, false
	}
	switch said.Code {
	case "DEVICE_LIST_CHANGED":
		return device.RefusedListChanged, true
	case "MESSAGE_ID_EXPIRED":
		return device.RefusedExpired, true
	case "RECIPIENT_UNKNOWN":
		return device.RefusedRecipient, true
	case "BAD_INPUT", "REQUEST_TOO_LARGE", "MESSAGE_ID_REUSED", "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED":
		return device.RefusedForGood, true
	default:
		return 0, false
	}
}

func sendInput(request *device.SendMessage) api.SendMessageInput {
	input := api.SendMessageInput{MessageId: request.MessageID.String()}
	for _, recipient := range request.Recipients {
		to := api.RecipientInput{UserId: recipient.User.String(), ListVersion: int(recipient.ListVersion)}
		for _, envelope := range recipient.Envelopes {
			to.Envelopes = append(to.Envelopes, envelopeInput(envelope))
		}
		input.Recipients = append(input.Recipients, to)
	}
	return input
}

func envelopeInput(envelope device.SealedEnvelope) api.EnvelopeInput {
	kind := api.EnvelopeKind(envelope.Kind)
	if kind == "" {
		kind = api.EnvelopeKindBox // queued by the first release
	}
	return api.EnvelopeInput{
		DeviceId: envelope.Device.String(), Kind: kind, Ciphertext: envelope.Ciphertext, Nonce: envelope.Nonce,
	}
}

// readReceipt makes sure that the answer is about this message and all of its envelopes.
func readReceipt(request *device.SendMessage, response *api.SendMessageResponse) (device.Receipt, error) {
	answer := response.SendMessage
	receipt := device.Receipt{AcceptedAt: answer.AcceptedAt}
	envelopes := 0
	for _, recipient := range request.Recipients {
		envelopes += len(recipient.Envelopes)
	}
	if answer.MessageId != request.MessageID.String() || len(answer.Deliveries) != envelopes {
		return receipt, fmt.Errorf("%w: it is about another message", ErrResponse)
	}
	i := 0
	for _, recipient := range request.Recipients {
		for _, envelope := range recipient.Envelopes {
			if answer.Deliveries[i].DeviceId != envelope.Device.String() {
				return receipt, fmt.Errorf("%w: it is about another message", ErrResponse)
			}
			if answer.Deliveries[i].Status != api.DeliveryStatusStored {
				receipt.Full = append(receipt.Full, envelope.Device)
			}
			i++
		}
	}
	return receipt, nil
}
