package server_test

import (
	"testing"
	"time"

	"github.com/letterlock/letterlock/internal/limits"
	"github.com/letterlock/letterlock/internal/links"
	"github.com/letterlock/letterlock/internal/testserver"
)

const (
	putLink = `mutation($slot: Bytes!, $step: Int!, $data: Bytes!) {
		putLinkMessage(slot: $slot, step: $step, data: $data) { expiresAt }
	}`
	getLink = `query($slot: Bytes!, $step: Int!) { linkMessage(slot: $slot, step: $step) }`
)

func TestBadInputLinkMessages(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		slot := testserver.Bytes(make([]byte, links.SlotSize))
		put := func(slot string, step int, data []byte) *testserver.Answer {
			t.Helper()
			return w.Query(t, "", putLink, map[string]any{"slot": slot, "step": step, "data": testserver.Bytes(data)})
		}
		get := func(step int) string {
			t.Helper()
			answer := w.Query(t, "", getLink, map[string]any{"slot": slot, "step": step})
			return decode[struct{ LinkMessage string }](t, answer.Data).LinkMessage
		}
		wrong(t, put(testserver.Bytes(make([]byte, 15)), 0, []byte("x")), "BAD_INPUT", "16 bytes")
		wrong(t, put(testserver.Bytes(make([]byte, 17)), 0, []byte("x")), "BAD_INPUT", "16 bytes")
		wrong(t, put("A===", 0, []byte("x")), "BAD_INPUT", "slot")
		wrong(t, put(slot, -1, []byte("x")), "BAD_INPUT", "from 0 to 3")
		wrong(t, put(slot, 4, []byte("x")), "BAD_INPUT", "from 0 to 3")
		wrong(t, put(slot, 0, nil), "BAD_INPUT", "1 to 8192 bytes")
		wrong(t, put(slot, 0, make([]byte, links.MaxData+1)), "BAD_INPUT", "1 to 8192 bytes")
		wrong(t, put(slot, 1, []byte("x")), "LINK_EXPIRED", "anew")
		if got := get(0); got != "" {
			t.Errorf("step 0 holds %q", got)
		}
		ends := decode[struct{ PutLinkMessage struct{ ExpiresAt time.Time } }](t, put(slot, 0, []byte("x")).Data)
		if left := time.Until(ends.PutLinkMessage.ExpiresAt); left <= 0 || left > limits.LinkLifetime {
			t.Errorf("the slot ends in %v", left)
		}
		wrong(t, put(slot, 0, []byte("y")), "LINK_TAKEN", "anew")
		if got := get(0); got != testserver.Bytes([]byte("x")) {
			t.Errorf("step 0 holds %q", got)
		}
		wrong(t, w.Query(t, "", getLink, map[string]any{"slot": slot, "step": 4}), "BAD_INPUT", "from 0 to 3")
	})
}

func TestLinkSlotsAreBounded(t *testing.T) {
	s := testserver.Start(t, testserver.Options{Limits: func(l *limits.Limits) { l.MaxLinkSlots = 1 }})
	for n, code := range []string{"", "OVERLOADED"} {
		slot := make([]byte, links.SlotSize)
		slot[0] = byte(n)
		answer := s.Query(t, "", putLink, map[string]any{"slot": testserver.Bytes(slot), "step": 0, "data": "AQ"})
		if answer.Code() != code {
			t.Errorf("slot %d: %s", n, answer.Body)
		}
	}
}
