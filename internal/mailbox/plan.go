package mailbox

import (
	"slices"
	"time"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/wakeup"
)

// plan is a batch that is expected to go through as a whole: all recipients are known and block nobody, their lists have not moved on, no
// mailbox is full, no id was used before. A store that can commits it in one round trip, and checks all of that in the same
// transaction. If anything is different it does nothing, and the batch is decided step by step (see batch). Nothing is taken
// for granted that other nodes change all the time: numbers are assigned by the store.
type plan struct {
	limits Limits
	now    time.Time
	works  []*work

	epoch  int64
	rows   []*planRow // in the order of their ids
	claims []claim    // in the order of their keys
	// acknowledging counts the rows with an acknowledgement.
	acknowledging int
	envelopes     []planEnvelope
}

// planRow is a mailbox that a plan changes. The row has to be open, and its list at this version.
type planRow struct {
	device identity.DeviceID
	known  *knownMailbox
	// coming and bytes are what is put into it, accepted is what its device sends.
	coming, bytes, accepted int64
	// upTo is acknowledged first; 0 if nothing is.
	upTo int64
	// What the store found, once it has committed.
	last, waiting, acknowledged, removed int64
}

// moves is true if more is to be done than to acknowledge.
func (r *planRow) moves() bool { return r.coming > 0 || r.accepted > 0 }

// planEnvelope is one envelope, and where it goes.
type planEnvelope struct {
	*addressed
	send   *sendWork
	row    *planRow
	sender *planRow
	// place counts the envelopes of this plan in the same mailbox, from 1.
	place int64
}

// number is known once the plan is committed.
func (e *planEnvelope) number() int64 { return e.row.last - e.row.coming + e.place }

// planner makes plans. It belongs to one writer and keeps its maps from batch to batch.
type planner struct {
	known *known
	rows  map[identity.DeviceID]*planRow
}

func newPlanner(known *known) *planner {
	return &planner{known: known, rows: make(map[identity.DeviceID]*planRow)}
}

// split makes a plan of the works for which nothing speaks against it, nil if there are none, and gives the others.
func (p *planner) split(works []*work, limits Limits, now time.Time) (*plan, []*work) {
	if p == nil {
		return nil, works
	}
	epoch, ok := p.known.epoch()
	if !ok {
		return nil, works
	}
	clear(p.rows)
	made := &plan{limits: limits, now: now, epoch: epoch}
	var others []*work
	for _, w := range works {
		if p.fits(made, w) {
			p.add(made, w)
			made.works = append(made.works, w)
		} else {
			others = append(others, w)
		}
	}
	if len(made.works) == 0 {
		return nil, works
	}
	made.order(p.rows)
	return made, others
}

// fits tells whether work is expected to go through as it is. What it does not see the store does.
func (p *planner) fits(made *plan, w *work) bool {
	if w.ack != nil {
		row := p.row(w.ack.device)
		c := w.ack.upTo
		return row != nil && c.epoch == made.epoch && c.mailbox == row.known.id
	}
	sender := p.row(w.send.device)
	if w.send.ahead || sender == nil || sender.known.user != w.send.user {
		return false
	}
	for i := range w.send.envelopes {
		to := &w.send.envelopes[i]
		row := p.row(to.Device)
		if row == nil || row.known.blocking || row.known.user != to.recipient.User || row.known.version != to.recipient.ListVersion ||
			row.known.waiting.Load()+row.coming+int64(len(w.send.envelopes)) > made.limits.MaxMessagesPerSender {
			return false
		}
	}
	return true
}

// row gives the row of a device, or nil if its mailbox is not known.
func (p *planner) row(device identity.DeviceID) *planRow {
	if row := p.rows[device]; row != nil {
		return row
	}
	mailbox := p.known.get(device)
	if mailbox == nil {
		return nil
	}
	row := &planRow{device: device, known: mailbox}
	p.rows[device] = row
	return row
}

func (p *planner) add(made *plan, w *work) {
	if w.ack != nil {
		p.rows[w.ack.device].upTo = w.ack.upTo.number
		made.acknowledging++
		return
	}
	sender := p.rows[w.send.device]
	for i := range w.send.envelopes {
		to := &w.send.envelopes[i]
		row := p.rows[to.Device]
		row.coming++
		row.bytes += int64(len(to.Ciphertext))
		made.envelopes = append(made.envelopes, planEnvelope{addressed: to, send: w.send, row: row, sender: sender, place: row.coming})
	}
	sender.accepted += int64(len(w.send.envelopes))
	made.claims = append(made.claims, w.send.claim)
}

// order puts rows and claims into the order in which everybody locks them.
func (p *plan) order(rows map[identity.DeviceID]*planRow) {
	for _, row := range rows {
		if row.moves() || row.upTo > 0 {
			p.rows = append(p.rows, row)
		}
	}
	slices.SortFunc(p.rows, func(a, b *planRow) int { return int(a.known.id - b.known.id) })
	slices.SortFunc(p.claims, func(a, b claim) int { return a.compare(b.sendKey) })
}

// answer gives the answers to a plan that is committed, and the hints for the hub.
func (p *plan) answer() ([]answer, []wakeup.Hint[Message]) {
	messages := make([]Message, len(p.envelopes))
	hints := make([]wakeup.Hint[Message], len(p.envelopes))
	for i := range p.envelopes {
		e := &p.envelopes[i]
		position := Cursor{epoch: p.epoch, mailbox: e.row.known.id, number: e.number()}
		messages[i] = e.send.stored(e.addressed, position, e.sender.known.version, p.now, p.limits)
		hints[i] = wakeup.Hint[Message]{Device: e.Device, Event: wakeup.Grown, Message: &messages[i]}
	}
	deliveries := make([]Delivery, len(p.envelopes))
	answers := make([]answer, len(p.works))
	for i, w := range p.works {
		if w.ack != nil {
			answers[i].acknowledgement = p.acknowledgement(w.ack)
			continue
		}
		n := len(w.send.envelopes)
		for j := range w.send.envelopes {
			deliveries[j] = Delivery{Device: w.send.envelopes[j].Device, Stored: true}
		}
		answers[i].receipt = Receipt{MessageID: w.send.id, AcceptedAt: p.now, Deliveries: deliveries[:n:n]}
		deliveries = deliveries[n:]
	}
	return answers, hints
}

func (p *plan) acknowledgement(a *ackWork) Acknowledgement {
	row := p.rowOf(a.upTo.mailbox)
	return Acknowledgement{UpTo: Cursor{epoch: p.epoch, mailbox: row.known.id, number: row.acknowledged}, Removed: int(row.removed)}
}

// rowOf gives the row of a mailbox of the plan, nil if it has none.
func (p *plan) rowOf(mailbox int64) *planRow {
	i, found := slices.BinarySearchFunc(p.rows, mailbox, func(row *planRow, id int64) int { return int(row.known.id - id) })
	if !found {
		return nil
	}
	return p.rows[i]
}
