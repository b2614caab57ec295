package mailbox

import (
	"context"
	"slices"
)

// countBudget bounds the messages that one batch looks at to count senders: some tens of milliseconds. A send that goes
// beyond it waits for a later batch, so that whoever fills many mailboxes slows down only themselves.
const countBudget = 50_000

// quota counts, within one batch, the messages of users in mailboxes that may hold too many of theirs (delivery contract 8).
type quota map[senderPair]int64

// take counts one more message of a pair, unless its user has limit of them there. A pair that nobody counts is far below.
func (q quota) take(pair senderPair, limit int64) bool {
	n, counted := q[pair]
	if !counted {
		return true
	}
	if n >= limit {
		return false
	}
	q[pair] = n + 1
	return true
}

// countSenders counts the senders of those mailboxes that would hold more than one sender's quota if all of this batch
// went into them. In any other mailbox no sender can be above the quota, whoever they are: nothing is counted there, and
// no counter is kept for each pair of people who write to each other. A count reads one range of the primary key, at
// most Limits.MaxMessages rows.
func (b *batch) countSenders(ctx context.Context, tx transaction) error {
	pairs := b.pairsToCount(b.crowded())
	if len(pairs) == 0 {
		return nil
	}
	counts, err := tx.countBySender(ctx, pairs)
	if err != nil {
		return err
	}
	b.quota = make(quota, len(pairs))
	for _, pair := range pairs {
		b.quota[pair] = counts[pair]
	}
	return nil
}

// crowded gives the mailboxes in which a sender may reach the quota now. One that is full in all needs no count.
func (b *batch) crowded() map[*mailboxRow]bool {
	coming := make(map[*mailboxRow]int64)
	for _, w := range b.works {
		b.eachRow(w, func(row *mailboxRow) { coming[row]++ })
	}
	crowded := make(map[*mailboxRow]bool)
	for row, n := range coming {
		if row.count+n > b.limits.MaxMessagesPerSender && row.count < b.limits.MaxMessages {
			crowded[row] = true
		}
	}
	return crowded
}

// pairsToCount gives the senders to count in crowded mailboxes, in order, and puts sends off that are beyond the budget. The
// first such send is always within it.
func (b *batch) pairsToCount(crowded map[*mailboxRow]bool) []senderPair {
	if len(crowded) == 0 {
		return nil
	}
	b.putOff = make(map[*work]bool)
	counted := make(map[*mailboxRow]bool)
	var pairs []senderPair
	var cost int64
	for _, w := range b.works {
		var fresh []*mailboxRow
		var more int64
		b.eachRow(w, func(row *mailboxRow) {
			if !crowded[row] {
				return
			}
			fresh = append(fresh, row)
			if !counted[row] {
				more += row.count
			}
		})
		if more > 0 && cost > 0 && cost+more > countBudget {
			b.putOff[w] = true
			continue
		}
		cost += more
		for _, row := range fresh {
			counted[row] = true
			pairs = append(pairs, senderPair{mailbox: row.id, user: w.send.user})
		}
	}
	slices.SortFunc(pairs, senderPair.compare)
	return slices.Compact(pairs)
}

// eachRow calls visit for the mailbox of each envelope of a new send, where there is one.
func (b *batch) eachRow(w *work, visit func(*mailboxRow)) {
	if w.send == nil || !b.claimed.fresh[w.send.sendKey] {
		return
	}
	for _, to := range w.send.envelopes {
		if row := b.claimed.mailboxes[to.Device]; row != nil {
			visit(row)
		}
	}
}

func (p senderPair) compare(other senderPair) int {
	if p.mailbox != other.mailbox {
		return int(p.mailbox - other.mailbox)
	}
	return slices.Compare(p.user[:], other.user[:])
}
