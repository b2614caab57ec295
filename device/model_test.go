package device

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/letterlock/letterlock/identity"
)

// TestModel plays users over a server that loses, reorders, doubles and replays envelopes and answers, with hosts that
// die before or after their commits. What arrives is what was sent, once; what is lost shows as a gap; nothing honest is
// refused.
func TestModel(t *testing.T) {
	for name, protocols := range map[string]identity.Protocols{"boxes": identity.ProtocolBox, "sessions": identity.ProtocolSession} {
		t.Run(name, func(t *testing.T) { checkModel(t, protocols) })
	}
}

func checkModel(t *testing.T, protocols identity.Protocols) {
	rapid.Check(t, func(rt *rapid.T) {
		m := newModel(t, rt, protocols)
		rt.Repeat(map[string]func(*rapid.T){
			"compose":  m.compose,
			"try":      m.try,
			"deliver":  m.deliver,
			"lose":     m.lose,
			"handOver": m.handOver,
			"device":   m.device,
			"":         func(rt *rapid.T) { m.check(rt) },
		})
		m.settle(rt)
	})
}

type model struct {
	*world
	parties  []*party
	kept     map[identity.DeviceID][]Envelope // everything that was ever in a mailbox, to replay
	composed map[string]string                // text by "device/peer/history number"
	lost     map[string]bool                  // "recipient device/sender device/message id"
	shown    map[string]int                   // how often a notice was handed over and recorded
	added    int

	protocols identity.Protocols
}

func newModel(t *testing.T, rt *rapid.T, protocols identity.Protocols) *model {
	m := &model{
		protocols: protocols,
		world:     newWorld(t, rapid.Uint64().Draw(rt, "seed")), kept: map[identity.DeviceID][]Envelope{},
		composed: map[string]string{}, lost: map[string]bool{}, shown: map[string]int{},
	}
	for range rapid.IntRange(2, 3).Draw(rt, "users") {
		m.parties = append(m.parties, m.joinWith(protocols))
	}
	return m
}

func (m *model) party(rt *rapid.T) *party { return rapid.SampledFrom(m.parties).Draw(rt, "party") }

func (m *model) peer(rt *rapid.T, of *party) identity.UserID {
	others := slices.DeleteFunc(slices.Clone(m.parties), func(p *party) bool { return p.User == of.User })
	return rapid.SampledFrom(others).Draw(rt, "peer").User
}

func (m *model) compose(rt *rapid.T) {
	from := m.party(rt)
	to := m.peer(rt, from)
	text := fmt.Sprintf("%s %d", rapid.StringN(1, 40, 200).Draw(rt, "text"), len(m.composed))
	step, message, err := from.host().Compose(to, text)
	if err != nil {
		rt.Fatal(err)
	}
	if rapid.Bool().Draw(rt, "dies") {
		return
	}
	from.commit(step)
	m.composed[fmt.Sprintf("%s/%s/%d", from.Device, to, message.Number)] = text
}

// try sends once. The host may die before the commit, before the request, or the answer may get lost.
func (m *model) try(rt *rapid.T) {
	from := m.party(rt)
	to := m.peer(rt, from)
	step, err := from.host().NextSend(to, from.claimed...)
	if err != nil {
		rt.Fatal(err)
	}
	fate := rapid.SampledFrom([]string{"well", "well", "diesBefore", "diesAfter", "answerLost"}).Draw(rt, "fate")
	if fate == "diesBefore" {
		return
	}
	from.commit(step)
	if fate == "diesAfter" || len(step.Requests) == 0 {
		return
	}
	switch request := step.Requests[0].(type) {
	case *FetchUser:
		from.fetch(m.answer(request))
	case *ClaimPrekeys:
		sets := m.hand(request)
		if fate == "answerLost" {
			return // the keys are gone
		}
		if alarm := from.start(request.User, sets); alarm != nil {
			rt.Fatalf("honest prekeys are refused: %+v", alarm)
		}
		from.claimed = append(from.claimed, request.User)
	case *SendMessage:
		from.claimed = nil
		m.request(from, request, fate == "answerLost")
	}
}

func (m *model) request(from *party, request *SendMessage, answerLost bool) {
	refused, ok := m.accept(from, request)
	m.remember()
	switch {
	case answerLost:
	case ok:
		from.step(func(h Host) (Step, error) { return h.Accepted(request, Receipt{}) })
	default:
		step := from.step(func(h Host) (Step, error) { return h.Declined(request, refused) })
		for _, next := range step.Requests {
			from.fetch(m.answer(fetchOf(m.t, next)))
		}
	}
}

// remember keeps a copy of all envelopes for replays.
func (m *model) remember() {
	for device, box := range m.boxes {
		for _, envelope := range box {
			known := slices.ContainsFunc(m.kept[device], func(e Envelope) bool { return e.ID == envelope.ID })
			if !known {
				m.kept[device] = append(m.kept[device], envelope)
			}
		}
	}
}

// deliver hands over any envelope, which may have been delivered before.
func (m *model) deliver(rt *rapid.T) {
	to := m.party(rt)
	box := m.boxes[to.Device]
	if rapid.IntRange(0, 3).Draw(rt, "replay") == 0 {
		box = slices.DeleteFunc(slices.Clone(m.kept[to.Device]), func(e Envelope) bool { return m.isLost(to, e) })
	}
	if len(box) == 0 {
		return
	}
	envelope := rapid.SampledFrom(box).Draw(rt, "envelope")
	if rapid.IntRange(0, 3).Draw(rt, "dies") == 0 {
		if _, err := to.host().Receive(envelope); err != nil {
			rt.Fatal(err)
		}
		return
	}
	if reason := refusal(to.receive(envelope)); reason != "" {
		rt.Fatalf("refused what was sent honestly: %s", reason)
	}
	if rapid.Bool().Draw(rt, "acknowledge") {
		m.remove(to, envelope)
	}
}

func (m *model) remove(to *party, envelope Envelope) {
	m.boxes[to.Device] = slices.DeleteFunc(m.boxes[to.Device], func(e Envelope) bool { return e.ID == envelope.ID })
}

func lostName(to *party, e Envelope) string {
	return fmt.Sprintf("%s/%s/%s", to.Device, e.SenderDevice, e.MessageID)
}

func (m *model) isLost(to *party, e Envelope) bool { return m.lost[lostName(to, e)] }

// lose drops an envelope that was never delivered.
func (m *model) lose(rt *rapid.T) {
	to := m.party(rt)
	if len(m.boxes[to.Device]) == 0 {
		return
	}
	envelope := rapid.SampledFrom(m.boxes[to.Device]).Draw(rt, "envelope")
	device, _ := identity.ParseDeviceID(envelope.SenderDevice)
	id, _ := ParseMessageID(envelope.MessageID)
	if to.records[acceptedKey(device, id)] == nil {
		m.lost[lostName(to, envelope)] = true
	}
	m.remove(to, envelope)
}

// handOver shows what waits; the host may die in the midst.
func (m *model) handOver(rt *rapid.T) {
	p := m.party(rt)
	notices, err := p.host().Waiting(0, 100)
	if err != nil {
		rt.Fatal(err)
	}
	for _, notice := range notices {
		if rapid.IntRange(0, 4).Draw(rt, "dies") == 0 {
			return
		}
		p.step(func(h Host) (Step, error) { return h.HandedOver(notice.Number) })
		m.shown[fmt.Sprintf("%s/%d", p.Device, notice.Number)]++
	}
}

// device adds one more device, a few times.
func (m *model) device(rt *rapid.T) {
	if m.added == 3 || rapid.IntRange(0, 9).Draw(rt, "add") > 0 {
		return
	}
	m.added++
	m.parties = append(m.parties, m.parties[m.added%2].addDevice(m.protocols))
}

func (m *model) check(rt *rapid.T) {
	for _, p := range m.parties {
		for _, peer := range m.parties {
			if peer.User != p.User {
				m.checkHistory(rt, p, peer.User)
			}
		}
		if refused := must(p.host().Refusals(0, 10)); len(refused) > 0 {
			rt.Fatalf("refused: %+v", refused)
		}
	}
	for notice, times := range m.shown {
		if times > 1 {
			rt.Fatalf("%s was handed over %d times", notice, times)
		}
	}
}

// checkHistory: what one device holds of a conversation is what was composed, once, in sending order.
func (m *model) checkHistory(rt *rapid.T, p *party, with identity.UserID) {
	seen, last := map[MessageID]bool{}, map[identity.DeviceID]uint64{}
	for _, message := range must(p.host().History(with, 0, 1000)) {
		if seen[message.ID] {
			rt.Fatalf("%s stands twice in a history", message.ID)
		}
		seen[message.ID] = true
		if message.Device == p.Device {
			continue
		}
		if message.Counter <= last[message.Device] {
			rt.Fatalf("history is not in sending order: %d after %d", message.Counter, last[message.Device])
		}
		last[message.Device] = message.Counter
		if !m.wasComposed(message) {
			rt.Fatalf("received what nobody composed: %q", message.Text)
		}
	}
}

func (m *model) wasComposed(message Message) bool {
	for _, sender := range m.parties {
		if sender.Device != message.Device {
			continue
		}
		for _, peer := range m.parties {
			for _, original := range must(sender.host().History(peer.User, 0, 1000)) {
				if original.ID == message.ID && original.Text == message.Text && original.Counter == message.Counter {
					return true
				}
			}
		}
	}
	return false
}

// settle ends all troubles: everything is sent and, unless it was lost, received; and what was lost below the highest
// counter that came is known to be missing.
func (m *model) settle(rt *rapid.T) {
	for _, from := range m.parties {
		for _, to := range m.parties {
			for tries := 0; from.User != to.User && from.sendNext(to.User); tries++ {
				m.remember()
				if tries > 1000 {
					rt.Fatal("an outbox is never empty")
				}
			}
		}
	}
	for _, to := range m.parties {
		for _, envelope := range slices.Clone(m.boxes[to.Device]) {
			if reason := refusal(to.receive(envelope)); reason != "" {
				rt.Fatalf("refused what was sent honestly: %s", reason)
			}
		}
		m.checkGaps(rt, to)
	}
	for name, text := range m.composed {
		if !m.isSent(name, text) {
			rt.Fatalf("%q is not sent in the end", text)
		}
	}
	m.check(rt)
}

func (m *model) isSent(name, text string) bool {
	for _, from := range m.parties {
		for _, to := range m.parties {
			for _, message := range must(from.host().History(to.User, 0, 1000)) {
				if name == fmt.Sprintf("%s/%s/%d", from.Device, to.User, message.Number) {
					return message.Text == text && message.State == Sent
				}
			}
		}
	}
	return false
}

// checkGaps: every envelope that was ever made for a device has come, or was lost and is known to be missing if a later
// one came.
func (m *model) checkGaps(rt *rapid.T, to *party) {
	for _, envelope := range m.kept[to.Device] {
		device, _ := identity.ParseDeviceID(envelope.SenderDevice)
		id, _ := ParseMessageID(envelope.MessageID)
		came := to.records[acceptedKey(device, id)] != nil
		if came == m.isLost(to, envelope) {
			rt.Fatalf("message %s: came %v, lost %v", id, came, !came)
		}
		if came {
			continue
		}
		peer, counter := m.sealedAs(device, id)
		if peer == to.User {
			user, _ := identity.ParseUserID(envelope.SenderUser)
			peer = user
		}
		var s sequence
		if _, err := to.host().read(sequenceKey(peer, device), &s); err != nil {
			rt.Fatal(err)
		}
		known := slices.ContainsFunc(s.Missing, func(g span) bool { return g.From <= counter && counter <= g.To })
		started := must(to.host().own()).fromStart()
		if counter < s.Highest && !known && started {
			rt.Fatalf("counter %d is lost, and no gap shows it: %+v", counter, s)
		}
	}
}

// sealedAs gives the conversation and counter of a message, as its sender has them.
func (m *model) sealedAs(device identity.DeviceID, id MessageID) (identity.UserID, uint64) {
	for _, sender := range m.parties {
		if sender.Device != device {
			continue
		}
		for _, peer := range m.parties {
			for _, message := range must(sender.host().History(peer.User, 0, 1000)) {
				if message.ID == id {
					return message.Peer, message.Counter
				}
			}
		}
	}
	return identity.UserID{}, 0
}
