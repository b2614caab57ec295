package device

// CheckAccepted compares what the server has ever accepted of this device, by viewer.acceptedCount, with what is known here.
// Where the server is ahead, these records are older than what was sent: a backup was put back, or a second copy is at
// work. Then nothing more is sent on the sessions that they hold, which only receive, and new ones are started (R3).
//
// The server's word is a hint: a server that lies makes devices start new sessions, no more.
func (h Host) CheckAccepted(accepted uint64) (rolledBack bool, step Step, err error) {
	w := h.begin()
	var server serverRecord
	if _, err := w.get(w.serverKey(), &server); err != nil {
		return false, Step{}, err
	}
	underWay, err := w.underWay()
	if err != nil {
		return false, Step{}, err
	}
	rolledBack = server.Counted && accepted > server.Accepted+underWay
	if !rolledBack && server.Counted {
		return false, Step{}, nil
	}
	if rolledBack {
		var all tallies
		key := Key{Collection: collectionTallies}
		if _, err := w.get(key, &all); err != nil {
			return false, Step{}, err
		}
		all.Epoch++
		if err := w.put(key, all); err != nil {
			return false, Step{}, err
		}
	}
	server.Accepted, server.Counted = max(accepted, server.Accepted), true
	step, err = w.done(w.put(w.serverKey(), server))
	return rolledBack, step, err
}

// underWay counts the envelopes that the server may have taken without an answer that has reached these records.
func (w *work) underWay() (count uint64, err error) {
	users, err := w.Outboxes()
	if err != nil {
		return 0, err
	}
	for _, user := range users {
		item, _, err := w.head(user)
		if err != nil {
			return 0, err
		}
		if item != nil && item.Tries > 0 {
			count += item.envelopes()
		}
	}
	return count, nil
}

func (o *outgoing) envelopes() (count uint64) {
	for _, recipient := range o.Recipients {
		count += uint64(len(recipient.Envelopes))
	}
	return count
}

// countAccepted takes note that the server has, or may have, accepted envelopes.
func (w *work) countAccepted(envelopes uint64) error {
	var server serverRecord
	if _, err := w.get(w.serverKey(), &server); err != nil {
		return err
	}
	server.Accepted += envelopes
	return w.put(w.serverKey(), server)
}
