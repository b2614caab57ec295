package device

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/letterlock/letterlock/identity"
)

func TestMissingPrekeysFailTheSend_B3(t *testing.T) {
	c := newTalk(t)
	delete(c.pools, c.bob.Device)
	if m := c.alice.send(c.bob.User, "hello"); m.Failure != PrekeysMissing || m.State != Failed {
		t.Fatalf("message %+v, want it failed for %q", m, PrekeysMissing)
	}
	c.bob.upload()
	c.alice.sent(c.bob.User, "hello")
}

// A device without prekeys does not cut its user off; the message says that not all have it.
func TestOneDeviceWithoutPrekeys(t *testing.T) {
	c := newTalk(t)
	tablet := c.bob.addDevice(identity.ProtocolSession)
	delete(c.pools, tablet.Device)
	m := c.alice.send(c.bob.User, "hello")
	if m.State != Sent || !slices.Contains(m.Marks, PartlyDelivered) {
		t.Fatalf("message %+v, want it sent with a mark", m)
	}
}

func TestAttackSwapsPrekeys_R2(t *testing.T) {
	for name, attack := range map[string]func(c *talk, mallory *party, set *PrekeySet){
		"signed prekey of another":  func(_ *talk, m *party, s *PrekeySet) { s.Signed = m.pools[m.Device].signed },
		"KEM prekey of another":     func(_ *talk, m *party, s *PrekeySet) { s.KEM = m.pools[m.Device].kemLastResort },
		"one-time key of another":   func(_ *talk, m *party, s *PrekeySet) { s.OneTime = m.pools[m.Device].oneTime[0] },
		"no KEM prekey":             func(_ *talk, _ *party, s *PrekeySet) { s.KEM = nil },
		"no signed prekey":          func(_ *talk, _ *party, s *PrekeySet) { s.Signed = nil },
		"one-time for signed":       func(_ *talk, _ *party, s *PrekeySet) { s.Signed = s.OneTime },
		"signed for one-time":       func(_ *talk, _ *party, s *PrekeySet) { s.OneTime = s.Signed },
		"unsigned":                  func(_ *talk, _ *party, s *PrekeySet) { s.Signed = s.Signed[:len(s.Signed)-64] },
		"changed key":               func(_ *talk, _ *party, s *PrekeySet) { s.Signed = bytes.Clone(s.Signed); s.Signed[80] ^= 1 },
		"KEM key where X25519 goes": func(_ *talk, _ *party, s *PrekeySet) { s.Signed = s.KEM },
	} {
		t.Run(name, func(t *testing.T) {
			c := newTalk(t)
			mallory := c.joinWith(identity.ProtocolSession)
			c.alice.fetch(c.answer(&FetchUser{User: c.bob.User}))
			set := c.hand(&ClaimPrekeys{User: c.bob.User, Devices: []identity.DeviceID{c.bob.Device}})[0]
			attack(c, mallory, &set)
			alarm := c.alice.start(c.bob.User, []PrekeySet{set})
			if alarm == nil || alarm.Reason != ForgedPrekey {
				t.Fatalf("alarm %+v, want %q", alarm, ForgedPrekey)
			}
			if has := must(c.alice.host().begin().hasSession(c.bob.User, c.bob.Device)); has {
				t.Fatal("a session was started on it")
			}
		})
	}
}

func TestAttackShowsOldOrUsedPrekeys_R2(t *testing.T) {
	c := newTalk(t)
	c.alice.fetch(c.answer(&FetchUser{User: c.bob.User}))
	request := &ClaimPrekeys{User: c.bob.User, Devices: []identity.DeviceID{c.bob.Device}}
	old := c.hand(request)[0]
	if alarm := c.alice.start(c.bob.User, []PrekeySet{old}); alarm != nil {
		t.Fatal(alarm)
	}
	forget := func() { delete(c.alice.records, sessionsKey(c.bob.User, c.bob.Device)) }
	forget()
	if alarm := c.alice.start(c.bob.User, []PrekeySet{old}); alarm == nil || alarm.Reason != StalePrekey {
		t.Fatalf("one-time keys handed out twice: alarm %+v", alarm)
	}
	c.now = c.now.Add(rotatePrekeys + time.Hour)
	c.bob.upload()
	forget()
	if alarm := c.alice.start(c.bob.User, c.hand(request)); alarm != nil {
		t.Fatal(alarm)
	}
	forget()
	stale := c.hand(request)[0]
	stale.Signed = old.Signed
	if alarm := c.alice.start(c.bob.User, []PrekeySet{stale}); alarm == nil || alarm.Reason != StalePrekey {
		t.Fatalf("an old signed prekey: alarm %+v", alarm)
	}
}

// The start of a session comes again under another message id, after the session has gone: it makes no second one (R2).
func TestAttackReplaysStart_R2(t *testing.T) {
	c := newTalk(t)
	c.alice.sent(c.bob.User, "hello")
	start := c.bob.mail()[0]
	c.bob.receive(start)
	delete(c.bob.records, sessionsKey(c.alice.User, c.alice.Device))
	start.MessageID = must(newMessageID(c.now, c.random)).String()
	if reason := refusal(c.bob.receive(start)); reason != Replayed {
		t.Fatalf("refused for %q, want %q", reason, Replayed)
	}
	c.bob.wants(c.alice.User, "hello")
}

// R2.5: a replaced prekey starts sessions for 35 days more, and none after.
func TestReplacedPrekeys_R2_5(t *testing.T) {
	c := newTalk(t)
	carol := c.joinWith(identity.ProtocolSession)
	claim := &ClaimPrekeys{User: c.bob.User, Devices: []identity.DeviceID{c.bob.Device}}
	var waiting []Envelope
	for _, p := range []*party{c.alice, carol} {
		p.fetch(c.answer(&FetchUser{User: c.bob.User}))
		if alarm := p.start(c.bob.User, c.hand(claim)); alarm != nil {
			t.Fatalf("alarm %+v", alarm)
		}
		p.sent(c.bob.User, "hello")
		waiting = append(waiting, c.bob.mail()...)
	}
	before := c.pools[c.bob.Device].signed
	for range 6 {
		c.now = c.now.Add(rotatePrekeys + time.Hour)
		c.bob.upload()
		if reason := refusal(c.bob.receive(waiting[0])); reason != "" {
			t.Fatalf("refused for %q", reason)
		}
	}
	if bytes.Equal(before, c.pools[c.bob.Device].signed) {
		t.Fatal("the signed prekey is never replaced")
	}
	if reason := refusal(c.bob.receive(waiting[1])); reason != PrekeyGone {
		t.Fatalf("42 days later: refused for %q, want %q", reason, PrekeyGone)
	}
	for key := range c.bob.records {
		if key.Collection == collectionPrekey && key.Owner == "signed" && key.Number == 1 {
			t.Fatal("the private half is still there")
		}
	}
}
