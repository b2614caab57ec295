package graph

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/letterlock/letterlock/graph/model"
	"github.com/letterlock/letterlock/internal/mailbox"
	"github.com/letterlock/letterlock/internal/problem"
)

func (r *Resolver) send(ctx context.Context, input model.SendMessageInput) (*model.SendMessagePayload, error) {
	device, err := calling(ctx)
	if err != nil {
		return nil, err
	}
	send, err := sendOf(input)
	if err != nil {
		return nil, err
	}
	send.SenderUser, send.SenderDevice = device.User, device.ID
	receipt, err := r.Mailboxes.Send(ctx, send)
	if err != nil {
		return nil, err
	}
	return receiptModel(receipt), nil
}

func (r *Resolver) sendAll(ctx context.Context, input model.SendMessagesInput) (*model.SendMessagesPayload, error) {
	device, err := calling(ctx)
	if err != nil {
		return nil, err
	}
	call := mailbox.Call{SenderUser: device.User, SenderDevice: device.ID, Messages: make([]mailbox.Outgoing, len(input.Messages))}
	if call.CallID, err = uuidOf(input.CallID, "callId"); err != nil {
		return nil, err
	}
	for i := range input.Messages {
		send, err := sendOf(input.Messages[i])
		if err != nil {
			return nil, err
		}
		call.Messages[i] = mailbox.Outgoing{MessageID: send.MessageID, ExpiresIn: send.ExpiresIn, Recipients: send.Recipients}
	}
	receipts, err := r.Mailboxes.SendAll(ctx, call)
	if err != nil {
		return nil, err
	}
	return callModel(input.CallID, receipts), nil
}

func callModel(id string, receipts []mailbox.Receipt) *model.SendMessagesPayload {
	payload := &model.SendMessagesPayload{CallID: id, AcceptedAt: receipts[0].AcceptedAt, Messages: make([]model.SendMessagePayload, len(receipts))}
	for i := range receipts {
		payload.Messages[i] = *receiptModel(receipts[i])
	}
	return payload
}

func sendOf(input model.SendMessageInput) (mailbox.Send, error) {
	id, err := uuidOf(input.MessageID, "messageId")
	if err != nil {
		return mailbox.Send{}, err
	}
	send := mailbox.Send{MessageID: id, Recipients: make([]mailbox.Recipient, len(input.Recipients))}
	if input.ExpiresIn != nil {
		if *input.ExpiresIn < 1 {
			return mailbox.Send{}, problem.New(problem.BadInput, "`expiresIn` is in seconds, from 1; leave it out for the longest time.")
		}
		send.ExpiresIn = time.Duration(*input.ExpiresIn) * time.Second
	}
	for i := range input.Recipients {
		if send.Recipients[i], err = recipientOf(&input.Recipients[i]); err != nil {
			return mailbox.Send{}, err
		}
	}
	return send, nil
}

func recipientOf(input *model.RecipientInput) (mailbox.Recipient, error) {
	user, err := userID(input.UserID)
	if err != nil {
		return mailbox.Recipient{}, err
	}
	version, err := listVersion(input.ListVersion, "listVersion")
	if err != nil {
		return mailbox.Recipient{}, err
	}
	recipient := mailbox.Recipient{User: user, ListVersion: version, Envelopes: make([]mailbox.Envelope, len(input.Envelopes))}
	for i := range input.Envelopes {
		e := &input.Envelopes[i]
		device, err := deviceID(e.DeviceID)
		if err != nil {
			return mailbox.Recipient{}, err
		}
		recipient.Envelopes[i] = mailbox.Envelope{Device: device, Kind: kindOf(e.Kind), Ciphertext: e.Ciphertext, Nonce: e.Nonce}
	}
	return recipient, nil
}

// uuidOf reads a UUID in its one canonical form; uuid.Parse takes others too.
func uuidOf(text, field string) (uuid.UUID, error) {
	id, err := uuid.Parse(text)
	if err != nil || id.String() != text {
		return uuid.UUID{}, problem.New(problem.BadInput, "`"+field+"` must be a UUIDv7 in lower-case hyphenated form.")
	}
	return id, nil
}

func receiptModel(receipt mailbox.Receipt) *model.SendMessagePayload {
	deliveries := make([]model.Delivery, len(receipt.Deliveries))
	for i, d := range receipt.Deliveries {
		deliveries[i] = model.Delivery{DeviceID: d.Device.String(), Status: statusModel(d.Stored)}
	}
	return &model.SendMessagePayload{MessageID: receipt.MessageID.String(), AcceptedAt: receipt.AcceptedAt, Deliveries: deliveries}
}

func statusModel(stored bool) model.DeliveryStatus {
	if stored {
		return model.DeliveryStatusStored
	}
	return model.DeliveryStatusMailboxFull
}

// The kinds of envelopes, in the schema and in mailboxes.
func kindOf(kind model.EnvelopeKind) mailbox.Kind {
	switch kind {
	case model.EnvelopeKindBox:
		return mailbox.Box
	case model.EnvelopeKindSession:
		return mailbox.Session
	case model.EnvelopeKindSessionStart:
		return mailbox.SessionStart
	default:
		return 0
	}
}

func kindModel(kind mailbox.Kind) model.EnvelopeKind {
	switch kind {
	case mailbox.Box:
		return model.EnvelopeKindBox
	case mailbox.SessionStart:
		return model.EnvelopeKindSessionStart
	default:
		return model.EnvelopeKindSession
	}
}
