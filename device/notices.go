package device

// noticeKey is where a notice waits until it is handed over.
func noticeKey(number uint64) Key { return Key{Collection: collectionNotices, Number: number} }

// show adds a notice to what waits to be handed over.
func (w *work) show(notice Notice) error {
	number, err := w.next(func(t *tallies) *uint64 { return &t.Notices })
	if err != nil {
		return err
	}
	notice.Number = number
	w.step.Notices = append(w.step.Notices, notice)
	return w.put(noticeKey(number), notice)
}

// Waiting gives notices that were not handed over, in order, with numbers above after, at most limit.
func (h Host) Waiting(after uint64, limit int) ([]Notice, error) {
	records, err := h.Records.List(collectionNotices, "", after, limit)
	if err != nil {
		return nil, err
	}
	notices := make([]Notice, len(records))
	for i, record := range records {
		if err := decode(record.Value, &notices[i]); err != nil {
			return nil, err
		}
	}
	return notices, nil
}

// HandedOver records that the application has the notice, and asks for the acknowledgement that this allows. Doing so
// again changes nothing.
func (h Host) HandedOver(number uint64) (Step, error) {
	w := h.begin()
	var notice Notice
	found, err := w.get(noticeKey(number), &notice)
	if err != nil || !found {
		return Step{}, err
	}
	w.delete(noticeKey(number))
	w.acknowledge(notice.Cursor)
	return w.step, nil
}

func (w *work) acknowledge(cursor string) {
	if cursor != "" {
		w.step.Requests = append(w.step.Requests, &Acknowledge{Cursor: cursor})
	}
}

// maxRefusals is how many refused envelopes are kept, so that a server can't fill the disk with them.
const maxRefusals = 1000

func refusalKey(number uint64) Key { return Key{Collection: collectionRefusals, Number: number} }

// Refusals gives the last refused envelopes, oldest first, with numbers above after, at most limit; the last 1,000 are kept.
func (h Host) Refusals(after uint64, limit int) ([]Refusal, error) {
	records, err := h.Records.List(collectionRefusals, "", after, limit)
	if err != nil {
		return nil, err
	}
	refusals := make([]Refusal, len(records))
	for i, record := range records {
		if err := decode(record.Value, &refusals[i]); err != nil {
			return nil, err
		}
	}
	return refusals, nil
}

// keepRefusal records and shows a refused envelope.
func (w *work) keepRefusal(refusal Refusal, cursor string) error {
	number, err := w.next(func(t *tallies) *uint64 { return &t.Refusals })
	if err != nil {
		return err
	}
	refusal.Number = number
	if err := w.put(refusalKey(number), refusal); err != nil {
		return err
	}
	if number > maxRefusals {
		w.delete(refusalKey(number - maxRefusals))
	}
	return w.show(Notice{Refusal: &refusal, Cursor: cursor})
}
