package device

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/identity"
)

// memory is Records in memory.
type memory map[Key][]byte

func (m memory) Get(key Key) ([]byte, error) { return m[key], nil }

func (m memory) List(collection Collection, owner string, after uint64, limit int) ([]Record, error) {
	var list []Record
	for key, value := range m {
		if key.Collection == collection && key.Owner == owner && key.Number > after {
			list = append(list, Record{Number: key.Number, Value: value})
		}
	}
	slices.SortFunc(list, func(a, b Record) int { return cmp.Compare(a.Number, b.Number) })
	return list[:min(len(list), limit)], nil
}

// world is a server that may lie, and users with devices. Time passes only when told to.
type world struct {
	t      testing.TB
	now    time.Time
	random io.Reader
	lists  map[identity.UserID][][]byte
	boxes  map[identity.DeviceID][]Envelope
	taken  map[string]taken // by device and message id
	last   int              // cursor
	pools  map[identity.DeviceID]*pool
}

type taken struct{ hash [sha256.Size]byte }

// party is one device.
type party struct {
	*world
	Self
	user    *cryptobox.SigningKey
	signing *cryptobox.SigningKey
	box     *cryptobox.BoxKey
	entry   identity.Entry
	records memory
	chains  *ChainCache
	claimed []identity.UserID // for the outbox's head
}

func newWorld(t testing.TB, seed uint64) *world {
	var key [32]byte
	copy(key[:], strconv.FormatUint(seed, 10))
	return &world{
		t: t, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), random: rand.NewChaCha8(key),
		lists: map[identity.UserID][][]byte{}, boxes: map[identity.DeviceID][]Envelope{}, taken: map[string]taken{},
		pools: map[identity.DeviceID]*pool{},
	}
}

// join makes a user with a first device, known to the server.
func (w *world) join() *party { return w.joinWith(identity.ProtocolBox) }

// joinWith makes one whose device takes these protocols, with prekeys on the server if it takes sessions.
func (w *world) joinWith(protocols identity.Protocols) *party {
	w.t.Helper()
	p := &party{world: w, records: memory{}, chains: new(ChainCache)}
	p.step(func(h Host) (Step, error) {
		step, self, err := h.Create(protocols)
		p.Self = self
		return step, err
	})
	p.readKeys()
	w.lists[p.User] = p.chainOf(p.User).Statements()
	p.upload()
	return p
}

func (p *party) readKeys() {
	p.t.Helper()
	k := must(p.host().keys())
	p.user, p.signing = must(cryptobox.SigningKeyFromSeed(k.User)), must(cryptobox.SigningKeyFromSeed(k.Signing))
	if len(k.Box) > 0 {
		p.box = must(cryptobox.BoxKeyFromSeed(k.Box))
	}
	p.entry, _ = p.chainOf(p.User).Device(p.Device)
}

// join another device of the same user, with these protocols, and publish the list.
func (p *party) addDevice(protocols identity.Protocols) *party {
	p.t.Helper()
	made := must(generateDevice(p.host(), protocols))
	entry := must(made.entry(p.User, protocols, p.now))
	p.publish(append(p.head().Entries, entry)...)
	added := &party{
		world: p.world, Self: Self{User: p.User, Device: entry.DeviceID()}, signing: made.signing, box: made.box, entry: entry,
		records: memory{}, chains: new(ChainCache),
	}
	if added.box == nil {
		added.box = must(cryptobox.GenerateBoxKey(p.random)) // what an attacker might use
	}
	added.step(func(h Host) (Step, error) {
		w := h.begin()
		return w.done(w.keepSelf(made.keys(p.User, p.now), p.lists[p.User]))
	})
	added.upload()
	return added
}

// head is the newest list that the server has of the party's user.
func (p *party) head() *identity.DeviceList {
	statements := p.lists[p.User]
	return must(identity.ParseDeviceList(statements[len(statements)-1]))
}

// sign signs the list after previous.
func (p *party) sign(previous *identity.DeviceList, entries ...identity.Entry) []byte {
	return must(identity.SignDeviceList(previous, p.user, p.signing, entries))
}

func (p *party) publish(entries ...identity.Entry) {
	p.lists[p.User] = append(p.lists[p.User], p.sign(p.head(), entries...))
}

func (p *party) host() Host {
	return Host{Records: p.records, Now: p.now, Rand: p.random, Server: "https://chat.example", Chains: p.chains}
}

// step runs a step and commits it.
func (p *party) step(do func(Host) (Step, error)) Step {
	p.t.Helper()
	step, err := do(p.host())
	if err != nil {
		p.t.Fatal(err)
	}
	p.commit(step)
	return step
}

func (p *party) commit(step Step) {
	for _, write := range step.Writes {
		if write.Value == nil {
			delete(p.records, write.Key)
		} else {
			p.records[write.Key] = write.Value
		}
	}
}

func (p *party) chainOf(user identity.UserID) *identity.Chain {
	p.t.Helper()
	return must(p.host().chain(user))
}

// answer is what an honest server says of a user.
func (w *world) answer(request *FetchUser) UserAnswer {
	statements, found := w.lists[request.User]
	answer := UserAnswer{User: request.User, Since: request.Since, Found: found, Version: uint32(len(statements))}
	if int(request.Since) < len(statements) {
		answer.Statements = statements[request.Since:]
	}
	return answer
}

func (p *party) fetch(answer UserAnswer) *Alarm {
	p.t.Helper()
	var alarm *Alarm
	p.step(func(h Host) (step Step, err error) {
		step, alarm, err = h.Fetched(answer)
		return step, err
	})
	return alarm
}

// accept is an honest server's sendMessage.
func (w *world) accept(from *party, request *SendMessage) (Refused, bool) {
	hash := sha256.Sum256(fmt.Append(nil, request.Recipients))
	name := from.Device.String() + request.MessageID.String()
	if before, ok := w.taken[name]; ok {
		if before.hash != hash {
			return RefusedForGood, false
		}
		return 0, true
	}
	for _, recipient := range request.Recipients {
		if int(recipient.ListVersion) != len(w.lists[recipient.User]) {
			return RefusedListChanged, false
		}
	}
	w.taken[name] = taken{hash}
	for _, recipient := range request.Recipients {
		for _, envelope := range recipient.Envelopes {
			w.last++
			w.boxes[envelope.Device] = append(w.boxes[envelope.Device], Envelope{
				ID: "e" + strconv.Itoa(w.last), Cursor: "c" + strconv.Itoa(w.last), MessageID: request.MessageID.String(),
				SenderUser: from.User.String(), SenderDevice: from.Device.String(), Kind: envelope.Kind,
				Ciphertext: envelope.Ciphertext, Nonce: envelope.Nonce,
			})
		}
	}
	return 0, true
}

// send composes a text and sends it to the end, honestly. It gives the message as the history has it then.
func (p *party) send(to identity.UserID, text string) *Message {
	p.t.Helper()
	message := p.compose(to, text)
	for range 10 {
		if !p.sendNext(to) {
			break
		}
	}
	return must(p.host().Message(to, message.Number))
}

// sendNext does what the outbox's head needs, and says whether there was anything.
func (p *party) sendNext(to identity.UserID) bool {
	p.t.Helper()
	step := p.step(func(h Host) (Step, error) { return h.NextSend(to, p.claimed...) })
	for _, request := range step.Requests {
		switch request := request.(type) {
		case *ClaimPrekeys:
			p.claim(request)
			p.claimed = append(p.claimed, request.User)
			continue
		case *FetchUser:
			p.fetchForSend(to, request)
		case *SendMessage:
			p.claimed = nil
			refused, ok := p.accept(p, request)
			if ok {
				p.step(func(h Host) (Step, error) { return h.Accepted(request, Receipt{AcceptedAt: p.now}) })
				continue
			}
			declined := p.step(func(h Host) (Step, error) { return h.Declined(request, refused) })
			for _, next := range declined.Requests {
				p.fetch(p.answer(fetchOf(p.t, next)))
			}
		}
	}
	if len(step.Requests) == 0 {
		p.claimed = nil
	}
	return len(step.Requests)+len(step.Notices)+len(step.Writes) > 0
}

func (p *party) fetchForSend(to identity.UserID, request *FetchUser) {
	p.t.Helper()
	answer := p.answer(request)
	if alarm := p.fetch(answer); alarm != nil || !answer.Found {
		p.step(func(h Host) (Step, error) { return h.GiveUp(to, RecipientUnknown) })
	}
}

// receive takes an envelope in, fetching honestly, and gives the last step.
func (p *party) receive(envelope Envelope) Step {
	p.t.Helper()
	return p.receiveFrom(envelope, p.answer)
}

// receiveFrom does so with a server that answers as told.
func (p *party) receiveFrom(envelope Envelope, answer func(*FetchUser) UserAnswer) Step {
	p.t.Helper()
	var asked []identity.UserID
	for range 5 {
		step := p.step(func(h Host) (Step, error) { return h.Receive(envelope, asked...) })
		if len(step.Writes) > 0 || len(step.Requests) == 0 {
			return step
		}
		request, ok := step.Requests[0].(*FetchUser)
		if !ok {
			return step
		}
		p.fetch(answer(request))
		asked = append(asked, request.User)
	}
	p.t.Fatal("Receive asks for ever")
	return Step{}
}

// mail takes everything out of the party's mailbox.
func (p *party) mail() []Envelope {
	all := p.boxes[p.Device]
	delete(p.boxes, p.Device)
	return all
}

// texts gives the texts of the history with a user.
func (p *party) texts(with identity.UserID) (texts []string) {
	p.t.Helper()
	for _, m := range must(p.host().History(with, 0, 1000)) {
		texts = append(texts, m.Text)
	}
	return texts
}

// fetchOf and sendOf give a request that must be of that kind.
func fetchOf(t testing.TB, request Request) *FetchUser {
	t.Helper()
	fetch, ok := request.(*FetchUser)
	if !ok {
		t.Fatalf("request %T, want FetchUser", request)
	}
	return fetch
}

func sendOf(t testing.TB, step Step) *SendMessage {
	t.Helper()
	if len(step.Requests) != 1 {
		t.Fatalf("requests %+v, want one", step.Requests)
	}
	send, ok := step.Requests[0].(*SendMessage)
	if !ok {
		t.Fatalf("request %T, want SendMessage", step.Requests[0])
	}
	return send
}

// sealNext gives the request that sends the first message of an outbox.
func (p *party) sealNext(to identity.UserID) *SendMessage {
	p.t.Helper()
	return sendOf(p.t, p.step(func(h Host) (Step, error) { return h.NextSend(to) }))
}

// compose puts a text into the outbox.
func (p *party) compose(to identity.UserID, text string) (message *Message) {
	p.t.Helper()
	p.step(func(h Host) (step Step, err error) {
		step, message, err = h.Compose(to, text)
		return step, err
	})
	return message
}

// refusal gives the reason for which a step refused an envelope, or "".
func refusal(step Step) RefusalReason {
	for _, notice := range step.Notices {
		if notice.Refusal != nil {
			return notice.Refusal.Reason
		}
	}
	return ""
}

// snapshot copies the records, to tell that nothing changed.
func (p *party) snapshot() memory { return maps.Clone(p.records) }

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
