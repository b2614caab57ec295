package mailbox

import (
	"context"
	"fmt"
	"time"

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
	if err := s.options.Limits.check(&send); err != nil {
		return Receipt{}, err
	}
	key, made, err := keyOf(send.SenderDevice, send.MessageID)
	if err != nil {
		return Receipt{}, err
	}
	if err := checkAge(made, s.now()); err != nil {
		return Receipt{}, err
	}
	w := sendWork{Send: send, envelopes: send.envelopes(), bytes: send.bytes()}
	w.claim = claim{sendKey: key, content: contentOf(&send)}
	answer := s.wait(ctx, &work{send: &w})
	return answer.receipt, answer.err
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

// check refuses a send that no mailbox would take.
func (l Limits) check(s *Send) error {
	n := s.envelopes()
	switch {
	case n == 0:
		return badInput("A message needs at least one envelope.")
	case n > l.MaxEnvelopesPerSend:
		return badInput(fmt.Sprintf("A message may have %d envelopes; this one has %d.", l.MaxEnvelopesPerSend, n))
	case s.ExpiresIn < 0:
		return badInput("A message cannot expire before it is sent.")
	}
	users := make(map[identity.UserID]bool, len(s.Recipients))
	devices := make(map[identity.DeviceID]bool, n)
	for i := range s.Recipients {
		r := &s.Recipients[i]
		if users[r.User] {
			return badInput("A user is named twice as a recipient. Put all envelopes of a user under one.")
		}
		users[r.User] = true
		if len(r.Envelopes) == 0 {
			return badInput("A recipient is named without an envelope. Leave it out, or seal for its devices.")
		}
		for j := range r.Envelopes {
			if devices[r.Envelopes[j].Device] {
				return badInput("A device is named twice. Send it one envelope.")
			}
			devices[r.Envelopes[j].Device] = true
			if err := l.checkEnvelope(&r.Envelopes[j]); err != nil {
				return err
			}
		}
	}
	return nil
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
