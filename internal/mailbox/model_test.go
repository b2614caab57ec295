package mailbox

import (
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/problem"
)

// The bounds of the model are small, so that chance meets them.
var modelLimits = Limits{MaxMessages: 6, MaxMessagesPerSender: 4, MaxBytes: 40, MessageLifetime: 3 * time.Hour}

// modelRow is a message that lies in a mailbox, whether or not it has expired.
type modelRow struct {
	number  int64
	id      [16]byte
	from    identity.UserID
	size    int
	expires time.Time
}

// modelBox is what a mailbox should be.
type modelBox struct {
	user          *user
	device        identity.DeviceID
	rows          []modelRow
	last, acked   int64
	expired, sent int64
	closed        bool
	// reader is at position, if there is one.
	reader   *reading
	position int64
}

// modelSend is a send that was tried, with the answer that every later try gets.
type modelSend struct {
	send    Send
	made    time.Time
	receipt Receipt
}

// model is the delivery contract in memory, over users of its own in a world.
type model struct {
	*world
	users []*user
	boxes map[identity.DeviceID]*modelBox
	order []*modelBox
	sends []modelSend
}

func TestContract_AgainstAModel(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		rapid.Check(t, func(t *rapid.T) {
			m := &model{world: w, boxes: make(map[identity.DeviceID]*modelBox)}
			for _, devices := range []int{2, 1, 1} {
				u := w.user(devices)
				m.users = append(m.users, u)
				m.open(u, u.devices...)
			}
			t.Repeat(map[string]func(*rapid.T){
				"send": m.send, "send again": m.sendAgain, "acknowledge": m.acknowledgeSome, "wait": m.wait, "sweep": m.sweepAll,
				"subscribe": m.subscribeOne, "read": m.readOne, "publish": m.publish, "": m.check,
			})
			for _, box := range m.order {
				m.checkBox(t, box)
				box.stopReading()
			}
		})
	}, func(o *Options) { o.Limits = modelLimits })
}

func (m *model) open(u *user, devices ...identity.DeviceID) {
	for _, device := range devices {
		box := &modelBox{user: u, device: device}
		m.boxes[device] = box
		m.order = append(m.order, box)
	}
}

func (m *model) box(t *rapid.T) *modelBox { return rapid.SampledFrom(m.order).Draw(t, "mailbox") }

func (m *model) send(t *rapid.T) {
	from := m.box(t)
	send := Send{
		MessageID: m.newID(), SenderUser: from.user.id, SenderDevice: from.device,
		ExpiresIn: rapid.SampledFrom([]time.Duration{0, time.Hour, 2 * time.Hour, 9 * time.Hour}).Draw(t, "expires in"),
	}
	for _, u := range rapid.SliceOfNDistinct(rapid.SampledFrom(m.users), 1, 3, func(u *user) identity.UserID { return u.id }).Draw(t, "to") {
		r := Recipient{User: u.id, ListVersion: u.version - uint32(rapid.SampledFrom([]int{0, 0, 0, 0, 1}).Draw(t, "versions behind"))}
		text := make([]byte, rapid.IntRange(1, 12).Draw(t, "size"))
		for _, device := range u.devices {
			r.Envelopes = append(r.Envelopes, Envelope{Device: device, Kind: Session, Ciphertext: text})
		}
		send.Recipients = append(send.Recipients, r)
	}
	receipt, err := m.Send(m.ctx, send)
	if code := m.refuses(send); code != "" {
		m.wantCode(t, err, code)
		return
	}
	want := m.store(send)
	m.same(t, receipt, err, want)
	m.sends = append(m.sends, modelSend{send: send, made: m.clock.Now(), receipt: want})
}

// refuses gives the code that a new send should fail with.
func (m *model) refuses(send Send) problem.Code {
	if m.boxes[send.SenderDevice].closed {
		return problem.DeviceRemoved
	}
	for _, r := range send.Recipients {
		if u := m.boxes[r.Envelopes[0].Device].user; u.version != r.ListVersion {
			return problem.DeviceListChanged
		}
	}
	return ""
}

// store puts a send into the model's mailboxes.
func (m *model) store(send Send) Receipt {
	now := m.clock.Now()
	lifetime := modelLimits.MessageLifetime
	if send.ExpiresIn > 0 {
		lifetime = min(lifetime, send.ExpiresIn)
	}
	receipt := Receipt{MessageID: send.MessageID, AcceptedAt: now}
	for _, r := range send.Recipients {
		for _, e := range r.Envelopes {
			box := m.boxes[e.Device]
			stored := box.hasRoom(send.SenderUser, len(e.Ciphertext))
			if stored {
				box.last++
				box.rows = append(box.rows, modelRow{box.last, send.MessageID, send.SenderUser, len(e.Ciphertext), now.Add(lifetime)})
				m.boxes[send.SenderDevice].sent++
			}
			receipt.Deliveries = append(receipt.Deliveries, Delivery{Device: e.Device, Stored: stored})
		}
	}
	return receipt
}

func (b *modelBox) hasRoom(from identity.UserID, size int) bool {
	var ofSender int64
	bytes := int64(size)
	for _, row := range b.rows {
		bytes += int64(row.size)
		if row.from == from {
			ofSender++
		}
	}
	return int64(len(b.rows)) < modelLimits.MaxMessages && ofSender < modelLimits.MaxMessagesPerSender && bytes <= modelLimits.MaxBytes
}

// sendAgain repeats a send, perhaps with other content.
func (m *model) sendAgain(t *rapid.T) {
	if len(m.sends) == 0 {
		t.Skip("nothing was sent")
	}
	s := rapid.SampledFrom(m.sends).Draw(t, "which")
	send := s.send
	other := rapid.SampledFrom([]bool{false, false, true}).Draw(t, "other content")
	if other {
		send.ExpiresIn++
	}
	receipt, err := m.Send(m.ctx, send)
	switch {
	case m.clock.Now().Sub(s.made) > MessageIDLifetime:
		m.wantCode(t, err, problem.MessageIDExpired)
	case other:
		m.wantCode(t, err, problem.MessageIDReused)
	default:
		m.same(t, receipt, err, s.receipt)
	}
}

func (m *model) acknowledgeSome(t *rapid.T) {
	box := m.box(t)
	row, _, err := m.row(box)
	if err != nil {
		t.Fatal(err)
	}
	number := rapid.Int64Range(1, box.last+1).Draw(t, "up to")
	if box.reader != nil {
		m.readAll(t, box)
	}
	answer, err := m.Acknowledge(m.ctx, box.device, Cursor{epoch: row.epoch, mailbox: row.id, number: number})
	switch {
	case box.closed:
		m.wantCode(t, err, problem.DeviceRemoved)
		return
	case number > box.last:
		m.wantCode(t, err, problem.CursorInvalid)
		return
	case err != nil:
		t.Fatal(err)
	}
	before := len(box.rows)
	box.rows = slices.DeleteFunc(box.rows, func(r modelRow) bool { return r.number <= number })
	box.acked = max(box.acked, number)
	if answer.Removed != before-len(box.rows) || answer.UpTo.number != box.acked {
		t.Fatalf("acknowledged up to %d, removed %d; want %d, %d", answer.UpTo.number, answer.Removed, box.acked, before-len(box.rows))
	}
}

func (m *model) row(box *modelBox) (standing, bool, error) {
	return m.world.store.standing(m.ctx, box.device)
}

func (m *model) wait(t *rapid.T) {
	m.clock.move(rapid.SampledFrom([]time.Duration{time.Minute, time.Hour, 2 * time.Hour, 25 * time.Hour, 80 * time.Hour}).Draw(t, "time"))
}

func (m *model) sweepAll(*rapid.T) {
	m.tidy(m.ctx)
	now := m.clock.Now()
	for _, box := range m.order {
		before := len(box.rows)
		box.rows = slices.DeleteFunc(box.rows, func(r modelRow) bool { return !r.expires.After(now) })
		box.expired += int64(before - len(box.rows))
	}
}

func (m *model) subscribeOne(t *rapid.T) {
	box := m.box(t)
	var after *Cursor
	position := int64(0)
	if box.last > 0 && rapid.Bool().Draw(t, "resume") {
		row, _, err := m.row(box)
		if err != nil {
			t.Fatal(err)
		}
		position = rapid.Int64Range(1, box.last).Draw(t, "after")
		after = &Cursor{epoch: row.epoch, mailbox: row.id, number: position}
	}
	m.polls = rapid.Bool().Draw(t, "polls")
	r, err := m.tryToSubscribe(box.device, after)
	if box.closed {
		m.wantCode(t, err, problem.DeviceRemoved)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if older := box.reader; older != nil {
		_, err := older.Next(m.ctx)
		m.wantCode(t, err, problem.Superseded)
		older.Close()
	}
	box.reader, box.position = r, max(position, box.acked)
}

func (m *model) readOne(t *rapid.T) {
	box := m.box(t)
	if box.reader == nil {
		t.Skip("nobody reads")
	}
	m.readAll(t, box)
}

// readAll reads what a reader should have now, and that it has no more.
func (m *model) readAll(t *rapid.T, box *modelBox) {
	for _, want := range box.visible(m.clock.Now()) {
		if want.number <= box.position {
			continue
		}
		got := m.next(box.reader)
		if got.Number != want.number || got.MessageID != want.id {
			t.Fatalf("a reader got number %d, want %d", got.Number, want.number)
		}
		box.position = want.number
	}
	m.nothing(box.reader)
}

func (b *modelBox) visible(now time.Time) []modelRow {
	return slices.DeleteFunc(slices.Clone(b.rows), func(r modelRow) bool { return !r.expires.After(now) })
}

// publish moves a user's list on, and may replace a device.
func (m *model) publish(t *rapid.T) {
	u := rapid.SampledFrom(m.users).Draw(t, "user")
	if len(m.order) > 7 || rapid.Bool().Draw(t, "keep devices") {
		m.move(u, nil, nil)
		return
	}
	var added identity.DeviceID
	random(added[:])
	gone := m.boxes[rapid.SampledFrom(u.devices).Draw(t, "removed")]
	m.move(u, []identity.DeviceID{added}, []identity.DeviceID{gone.device})
	m.open(u, added)
	gone.closed, gone.rows = true, nil
	if gone.reader != nil {
		_, err := gone.reader.Next(m.ctx)
		m.wantCode(t, err, problem.DeviceRemoved)
	}
	gone.stopReading()
}

func (b *modelBox) stopReading() {
	if b.reader != nil {
		b.reader.Close()
		b.reader = nil
	}
}

// check compares a mailbox with the model, after every step.
func (m *model) check(t *rapid.T) { m.checkBox(t, m.box(t)) }

func (m *model) checkBox(t *rapid.T, box *modelBox) {
	status := m.status(box.device)
	var bytes int64
	for _, row := range box.rows {
		bytes += int64(row.size)
	}
	want := Status{
		User: box.user.id, ListVersion: box.user.version, Closed: box.closed, Accepted: box.sent, Expired: box.expired,
		Waiting: int64(len(box.rows)), WaitingBytes: bytes,
	}
	if status != want {
		t.Fatalf("a mailbox stands at %+v, want %+v", status, want)
	}
	if box.closed {
		return
	}
	page, err := m.Page(m.ctx, box.device, nil, MaxPage)
	if err != nil {
		t.Fatal(err)
	}
	var numbersWanted []int64
	for _, row := range box.visible(m.clock.Now()) {
		numbersWanted = append(numbersWanted, row.number)
	}
	if got := numbers(page.Messages); !slices.Equal(got, numbersWanted) {
		t.Fatalf("a mailbox holds %v, want %v", got, numbersWanted)
	}
}

func (m *model) wantCode(t *rapid.T, err error, code problem.Code) {
	var p *problem.Error
	if !errors.As(err, &p) || p.Code != code {
		t.Fatalf("got error %v, want %s", err, code)
	}
}

func (m *model) same(t *rapid.T, got Receipt, err error, want Receipt) {
	if err != nil {
		t.Fatal(err)
	}
	if got.MessageID != want.MessageID || !got.AcceptedAt.Equal(want.AcceptedAt) || !slices.Equal(got.Deliveries, want.Deliveries) {
		t.Fatalf("got receipt %+v, want %+v", got, want)
	}
}
