package mailbox

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/problem"
)

// Send commits a message: all of its envelopes or none, except that a full mailbox fails alone. It answers after the
// commit (delivery contract 1, 2, 8, 9). The caller has authenticated the sending device.
//
// Errors: BAD_INPUT, MESSAGE_ID_EXPIRED, MESSAGE_ID_REUSED, DEVICE_REMOVED (the sender), RECIPIENT_UNKNOWN,
// DEVICE_LIST_CHANGED, OVERLOADED, STORE_UNAVAILABLE, STOPPING, INTERNAL: nothing was stored. OUTCOME_UNKNOWN: repeat it; so
// it ends, too, for a caller whose ctx ends first, whose error wraps ctx's, and the send goes on.
func (s *Service) Send(ctx context.Context, send Send) (Receipt, error) {
	w, err := s.work(send.SenderUser, send.SenderDevice, send.MessageID, []Outgoing{{
		MessageID: send.MessageID, ExpiresIn: send.ExpiresIn, Recipients: send.Recipients,
	}})
	if err != nil {
		return Receipt{}, err
	}
	w.content = contentOf(&send)
	answer := s.wait(ctx, &work{send: w})
	return answer.receipt, answer.err
}

// SendAll commits the messages of a call: all envelopes of all of them or none, except that a full mailbox fails alone. What
// is remembered is the call, by its id; the ids of its messages are names alone. It gives a receipt for each message, in order.
//
// Errors: as those of Send.
func (s *Service) SendAll(ctx context.Context, call Call) ([]Receipt, error) {
	w, err := s.work(call.SenderUser, call.SenderDevice, call.CallID, call.Messages)
	if err != nil {
		return nil, err
	}
	w.content = contentOfCall(&call)
	answer := s.wait(ctx, &work{send: w})
	if answer.err != nil {
		return nil, answer.err
	}
	receipts := make([]Receipt, len(call.Messages))
	for i := range receipts {
		receipts[i] = Receipt{MessageID: call.Messages[i].MessageID, AcceptedAt: answer.receipt.AcceptedAt}
	}
	for i, to := range w.envelopes {
		receipts[to.message].Deliveries = append(receipts[to.message].Deliveries, answer.receipt.Deliveries[i])
	}
	return receipts, nil
}

// work checks what is to be sent under an id.
func (s *Service) work(user identity.UserID, device identity.DeviceID, id uuid.UUID, messages []Outgoing) (*sendWork, error) {
	w, err := s.options.Limits.address(messages)
	if err != nil {
		return nil, err
	}
	key, made, err := keyOf(device, id)
	if err != nil {
		return nil, err
	}
	if w.ahead, err = checkAge(made, s.now()); err != nil {
		return nil, err
	}
	w.id, w.user, w.device, w.sendKey = id, user, device, key
	return w, nil
}

// Acknowledge deletes everything up to a position from a device's mailbox. Repeating it changes nothing (delivery
// contract 5).
//
// Errors: CURSOR_INVALID if the cursor is of another mailbox or store, or ahead of the mailbox, and nothing is deleted;
// DEVICE_REMOVED; and those of Send that are not about its message.
func (s *Service) Acknowledge(ctx context.Context, device identity.DeviceID, upTo Cursor) (Acknowledgement, error) {
	answer := s.wait(ctx, &work{ack: &ackWork{device: device, upTo: upTo}})
	return answer.acknowledgement, answer.err
}

// wait hands work to the writer and waits for the answer.
func (s *Service) wait(ctx context.Context, w *work) answer {
	w.since = time.Now()
	w.done = make(chan answer, 1)
	if err := ctx.Err(); err != nil {
		return answer{err: err}
	}
	if err := s.queue.put(w); err != nil {
		return answer{err: err}
	}
	select {
	case a := <-w.done:
		return a
	case <-ctx.Done():
		return answer{err: outcomeUnknown(ctx.Err())}
	}
}

func (l Limits) checkEnvelope(e *Envelope) error {
	switch {
	case e.Kind != Box && e.Kind != Session && e.Kind != SessionStart:
		return badInput("This kind of envelope does not exist.")
	case len(e.Ciphertext) == 0:
		return badInput("A ciphertext is empty.")
	case len(e.Ciphertext) > l.MaxCiphertextBytes:
		return badInput(fmt.Sprintf("A ciphertext may have %d bytes; this one has %d.", l.MaxCiphertextBytes, len(e.Ciphertext)))
	case e.Kind == Box && len(e.Nonce) != nonceLength:
		return badInput(fmt.Sprintf("A BOX needs a nonce of %d bytes.", nonceLength))
	case e.Kind != Box && len(e.Nonce) != 0:
		return badInput("Only a BOX has a nonce.")
	}
	return nil
}

func badInput(message string) error { return problem.New(problem.BadInput, message) }
