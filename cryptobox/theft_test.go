package cryptobox_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/letterlock/letterlock/cryptobox"
)

// recorded is what the server, or who has its disk, keeps of a conversation.
type recorded struct{ toBob, toAlice [][]byte }

// talk exchanges some messages, each turn with one that is late and one that is lost, and records all of them.
func (c *conversation) talk(turns int) (r recorded) {
	c.Helper()
	for turn := range turns {
		late := c.seal(c.alice, "late")
		lost := c.seal(c.alice, "lost")
		last := c.seal(c.alice, fmt.Sprint("turn ", turn))
		c.opens(last, fmt.Sprint("turn ", turn), c.bob)
		c.opens(late, "late", c.bob)
		answer := c.seal(c.bob, "answer")
		c.opens(answer, "answer", c.alice)
		r.toBob, r.toAlice = append(r.toBob, late, lost, last), append(r.toAlice, answer)
	}
	return r
}

// withoutLost is what both sides have opened: a lost message's key is kept for it, so that its thief opens it (R4).
func (r recorded) withoutLost() (opened [][]byte) {
	for i, message := range r.toBob {
		if i%3 != 1 {
			opened = append(opened, message)
		}
	}
	return opened
}

// thief tries everything that a stolen state can do: each message on a copy of it, again and again until nothing more opens.
func thief(stolen []byte, messages [][]byte) (opened int) {
	session := must(cryptobox.ParseSession(stolen))
	done := make([]bool, len(messages))
	for more := true; more; {
		more = false
		for i, message := range messages {
			if _, err := session.Decrypt(nil, sentAt, message); err == nil && !done[i] {
				done[i], more = true, true
				opened++
			}
		}
	}
	return opened
}

// TestForwardSecrecy_R7: a thief takes the complete state of both sides, and all prekeys that are left, and has every envelope.
// Nothing that was opened before opens again.
func TestForwardSecrecy_R7(t *testing.T) {
	c := start(t)
	first := c.seal(c.alice, "first")
	c.opens(c.accept(first), "first", c.bob)
	for _, used := range []interface{ Erase() }{c.replier.private.OneTime, c.replier.private.KEM} {
		used.Erase() // R2: with their first use
	}
	c.says(c.bob, c.alice, "answer")
	before := c.talk(5)
	for name, stolen := range map[string][]byte{"alice": c.alice.Marshal(), "bob": c.bob.Marshal()} {
		if opened := thief(stolen, append(before.withoutLost(), before.toAlice...)); opened > 0 {
			t.Errorf("%s's state opens %d messages from before", name, opened)
		}
	}
	if opened := thief(c.bob.Marshal(), before.toBob); opened == 0 {
		t.Error("this thief is no test: it does not even open what is still to come")
	}
	_, message, _ := cryptobox.ParseStart(first)
	if opened := thief(c.bob.Marshal(), [][]byte{message}); opened > 0 {
		t.Error("bob's state opens the first message")
	}
	// The first message again, with all that bob still has: the signed prekey and the agreement key.
	if _, err := arrives(first, c.replier, c.starter.Member, c.replier.private); !errors.Is(err, cryptobox.ErrErased) {
		t.Errorf("the start opens again: %v", err)
	}
	private := c.replier.private
	private.OneTime, private.KEM = must(cryptobox.GenerateX25519Prekey(nil)), must(cryptobox.GenerateKEMPrekey(nil))
	plaintext, err := arrives(first, c.replier, c.starter.Member, private)
	wantForged(t, "the start opens without the one-time keys", plaintext, err)
}

// TestForwardSecrecyWithinAChain_R7: no turn is needed, each message's key goes with it.
func TestForwardSecrecyWithinAChain_R7(t *testing.T) {
	c := established(t)
	var all [][]byte
	for i := range 10 {
		all = append(all, c.seal(c.alice, fmt.Sprint(i)))
		c.opens(all[i], fmt.Sprint(i), c.bob)
	}
	for _, stolen := range [][]byte{c.alice.Marshal(), c.bob.Marshal()} {
		if opened := thief(stolen, all); opened > 0 {
			t.Errorf("%d messages from before open", opened)
		}
	}
}

// TestHealing_R7: after the theft the thief only listens. What is sent before the victim has turned is lost; once both sides
// have turned, nothing opens.
func TestHealing_R7(t *testing.T) {
	for _, name := range []string{"alice", "bob"} {
		c := established(t)
		c.talk(2)
		stolen := map[string]*cryptobox.Session{"alice": c.alice, "bob": c.bob}[name].Marshal()
		round := c.talk(1) // one full round: each side makes a key that the thief does not have
		c.says(c.alice, c.bob, "turned")
		c.says(c.bob, c.alice, "turned")
		after := c.talk(3)
		if name == "bob" && thief(stolen, round.toBob) == 0 {
			t.Error("this thief is no test: bob's state does not even open what comes next")
		}
		everything := append(append(round.toBob, round.toAlice...), append(after.toBob, after.toAlice...)...)
		opened := thief(stolen, everything)
		if opened > len(round.toBob)+len(round.toAlice) || thief(stolen, append(after.toBob, after.toAlice...)) > 0 {
			t.Errorf("%s's stolen state opens %d messages, some of them after the round", name, opened)
		}
	}
}

// TestHealingFromTheStart_R7: who stole all prekeys, the agreement key included, and the session before its first answer.
func TestHealingFromTheStart_R7(t *testing.T) {
	c := start(t)
	stolen := c.alice.Marshal()
	c.opens(c.bobAccepts("first"), "first", c.bob)
	c.says(c.bob, c.alice, "answer")
	c.says(c.alice, c.bob, "round")
	c.says(c.bob, c.alice, "trip")
	after := c.talk(2)
	if opened := thief(stolen, append(after.toBob, after.toAlice...)); opened > 0 {
		t.Errorf("%d messages open", opened)
	}
}
