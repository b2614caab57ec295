package history_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/letterlock/letterlock/soak/internal/history"
)

// model is a server without a mistake and the clients of it: what they do is drawn, what it answers follows.
type model struct {
	t       *rapid.T
	events  []history.Event
	boxes   map[string]*box
	pending []history.Event // sends without an answer yet
	next    int
	reading int64
	open    []*open
}

type box struct {
	device       string
	envelopes    []history.Event // as a reading shows them
	known        map[string]bool // messages that are in it, ever
	shown, acked int64
	removed      bool
}

type open struct {
	id   int64
	box  *box
	last int64
}

func newModel(t *rapid.T) *model {
	m := &model{t: t, boxes: map[string]*box{}}
	for _, device := range []string{"a", "b", "c", "d"} {
		m.boxes[device] = &box{device: device, known: map[string]bool{}}
		m.add(added(device))
	}
	return m
}

func (m *model) add(e history.Event) { m.events = append(m.events, e) }

func (m *model) listed() []string {
	var list []string
	for _, device := range []string{"a", "b", "c", "d"} {
		if !m.boxes[device].removed {
			list = append(list, device)
		}
	}
	return list
}

func (m *model) anyBox() *box { return m.boxes[rapid.SampledFrom(m.listed()).Draw(m.t, "device")] }

// send begins a message; when it is committed is drawn later.
func (m *model) send() {
	from := m.anyBox()
	to := rapid.SliceOfNDistinct(rapid.SampledFrom(m.listed()), 1, -1, rapid.ID[string]).Draw(m.t, "to")
	m.next++
	e := send(strconv.Itoa(m.next), to...)
	e.Device = from.device
	m.add(e)
	m.pending = append(m.pending, e)
}

// commit stores one of the sends that are under way, and answers it or does not; then it may be tried again.
func (m *model) commit() {
	if len(m.pending) == 0 {
		return
	}
	i := rapid.IntRange(0, len(m.pending)-1).Draw(m.t, "which")
	e := m.pending[i]
	for _, part := range e.To {
		if b := m.boxes[part.Device]; !b.removed && !b.known[e.Message] {
			b.known[e.Message] = true
			b.envelopes = append(b.envelopes, history.Event{
				Kind: history.Got, Position: int64(len(b.envelopes)) + 1, Sender: e.Device, Message: e.Message, Content: part.Content,
			})
		}
	}
	switch rapid.SampledFrom([]string{"answer", "answer", "silence", "again"}).Draw(m.t, "then") {
	case "silence":
		m.add(history.Event{Kind: history.Unanswered, Device: e.Device, Message: e.Message})
		m.add(e)
		return
	case "again":
		m.add(m.answer(e))
		m.add(e)
	}
	m.pending = slices.Delete(m.pending, i, i+1)
	m.add(m.answer(e))
	m.add(history.Event{Kind: history.Done, Device: e.Device, Message: e.Message})
}

func (m *model) answer(e history.Event) history.Event {
	a := history.Event{Kind: history.Stored, Device: e.Device, Message: e.Message, At: "t" + e.Message}
	for _, part := range e.To {
		a.To = append(a.To, history.Envelope{Device: part.Device, Status: history.StatusStored})
	}
	return a
}

func (m *model) read() {
	b := m.anyBox()
	m.reading++
	after := int64(0)
	if b.shown > b.acked && rapid.Bool().Draw(m.t, "resume") {
		after = rapid.Int64Range(b.acked, b.shown).Draw(m.t, "after")
	}
	m.open = append(m.open, &open{id: m.reading, box: b, last: max(after, b.acked)})
	e := read(m.reading, after)
	e.Device = b.device
	m.add(e)
}

// show has a reading go on by some envelopes.
func (m *model) show() {
	if len(m.open) == 0 {
		return
	}
	r := rapid.SampledFrom(m.open).Draw(m.t, "reading")
	for range rapid.IntRange(1, 4).Draw(m.t, "some") {
		r.last = max(r.last, r.box.acked)
		if r.box.removed || r.last >= int64(len(r.box.envelopes)) {
			return
		}
		e := r.box.envelopes[r.last]
		e.Reading = r.id
		m.add(e)
		r.last = e.Position
		r.box.shown = max(r.box.shown, r.last)
	}
}

func (m *model) acknowledge() {
	b := m.anyBox()
	if b.shown == 0 {
		return
	}
	upTo := rapid.Int64Range(1, b.shown).Draw(m.t, "up to")
	removed := max(upTo-b.acked, 0)
	b.acked = max(b.acked, upTo)
	m.add(history.Event{Kind: history.Acknowledge, Device: b.device, Position: upTo})
	m.add(history.Event{Kind: history.Acknowledged, Device: b.device, Position: upTo, Count: removed})
}

// remove takes d off, once nothing that it sends is under way.
func (m *model) remove() {
	b := m.boxes["d"]
	concerns := func(e history.Event) bool {
		return e.Device == "d" || slices.ContainsFunc(e.To, func(p history.Envelope) bool { return p.Device == "d" })
	}
	if b.removed || slices.ContainsFunc(m.pending, concerns) {
		return
	}
	b.removed = true
	m.add(history.Event{Kind: history.Remove, Device: "d"})
	m.add(history.Event{Kind: history.Removed, Device: "d"})
}

// finish commits what is under way and shows every mailbox to its end.
func (m *model) finish() {
	for len(m.pending) > 0 {
		m.commit()
	}
	for _, device := range m.listed() {
		b := m.boxes[device]
		m.reading++
		e := read(m.reading, 0)
		e.Device = device
		m.add(e)
		for _, e := range b.envelopes[b.acked:] {
			e.Reading = m.reading
			m.add(e)
		}
		m.add(atEnd(m.reading))
	}
}

func (m *model) run() []history.Event {
	steps := []func(){m.send, m.send, m.commit, m.commit, m.read, m.show, m.show, m.acknowledge, m.remove}
	for range rapid.IntRange(5, 60).Draw(m.t, "steps") {
		steps[rapid.IntRange(0, len(steps)-1).Draw(m.t, "step")]()
	}
	m.finish()
	return m.events
}

func judge(events []history.Event) []history.Breach {
	c := history.New()
	for _, e := range events {
		c.Add(e)
	}
	c.Finish()
	breaches, _ := c.Breaches()
	return breaches
}

func TestACorrectServerHasNoBreach(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		if breaches := judge(newModel(t).run()); len(breaches) > 0 {
			t.Fatal(breaches)
		}
	})
}

// mutations are what a server with a mistake would have done, at a place where it shows an envelope: each gives the history with
// another piece in the place of that event.
var mutations = map[string]func(e history.Event) []history.Event{
	"left out":         func(history.Event) []history.Event { return nil },
	"twice":            func(e history.Event) []history.Event { return []history.Event{e, e} },
	"twice, numbered":  func(e history.Event) []history.Event { n := e; n.Position++; return []history.Event{e, n} },
	"other content":    func(e history.Event) []history.Event { e.Content += "!"; return []history.Event{e} },
	"other message":    func(e history.Event) []history.Event { e.Message = "0"; return []history.Event{e} },
	"other sender":     func(e history.Event) []history.Event { e.Sender += "!"; return []history.Event{e} },
	"number left out":  func(e history.Event) []history.Event { e.Position++; return []history.Event{e} },
	"number from past": func(e history.Event) []history.Event { e.Position--; return []history.Event{e} },
}

func TestAServerWithAMistakeIsFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := newModel(t).run()
		var places []int
		for i, e := range events {
			if e.Kind == history.Got && decisive(events, i) {
				places = append(places, i)
			}
		}
		if len(places) == 0 {
			t.Skip("nothing was shown")
		}
		i := rapid.SampledFrom(places).Draw(t, "place")
		for name, mutate := range mutations {
			mutated := slices.Concat(events[:i:i], mutate(events[i]), events[i+1:])
			if len(judge(mutated)) == 0 {
				t.Fatalf("%s at line %d is not noticed in\n%s", name, i+1, text(events))
			}
		}
	})
}

// decisive tells whether an event is the only sight of an envelope: others may be left out by a reading that ends early, and
// what was acknowledged meanwhile is not remembered.
func decisive(events []history.Event, i int) bool {
	reader := func(reading int64) string {
		for _, e := range events {
			if e.Kind == history.Read && e.Reading == reading {
				return e.Device
			}
		}
		return ""
	}
	device, sights := reader(events[i].Reading), 0
	for _, e := range events {
		if e.Kind == history.Got && e.Position == events[i].Position && reader(e.Reading) == device {
			sights++
		}
	}
	return sights == 1 && device != "d"
}

func text(events []history.Event) (s string) {
	for i, e := range events {
		s += fmt.Sprintf("%d %+v\n", i+1, e)
	}
	return s
}
