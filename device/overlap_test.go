package device

import "testing"

// Several askers share a device's records: goroutines, and other programs. Of two answers of an honest server the earlier may come last.

func TestAnEarlierAnswerThatComesLastIsNoRollback_S3_5(t *testing.T) {
	a := newAttack(t)
	nobody := UserAnswer{User: a.alice.User} // asked before she had registered
	a.bob.fetch(a.answer(&FetchUser{User: a.alice.User}))
	earlier := a.answer(&FetchUser{User: a.alice.User, Since: 1})
	a.alice.publish(a.alice.entry)
	a.bob.fetch(a.answer(&FetchUser{User: a.alice.User, Since: 1}))
	for _, late := range []UserAnswer{nobody, earlier} {
		if alarm := a.bob.fetch(late); alarm != nil {
			t.Errorf("an answer of before raises the alarm %q", alarm.Reason)
		}
	}
	if held := a.bob.chainOf(a.alice.User).Version(); held != 2 {
		t.Errorf("version %d is held, want 2", held)
	}
}
