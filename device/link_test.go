package device

import (
	"bytes"
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/identity"
)

// linking is a link between alice's device and a new one, with the slot that the server keeps.
type linking struct {
	*world
	alice, fresh *party
	code         cryptobox.LinkCode
	device       identity.DeviceID
	slot         map[cryptobox.LinkStep][]byte
}

// startLink has a new device show its code and leave its keys.
func startLink(alice *party, protocols identity.Protocols) *linking {
	alice.t.Helper()
	l := &linking{world: alice.world, alice: alice, slot: map[cryptobox.LinkStep][]byte{}}
	l.fresh = &party{world: alice.world, records: memory{}, chains: new(ChainCache)}
	l.put(l.fresh.step(func(h Host) (Step, error) {
		step, shown, err := h.StartLink(protocols)
		l.device, l.code = shown.Device, shown.Code
		return step, err
	}))
	return l
}

func newLinking(t *testing.T) *linking {
	t.Helper()
	return startLink(newWorld(t, 1).joinWith(identity.ProtocolSession), identity.ProtocolSession)
}

// put is the server's slot: a step is written once.
func (l *linking) put(step Step) {
	l.t.Helper()
	for _, request := range step.Requests {
		put, ok := request.(*PutLink)
		if !ok {
			l.t.Fatalf("request %T, want PutLink", request)
		}
		want := must(l.code.Slot())
		if before, taken := l.slot[put.Step]; !bytes.Equal(put.Slot, want) || taken && !bytes.Equal(before, put.Data) {
			l.t.Fatalf("step %d is written twice, or elsewhere", put.Step)
		}
		l.slot[put.Step] = put.Data
	}
}

func (l *linking) offer(manage bool) {
	l.t.Helper()
	l.put(l.alice.step(func(h Host) (Step, error) { return h.OfferLink(l.code, l.slot[0], manage) }))
}

func (l *linking) join() {
	l.t.Helper()
	l.put(l.fresh.step(func(h Host) (Step, error) { return h.JoinLink(l.slot[1]) }))
}

// sign has alice sign the list, and publishes it.
func (l *linking) sign() {
	l.t.Helper()
	for _, request := range l.alice.step(func(h Host) (Step, error) { return h.SignLink(l.slot[2]) }).Requests {
		l.lists[l.alice.User] = append(l.lists[l.alice.User], request.(*PublishList).Statement)
	}
	l.catchUp(l.alice)
}

// catchUp fetches alice's chain from an honest server.
func (l *linking) catchUp(p *party) {
	l.t.Helper()
	held := must(p.host().chain(l.alice.User)).Version()
	if alarm := p.fetch(l.answer(&FetchUser{User: l.alice.User, Since: held})); alarm != nil {
		l.t.Fatalf("alarm %+v", alarm)
	}
}

func (l *linking) grant() {
	l.t.Helper()
	l.put(l.alice.step(Host.GrantLink))
}

var errAsksForEver = errors.New("it asks for the chain for ever")

// finish has the new device take step 3.
func (l *linking) finish() error {
	l.t.Helper()
	for range 2 {
		step, self, err := l.fresh.host().FinishLink(l.slot[3])
		if err != nil {
			return err
		}
		l.fresh.commit(step)
		if len(step.Requests) == 0 {
			l.fresh.Self = self
			return nil
		}
		l.fresh.fetch(l.answer(fetchOf(l.t, step.Requests[0])))
	}
	return errAsksForEver
}

// upTo goes on honestly until this step lies in the slot.
func (l *linking) upTo(step cryptobox.LinkStep, manage bool) {
	l.t.Helper()
	l.offer(manage)
	if step >= cryptobox.LinkStepEntry {
		l.join()
	}
	if step >= cryptobox.LinkStepGrant {
		l.sign()
		l.grant()
	}
}

// refused makes sure that the new device has become nobody's.
func (l *linking) refused(err, want error) {
	l.t.Helper()
	if !errors.Is(err, want) {
		l.t.Errorf("error %v, want %v", err, want)
	}
	if _, err := l.fresh.host().Self(); !errors.Is(err, ErrNoKeys) {
		l.t.Errorf("the new device is somebody's: %v", err)
	}
}

func TestLinkMakesADeviceOfTheUser(t *testing.T) {
	for _, protocols := range []identity.Protocols{identity.ProtocolSession, identity.ProtocolBox} {
		for _, manage := range []bool{false, true} {
			l := startLink(newWorld(t, 1).joinWith(protocols), protocols)
			if id, err := l.alice.host().CheckLink(l.code, l.slot[0]); err != nil || id != l.device {
				t.Fatalf("device %v: %v", id, err)
			}
			l.offer(manage)
			if user, err := l.fresh.host().LinkOffered(l.slot[1]); err != nil || user != l.alice.User {
				t.Fatalf("user %v: %v", user, err)
			}
			l.join()
			l.sign()
			l.grant()
			if err := l.finish(); err != nil {
				t.Fatal(err)
			}
			if l.fresh.User != l.alice.User || l.fresh.Device != l.device {
				t.Errorf("it became %+v", l.fresh.Self)
			}
			if step, err := l.fresh.host().Register(); err != nil || len(step.Requests) > 0 {
				t.Errorf("it would register anew: %+v, %v", step.Requests, err)
			}
			if l.fresh.records[linkKey(sideNew)] != nil {
				t.Error("secrets of the link are kept on the new device")
			}
			if k := must(l.fresh.host().keys()); (len(k.User) > 0) != manage {
				t.Errorf("manage %v, but it holds the user key: %v", manage, len(k.User) > 0)
			}
			l.alice.step(Host.DropLink)
			if l.alice.records[linkKey(sideExisting)] != nil {
				t.Error("secrets of the link are kept on the existing device")
			}
		}
	}
}

// A crash between any two steps repeats requests with the same bytes; put makes sure of it.
func TestLinkGoesOnAfterCrashes(t *testing.T) {
	l := newLinking(t)
	again := func(do func()) { do(); do() }
	again(func() {
		l.put(l.fresh.step(func(h Host) (Step, error) {
			step, shown, err := h.StartLink(identity.ProtocolSession)
			if shown.Device != l.device || shown.Code.Text() != l.code.Text() {
				t.Errorf("another code is shown for %v", shown.Device)
			}
			return step, err
		}))
	})
	again(func() { l.offer(true) })
	again(l.join)
	again(l.sign)
	again(l.grant)
	l.offer(true)
	l.sign()
	l.grant()
	if n := len(l.lists[l.alice.User]); n != 2 {
		t.Errorf("%d lists were published, want 2", n)
	}
	if err := l.finish(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := l.fresh.host().StartLink(identity.ProtocolSession); !errors.Is(err, ErrHasKeys) {
		t.Errorf("a linked device starts another link: %v", err)
	}
}

func TestAnOldLinkStartsAnewWithOtherKeys(t *testing.T) {
	l := newLinking(t)
	l.now = l.now.Add(LinkLifetime)
	_, shown, err := l.fresh.host().StartLink(identity.ProtocolSession)
	if err != nil || shown.Device == l.device || shown.Code.Text() == l.code.Text() || shown.Ends != l.now.Add(LinkLifetime) {
		t.Errorf("%+v: %v", shown, err)
	}
}

func TestAttackLinkServerSwapsKeysInStep0(t *testing.T) {
	l := newLinking(t)
	mallory := startLink(l.alice, identity.ProtocolSession)
	before := l.alice.snapshot()
	for name, step0 := range map[string][]byte{
		"another device's": mallory.slot[0],
		"mixed":            append(bytes.Clone(l.slot[0][:66]), mallory.slot[0][66:]...),
		"empty":            {}, "nonsense": bytes.Repeat([]byte{7}, 98),
	} {
		if _, err := l.alice.host().CheckLink(l.code, step0); !errors.Is(err, ErrLinkForged) {
			t.Errorf("%s keys are taken: %v", name, err)
		}
		if _, err := l.alice.host().OfferLink(l.code, step0, true); !errors.Is(err, ErrLinkForged) {
			t.Errorf("%s keys get an offer: %v", name, err)
		}
	}
	if !maps.EqualFunc(before, l.alice.records, bytes.Equal) {
		t.Error("records have changed")
	}
}

func TestAttackLinkServerSwapsTheOffer(t *testing.T) {
	l := newLinking(t)
	l.offer(false)
	mallory := l.joinWith(identity.ProtocolSession)
	// The server knows all public keys and makes an offer of its own, for a user of its own, with a secret that it guesses.
	public := must(cryptobox.ParseLinkKeys(l.slot[0]))
	guess := must(cryptobox.LinkCodeFromSeed(make([]byte, 16), &public))
	forged := must(mallory.host().OfferLink(guess, l.slot[0], false)).Requests[0].(*PutLink).Data
	_, err := l.fresh.host().LinkOffered(forged)
	l.refused(err, ErrLinkForged)
	_, err = l.fresh.host().JoinLink(forged)
	l.refused(err, ErrLinkForged)
	l.join()
	if _, err := l.fresh.host().JoinLink(forged); !errors.Is(err, ErrLinkForged) {
		t.Errorf("another offer is taken after the first: %v", err)
	}
}

// Somebody who has photographed the code can offer a user of their own. The new device says which, and asks.
func TestLinkShowsWhoseOfferItIs(t *testing.T) {
	l := newLinking(t)
	mallory := l.joinWith(identity.ProtocolSession)
	offer := must(mallory.host().OfferLink(l.code, l.slot[0], false)).Requests[0].(*PutLink).Data
	if user, err := l.fresh.host().LinkOffered(offer); err != nil || user != mallory.User {
		t.Errorf("it shows %v: %v", user, err)
	}
}

func TestAttackLinkServerSwapsTheAnswer(t *testing.T) {
	l := newLinking(t)
	l.upTo(cryptobox.LinkStepEntry, false)
	changed := bytes.Clone(l.slot[2])
	changed[len(changed)-1] ^= 1
	for name, step2 := range map[string][]byte{
		"changed": changed, "the offer": l.slot[1], "the keys": l.slot[0], "empty": {},
		"an entry in clear": must(identity.ParseEntry(l.alice.entry.Statement())).Statement(),
	} {
		if _, err := l.alice.host().SignLink(step2); !errors.Is(err, ErrLinkForged) {
			t.Errorf("%s is signed: %v", name, err)
		}
	}
}

// A new device must not get other keys onto the list than those of its code.
func TestAttackLinkEntryWithOtherKeys(t *testing.T) {
	l := newLinking(t)
	l.upTo(cryptobox.LinkStepEntry, false)
	_, fresh, err := (&work{Host: l.fresh.host()}).joining()
	if err != nil {
		t.Fatal(err)
	}
	mallory := must(generateDevice(l.fresh.host(), identity.ProtocolSession))
	channel, _, err := cryptobox.OpenLinkOffer(fresh.code, fresh.transfer, l.slot[1])
	if err != nil {
		t.Fatal(err)
	}
	entryOf := func(signing *cryptobox.SigningKey, agreement identity.AgreementPublicKey, user identity.UserID, p identity.Protocols) identity.Entry {
		box := must(cryptobox.GenerateBoxKey(l.random))
		return must(identity.SignEntry(identity.EntryFields{
			UserID: user, AgreementKey: agreement, Protocols: p, CreatedAt: l.now, BoxKey: box.PublicKey(),
		}, signing))
	}
	own := fresh.agreement.PublicKey()
	for name, entry := range map[string]identity.Entry{
		"agreement key": entryOf(fresh.signing, mallory.agreement.PublicKey(), l.alice.User, identity.ProtocolSession),
		"signing key":   entryOf(mallory.signing, own, l.alice.User, identity.ProtocolSession),
		"user":          entryOf(fresh.signing, own, l.joinWith(identity.ProtocolSession).User, identity.ProtocolSession),
		"protocols":     entryOf(fresh.signing, own, l.alice.User, identity.ProtocolSession|identity.ProtocolBox),
	} {
		step2 := must(channel.Seal(l.random, cryptobox.LinkStepEntry, entry.Statement()))
		if _, err := l.alice.host().SignLink(step2); !errors.Is(err, ErrLinkForged) {
			t.Errorf("an entry with another %s is signed: %v", name, err)
		}
	}
}

func TestAttackLinkReplaysAnotherLinksSlot(t *testing.T) {
	l := newLinking(t)
	other := startLink(l.alice, identity.ProtocolSession)
	other.upTo(cryptobox.LinkStepGrant, true)
	if err := other.finish(); err != nil {
		t.Fatal(err)
	}
	_, err := l.fresh.host().LinkOffered(other.slot[1])
	l.refused(err, ErrLinkForged)
	l.upTo(cryptobox.LinkStepEntry, false)
	if _, err := l.alice.host().SignLink(other.slot[2]); !errors.Is(err, ErrLinkForged) {
		t.Errorf("another link's entry is signed: %v", err)
	}
	l.slot[3] = other.slot[3]
	l.refused(l.finish(), ErrLinkForged)
}

func TestAttackLinkWrongSecretOrHash(t *testing.T) {
	l := newLinking(t)
	text := l.code.Text()
	for name, at := range map[string]int{"secret": 20, "hash": 60} {
		letter := byte('a')
		if text[at] == letter {
			letter = 'b'
		}
		changed := must(cryptobox.ParseLinkCode(text[:at] + string(letter) + text[at+1:]))
		if name == "hash" {
			if _, err := l.alice.host().CheckLink(changed, l.slot[0]); !errors.Is(err, ErrLinkForged) {
				t.Errorf("a code with another hash is taken: %v", err)
			}
			continue
		}
		if bytes.Equal(must(changed.Slot()), must(l.code.Slot())) {
			t.Error("another secret has the same slot")
		}
		offer := must(l.alice.host().OfferLink(changed, l.slot[0], false)).Requests[0].(*PutLink).Data
		_, err := l.fresh.host().LinkOffered(offer)
		l.refused(err, ErrLinkForged)
	}
}

func TestAttackLinkServerAddsADevice(t *testing.T) {
	l := newLinking(t)
	l.upTo(cryptobox.LinkStepGrant, false)
	honest := l.lists[l.alice.User]
	mallory := l.joinWith(identity.ProtocolSession)
	// A list that alice has not signed, behind hers and in its place.
	forged := l.lists[mallory.User][0]
	for name, lists := range map[string][][]byte{
		"behind": append(honest[:len(honest):len(honest)], forged), "in its place": {honest[0], forged},
	} {
		l.lists[l.alice.User] = lists
		records := maps.Clone(l.fresh.records)
		step := must1(l.fresh.host().FinishLink(l.slot[3]))
		if alarm := l.fresh.fetch(l.answer(fetchOf(t, step.Requests[0]))); alarm == nil || alarm.Reason != ForgedList {
			t.Errorf("%s: alarm %+v", name, alarm)
		}
		step, _, err := l.fresh.host().FinishLink(l.slot[3])
		l.refused(err, nil)
		if len(step.Writes) > 0 || len(step.Requests) != 1 {
			t.Errorf("%s: it goes on with %+v", name, step)
		}
		l.fresh.records = records
	}
}

func must1[A, B any](a A, _ B, err error) A {
	if err != nil {
		panic(err)
	}
	return a
}

// The server withholds the list that names the new device, or shows a chain in which another one stands under its version.
func TestAttackLinkServerShowsAnotherList(t *testing.T) {
	l := newLinking(t)
	l.upTo(cryptobox.LinkStepGrant, false)
	honest := l.lists[l.alice.User]
	l.lists[l.alice.User] = honest[:1]
	l.refused(l.finish(), errAsksForEver) // it has no reason to refuse, and none to go on
	// Alice's own key has signed another version 2, as a thief of it could.
	l.publish(l.alice.entry)
	l.refused(l.finish(), ErrLinkList)
}

func (l *linking) publish(entries ...identity.Entry) { l.alice.publish(entries...) }

func TestLinkOfADeviceThatWasRemovedMeanwhile(t *testing.T) {
	l := newLinking(t)
	l.upTo(cryptobox.LinkStepGrant, false)
	l.publish(l.alice.entry)
	l.refused(l.finish(), ErrRemoved)
}

// The grant's user key must be the one of the offer.
func TestAttackLinkGrantWithAnotherUserKey_S5(t *testing.T) {
	l := newLinking(t)
	l.upTo(cryptobox.LinkStepGrant, true)
	w := &work{Host: l.alice.host()}
	_, existing, err := w.inviting()
	if err != nil {
		t.Fatal(err)
	}
	head := l.alice.head()
	grant := cryptobox.LinkGrant{Version: head.Version, ListHash: head.Hash(), UserKey: l.joinWith(identity.ProtocolSession).user}
	l.slot[3] = must(existing.channel.Seal(l.random, cryptobox.LinkStepGrant, grant.Marshal()))
	l.refused(l.finish(), ErrLinkForged)
	grant = cryptobox.LinkGrant{Version: head.Version - 1, ListHash: head.Previous}
	l.slot[3] = must(existing.channel.Seal(l.random, cryptobox.LinkStepGrant, grant.Marshal()))
	l.refused(l.finish(), ErrLinkList)
}

// The user key leaves the device only if its user has said so for this very link.
func TestUserKeyGoesOnlyWithManage_S5(t *testing.T) {
	l := newLinking(t)
	l.upTo(cryptobox.LinkStepGrant, true)
	l.alice.step(func(h Host) (Step, error) { return h.OfferLink(l.code, l.slot[0], false) })
	again := l.alice.step(Host.GrantLink).Requests[0].(*PutLink).Data
	if bytes.Equal(again, l.slot[3]) {
		t.Fatal("the grant with the user key is sent after its user has taken that back")
	}
	l.slot[3] = again
	if err := l.finish(); err != nil {
		t.Fatal(err)
	}
	if k := must(l.fresh.host().keys()); len(k.User) > 0 {
		t.Error("it holds the user key")
	}
	if _, err := l.fresh.host().CheckLink(l.code, l.slot[0]); !errors.Is(err, ErrNoUserKey) {
		t.Errorf("a device without the user key invites others: %v", err)
	}
	if _, err := l.fresh.host().RemoveDevice(l.alice.Device); !errors.Is(err, ErrNoUserKey) {
		t.Errorf("a device without the user key removes others: %v", err)
	}
}

func TestAskingChangesNothing(t *testing.T) {
	l := newLinking(t)
	alice := l.alice.snapshot()
	must(l.alice.host().CheckLink(l.code, l.slot[0]))
	if !maps.EqualFunc(alice, l.alice.records, bytes.Equal) {
		t.Error("looking at a code has changed records")
	}
	l.offer(true)
	fresh := l.fresh.snapshot()
	must(l.fresh.host().LinkOffered(l.slot[1]))
	if !maps.EqualFunc(fresh, l.fresh.records, bytes.Equal) {
		t.Error("looking at an offer has changed records")
	}
	no := l.fresh.step(func(h Host) (Step, error) { return h.DeclineLink(l.slot[1]) }).Requests[0].(*PutLink).Data
	if _, err := l.alice.host().SignLink(no); !errors.Is(err, ErrLinkDeclined) {
		t.Errorf("the other device is told %v", err)
	}
	if len(l.fresh.records) != 0 {
		t.Errorf("a link that was declined leaves %d records", len(l.fresh.records))
	}
	if _, err := l.fresh.host().LinkOffered(l.slot[1]); !errors.Is(err, ErrNoLink) {
		t.Errorf("after the end: %v", err)
	}
}

// Another device has published a list between signing and publishing.
func TestLinkAfterAListConflict(t *testing.T) {
	l := newLinking(t)
	l.upTo(cryptobox.LinkStepEntry, false)
	lost := l.alice.step(func(h Host) (Step, error) { return h.SignLink(l.slot[2]) }).Requests[0].(*PublishList).Statement
	made := must(generateDevice(l.alice.host(), identity.ProtocolSession))
	l.publish(l.alice.entry, must(made.entry(l.alice.User, identity.ProtocolSession, l.now)))
	if _, err := l.alice.host().GrantLink(); !errors.Is(err, ErrLinkList) {
		t.Errorf("a grant without a list: %v", err)
	}
	l.catchUp(l.alice)
	l.sign()
	if bytes.Equal(lost, l.lists[l.alice.User][2]) {
		t.Error("the list was not signed anew")
	}
	l.grant()
	if err := l.finish(); err != nil {
		t.Fatal(err)
	}
}

func TestLinkOfDevicesThatCannotTalk_B3(t *testing.T) {
	l := startLink(newWorld(t, 1).joinWith(identity.ProtocolSession), identity.ProtocolBox)
	if _, err := l.alice.host().CheckLink(l.code, l.slot[0]); !errors.Is(err, ErrLinkProtocols) {
		t.Errorf("a device that takes boxes alone: %v", err)
	}
}

func TestDevicesAndTheirRemoval(t *testing.T) {
	l := newLinking(t)
	l.now = l.now.Add(time.Hour)
	l.upTo(cryptobox.LinkStepGrant, false)
	if err := l.finish(); err != nil {
		t.Fatal(err)
	}
	devices := must(l.fresh.host().Devices())
	if len(devices) != 2 || devices[0].Device != l.alice.Device || devices[0].This || !devices[0].Manages ||
		devices[1].Device != l.device || !devices[1].This || devices[1].Manages {
		t.Errorf("devices %+v", devices)
	}
	if _, err := l.alice.host().RemoveDevice(l.alice.Device); !errors.Is(err, ErrRemoveSelf) {
		t.Errorf("removing oneself: %v", err)
	}
	if _, err := l.alice.host().RemoveDevice(identity.DeviceID{1}); !errors.Is(err, ErrDeviceUnknown) {
		t.Errorf("removing nobody: %v", err)
	}
	step := must(l.alice.host().RemoveDevice(l.device))
	l.lists[l.alice.User] = append(l.lists[l.alice.User], step.Requests[0].(*PublishList).Statement)
	l.catchUp(l.alice)
	l.catchUp(l.fresh)
	if _, err := l.fresh.host().Devices(); !errors.Is(err, ErrRemoved) {
		t.Errorf("a removed device: %v", err)
	}
	if step, err := l.alice.host().RemoveDevice(l.device); err != nil || len(step.Requests) > 0 {
		t.Errorf("removing it again: %+v, %v", step.Requests, err)
	}
	if devices := must(l.alice.host().Devices()); len(devices) != 1 {
		t.Errorf("devices %+v", devices)
	}
}
