package links_test

import (
	"bytes"
	"sync"
	"testing"
	"time"

	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/limits"
	"github.com/letterlock/letterlock/internal/links"
	"github.com/letterlock/letterlock/internal/problem"
	"github.com/letterlock/letterlock/internal/testdb"
)

// slots are Slots on a clock that stands still until it is moved.
type slots struct {
	*links.Slots
	t   *testing.T
	db  *database.DB
	mu  sync.Mutex
	now time.Time
}

func each(t *testing.T, most int, test func(t *testing.T, s *slots)) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		s := &slots{t: t, db: db, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
		s.Slots = links.New(db, links.Options{MaxSlots: most, Now: s.clock})
		test(t, s)
	})
}

func (s *slots) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *slots) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

func slot(n byte) []byte { return bytes.Repeat([]byte{n}, links.SlotSize) }

func (s *slots) put(slot []byte, step int, data string) time.Time {
	s.t.Helper()
	ends, err := s.Put(s.t.Context(), slot, step, []byte(data))
	if err != nil {
		s.t.Fatalf("put step %d: %v", step, err)
	}
	return ends
}

func (s *slots) refuses(want problem.Code, slot []byte, step int, data []byte) {
	s.t.Helper()
	if _, err := s.Put(s.t.Context(), slot, step, data); err == nil || problem.CodeOf(err) != want {
		s.t.Errorf("put step %d: %v, want %s", step, err, want)
	}
}

func (s *slots) get(slot []byte, step int, want string) {
	s.t.Helper()
	data, err := s.Get(s.t.Context(), slot, step)
	if err != nil || string(data) != want || want == "" && data != nil {
		s.t.Errorf("step %d holds %q (%v), want %q", step, data, err, want)
	}
}

func (s *slots) stored() int {
	s.t.Helper()
	n, err := s.db.Ent.LinkMessage.Query().Count(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

func TestBadPlacesAndSizes(t *testing.T) {
	each(t, 0, func(t *testing.T, s *slots) {
		s.refuses(problem.BadInput, slot(1)[:15], 0, []byte("x"))
		s.refuses(problem.BadInput, append(slot(1), 1), 0, []byte("x"))
		s.refuses(problem.BadInput, nil, 0, []byte("x"))
		s.refuses(problem.BadInput, slot(1), -1, []byte("x"))
		s.refuses(problem.BadInput, slot(1), 4, []byte("x"))
		s.refuses(problem.BadInput, slot(1), 256, []byte("x"))
		s.refuses(problem.BadInput, slot(1), 0, nil)
		s.refuses(problem.BadInput, slot(1), 0, make([]byte, links.MaxData+1))
		if _, err := s.Get(t.Context(), slot(1)[:3], 0); problem.CodeOf(err) != problem.BadInput {
			t.Error(err)
		}
		if _, err := s.Get(t.Context(), slot(1), 4); problem.CodeOf(err) != problem.BadInput {
			t.Error(err)
		}
		if n := s.stored(); n != 0 {
			t.Errorf("%d rows", n)
		}
		s.put(slot(1), 0, string(make([]byte, links.MaxData)))
	})
}

func TestEachStepIsWrittenOnceAndInOrder(t *testing.T) {
	each(t, 0, func(t *testing.T, s *slots) {
		s.refuses(problem.LinkExpired, slot(1), 1, []byte("early"))
		ends := s.put(slot(1), 0, "keys")
		if want := s.clock().Add(limits.LinkLifetime); !ends.Equal(want) {
			t.Errorf("ends at %v, want %v", ends, want)
		}
		s.refuses(problem.LinkExpired, slot(1), 2, []byte("early"))
		s.pass(time.Minute)
		for step, data := range []string{"keys", "offer", "entry", "grant"} {
			for range 2 {
				if again := s.put(slot(1), step, data); !again.Equal(ends) {
					t.Errorf("step %d moves the end to %v", step, again)
				}
			}
			s.refuses(problem.LinkTaken, slot(1), step, []byte("other"))
			s.get(slot(1), step, data)
		}
		s.get(slot(2), 0, "")
	})
}

func TestASlotEndsAfterTenMinutes(t *testing.T) {
	each(t, 0, func(_ *testing.T, s *slots) {
		s.put(slot(1), 0, "keys")
		s.pass(limits.LinkLifetime - time.Microsecond)
		s.put(slot(1), 1, "offer")
		s.pass(time.Microsecond)
		s.get(slot(1), 0, "")
		s.get(slot(1), 1, "")
		s.refuses(problem.LinkExpired, slot(1), 2, []byte("late"))
		s.put(slot(1), 0, "another")
		s.get(slot(1), 0, "another")
		s.get(slot(1), 1, "")
	})
}

func TestSlotsAreBounded(t *testing.T) {
	each(t, 3, func(_ *testing.T, s *slots) {
		for n := range byte(3) {
			s.put(slot(n), 0, "keys")
		}
		s.refuses(problem.Overloaded, slot(9), 0, []byte("keys"))
		s.put(slot(1), 1, "those that are open go on")
		s.put(slot(1), 0, "keys")
		s.pass(limits.LinkLifetime)
		s.put(slot(9), 0, "keys")
	})
}

func TestSweepDeletesWhatHasExpired(t *testing.T) {
	each(t, 0, func(t *testing.T, s *slots) {
		for n := range byte(250) {
			s.put(slot(n), 0, "keys")
		}
		s.pass(limits.LinkLifetime)
		s.put(slot(255), 0, "new")
		if err := s.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := s.stored(); n != 1 {
			t.Errorf("%d rows are left, want 1", n)
		}
		s.get(slot(255), 0, "new")
	})
}

// Of two who write one step at once, one is told that the other was first.
func TestConcurrentWritersOfAStep(t *testing.T) {
	each(t, 0, func(t *testing.T, s *slots) {
		var group sync.WaitGroup
		results := make([]error, 8)
		for i := range results {
			group.Go(func() { _, results[i] = s.Put(t.Context(), slot(1), 0, []byte{byte(i)}) })
		}
		group.Wait()
		won := 0
		for _, err := range results {
			if err == nil {
				won++
			} else if problem.CodeOf(err) != problem.LinkTaken {
				t.Error(err)
			}
		}
		if won != 1 || s.stored() != 1 {
			t.Errorf("%d writers won, %d rows", won, s.stored())
		}
	})
}
