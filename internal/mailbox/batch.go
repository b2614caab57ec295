package mailbox

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/problem"
	"github.com/letterlock/letterlock/internal/wakeup"
)

// batch is one attempt to run pieces of work in one transaction. It touches nothing outside itself, so that an attempt that
// fails can be made again from the start.
type batch struct {
	limits Limits
	now    time.Time
	works  []*work

	// asked are the devices whose mailboxes claimed is about.
	asked   []identity.DeviceID
	claimed *claimed
	known   map[sendKey]memory
	quota   quota
	blocked map[senderPair]bool
	// putOff are sends that wait for a later batch.
	putOff  map[*work]bool
	changes changes
	answers []answer
	// hints are for the hub once the transaction has committed.
	hints []wakeup.Hint[Message]
}

// run runs the batch against the store, up to its commit.
func (b *batch) run(ctx context.Context, store store) error {
	request := b.request()
	tx, claimed, err := store.begin(ctx, request)
	if err != nil {
		return err
	}
	b.asked, b.claimed = request.devices, claimed
	b.answers = make([]answer, len(b.works))
	if err := b.decide(ctx, tx); err != nil {
		tx.rollback()
		return err
	}
	if !b.writes() {
		tx.rollback()
		return nil
	}
	return tx.commit(ctx, &b.changes)
}

// request collects what the batch needs, without doubles and in order.
func (b *batch) request() request {
	r := request{now: b.now.UnixMicro()}
	seen := make(map[identity.DeviceID]bool)
	lock := func(device identity.DeviceID) {
		if !seen[device] {
			seen[device] = true
			r.devices = append(r.devices, device)
		}
	}
	for _, w := range b.works {
		lock(w.device())
		if w.ack != nil {
			r.acknowledged = append(r.acknowledged, acknowledged{device: w.ack.device, upTo: w.ack.upTo})
			continue
		}
		r.claims = append(r.claims, w.send.claim)
		for _, to := range w.send.envelopes {
			lock(to.Device)
		}
	}
	slices.SortFunc(r.claims, func(a, c claim) int { return a.compare(c.sendKey) })
	return r
}

// decide finds an answer for each piece of work alone, and collects what is to be written.
func (b *batch) decide(ctx context.Context, tx transaction) error {
	for i, w := range b.works {
		if w.ack != nil {
			b.answers[i] = b.acknowledge(w.ack)
		}
	}
	if err := b.recall(ctx, tx); err != nil {
		return err
	}
	if err := b.findBlocked(ctx, tx); err != nil {
		return err
	}
	if err := b.countSenders(ctx, tx); err != nil {
		return err
	}
	for i, w := range b.works {
		switch {
		case w.send == nil:
		case b.putOff[w]:
			b.changes.refused = append(b.changes.refused, w.send.sendKey)
		default:
			b.answers[i] = b.send(w.send)
		}
	}
	for _, row := range b.claimed.mailboxes {
		if row.changed {
			b.changes.mailboxes = append(b.changes.mailboxes, row)
		}
	}
	slices.SortFunc(b.changes.mailboxes, func(a, c *mailboxRow) int { return int(a.id - c.id) })
	return nil
}

// writes tells whether the batch changes anything: claims that are all given back need no commit.
func (b *batch) writes() bool {
	return len(b.changes.mailboxes) > 0 || len(b.changes.refused) < len(b.claimed.fresh)
}

// recall reads what is remembered of the sends that were sent before.
func (b *batch) recall(ctx context.Context, tx transaction) error {
	var keys []sendKey
	for _, w := range b.works {
		if w.send != nil && !b.claimed.fresh[w.send.sendKey] {
			keys = append(keys, w.send.sendKey)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	known, err := tx.remembered(ctx, keys)
	if err != nil {
		return err
	}
	if len(known) < len(keys) {
		return fmt.Errorf("%w: a remembered message id went away", errTransient)
	}
	b.known = known
	return nil
}

// acknowledge takes what begin has deleted into account (delivery contract 5).
func (b *batch) acknowledge(a *ackWork) answer {
	row := b.claimed.mailboxes[a.device]
	if row == nil || row.closed {
		return answer{err: deviceRemoved()}
	}
	if err := a.upTo.within(b.claimed.epoch, row.id, row.last); err != nil {
		return answer{err: err}
	}
	removed := b.claimed.removed[row.id]
	if removed.count > 0 || a.upTo.number > row.acknowledged {
		row.count -= removed.count
		row.bytes -= removed.bytes
		row.acknowledged = max(row.acknowledged, a.upTo.number)
		row.changed = true
	}
	upTo := Cursor{epoch: b.claimed.epoch, mailbox: row.id, number: row.acknowledged}
	return answer{acknowledgement: Acknowledgement{UpTo: upTo, Removed: int(removed.count)}}
}

// send answers one send: a remembered answer wins over every other check, and a refusal gives the id back (delivery
// contract 2).
func (b *batch) send(s *sendWork) answer {
	if !b.claimed.fresh[s.sendKey] {
		return b.again(s, b.known[s.sendKey])
	}
	if err := b.check(s); err != nil {
		b.changes.refused = append(b.changes.refused, s.sendKey)
		return answer{err: err}
	}
	return b.accept(s)
}

// again answers a send that is remembered. Its recipients are woken: if the first try was committed by a server that died
// with the answer, nobody has told them.
func (b *batch) again(s *sendWork, m memory) answer {
	if m.content != s.content {
		return answer{err: problem.New(problem.MessageIDReused,
			"This device has used the message id for other content. Send under a new one.")}
	}
	receipt := Receipt{MessageID: s.id, AcceptedAt: time.UnixMicro(m.acceptedAt).UTC(), Deliveries: make([]Delivery, len(s.envelopes))}
	for i, to := range s.envelopes {
		receipt.Deliveries[i] = Delivery{Device: to.Device, Stored: !bit(m.full, i)}
		b.hints = append(b.hints, wakeup.Hint[Message]{Device: to.Device, Event: wakeup.Grown})
	}
	return answer{receipt: receipt}
}

// check refuses a send as a whole. The rows are locked: what it finds holds until the commit (delivery contract 9).
func (b *batch) check(s *sendWork) error {
	if s.ahead {
		return fromTheFuture()
	}
	sender := b.claimed.mailboxes[s.device]
	if sender == nil || sender.closed || sender.user != s.user {
		return deviceRemoved()
	}
	var unknown bool
	for _, to := range s.envelopes {
		row := b.claimed.mailboxes[to.Device]
		switch {
		case row == nil || row.user != to.recipient.User:
			unknown = true
		case row.listVersion != to.recipient.ListVersion:
			return problem.New(problem.DeviceListChanged,
				"The device list of a recipient has moved on. Fetch it, verify it, seal again and send under the same message id.")
		case row.closed:
			unknown = true
		}
	}
	if unknown {
		return problem.New(problem.RecipientUnknown,
			"There is no such recipient: a user or device that was named is not registered here. Fetch the user's device list again.")
	}
	return nil
}

// accept numbers the envelopes of a send. A full mailbox fails alone (delivery contract 8).
func (b *batch) accept(s *sendWork) answer {
	receipt := Receipt{MessageID: s.id, AcceptedAt: b.now, Deliveries: make([]Delivery, len(s.envelopes))}
	sender := b.claimed.mailboxes[s.device]
	var full []byte
	for i := range s.envelopes {
		to := &s.envelopes[i]
		stored := b.place(s, sender, to)
		if !stored {
			full = setBit(full, i, len(s.envelopes))
		}
		receipt.Deliveries[i] = Delivery{Device: to.Device, Stored: stored}
	}
	if full != nil {
		b.changes.full = append(b.changes.full, fullDeliveries{sendKey: s.sendKey, bits: full})
	}
	return answer{receipt: receipt}
}

// place puts one envelope into its mailbox, unless that is full. One from a blocked sender goes nowhere, and is answered alike.
func (b *batch) place(s *sendWork, sender *mailboxRow, to *addressed) bool {
	row := b.claimed.mailboxes[to.Device]
	if b.blocked[senderPair{mailbox: row.id, user: s.user}] {
		sender.accepted++
		sender.changed = true
		return true
	}
	size := int64(len(to.Ciphertext))
	if row.count >= b.limits.MaxMessages || row.bytes+size > b.limits.MaxBytes || row.last >= maxNumber ||
		!b.quota.take(senderPair{mailbox: row.id, user: s.user}, b.limits.MaxMessagesPerSender) {
		return false
	}
	row.last++
	row.count++
	row.bytes += size
	row.changed = true
	sender.accepted++
	sender.changed = true
	position := Cursor{epoch: b.claimed.epoch, mailbox: row.id, number: row.last}
	b.changes.messages = append(b.changes.messages, s.stored(to, position, sender.listVersion, b.now, b.limits))
	return true
}

// stored gives the message that an envelope becomes.
func (w *sendWork) stored(to *addressed, position Cursor, senderVersion uint32, now time.Time, limits Limits) Message {
	return Message{
		ID:                messageID(position.mailbox, position.number),
		Number:            position.number,
		Cursor:            position,
		MessageID:         w.messages[to.message].MessageID,
		SenderUser:        w.user,
		SenderDevice:      w.device,
		SenderListVersion: senderVersion,
		SentAt:            now,
		ExpiresAt:         now.Add(w.lifetime(to, limits)),
		Kind:              to.Kind,
		Ciphertext:        to.Ciphertext,
		Nonce:             to.Nonce,
	}
}

// lifetime is how long an envelope may wait.
func (w *sendWork) lifetime(to *addressed, limits Limits) time.Duration {
	if asked := w.messages[to.message].ExpiresIn; asked > 0 {
		return min(asked, limits.MessageLifetime)
	}
	return limits.MessageLifetime
}

// wake gives the hints for what was committed: each message to the readers of its mailbox.
func (b *batch) wake() []wakeup.Hint[Message] {
	devices := make(map[int64]identity.DeviceID, len(b.changes.mailboxes))
	for _, row := range b.changes.mailboxes {
		devices[row.id] = row.device
	}
	for i := range b.changes.messages {
		m := &b.changes.messages[i]
		b.hints = append(b.hints, wakeup.Hint[Message]{Device: devices[m.ID>>numberBits], Event: wakeup.Grown, Message: m})
	}
	return b.hints
}

func deviceRemoved() error {
	return problem.New(problem.DeviceRemoved, "The device is not on its user's device list.")
}
