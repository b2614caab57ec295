package store

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/letterlock/letterlock/device"
	"github.com/letterlock/letterlock/internal/vault"
)

func create(t *testing.T) (*Store, string) {
	t.Helper()
	home := filepath.Join(t.TempDir(), "home")
	s, err := Create(t.Context(), home, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, home
}

// The store holds what a map would hold, whatever is written in whatever order, and nothing of a step that failed.
func TestStoreIsAMap(t *testing.T) {
	s, _ := create(t)
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		keys := rapid.Custom(func(rt *rapid.T) device.Key {
			return device.Key{
				Collection: device.Collection(rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "collection") + fmt.Sprint(round)),
				Owner:      rapid.SampledFrom([]string{"", "x", "a"}).Draw(rt, "owner"),
				Number:     rapid.Uint64Range(0, 5).Draw(rt, "number"),
			}
		})
		want := map[device.Key][]byte{}
		for range rapid.IntRange(1, 6).Draw(rt, "steps") {
			writes := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) device.Write {
				write := device.Write{Key: keys.Draw(rt, "key")}
				if rapid.IntRange(0, 3).Draw(rt, "delete") > 0 {
					write.Value = rapid.SliceOfN(rapid.Byte(), 0, 600).Draw(rt, "value")
				}
				return write
			}), 0, 5).Draw(rt, "writes")
			fails := rapid.IntRange(0, 3).Draw(rt, "fails") == 0
			if write(rt, s, writes, fails) {
				for _, w := range writes {
					if w.Value == nil {
						delete(want, w.Key)
					} else {
						want[w.Key] = w.Value
					}
				}
			}
			compare(rt, s, want, keys.Draw(rt, "list"))
		}
	})
}

// write says whether the step was committed.
func write(rt *rapid.T, s *Store, writes []device.Write, fails bool) bool {
	broken := errors.New("broken")
	if fails {
		writes = append(slices.Clone(writes), device.Write{Key: device.Key{Number: 1 << 63}, Value: []byte("out of range")})
		broken = errNumber
	}
	err := s.Update(rt.Context(), func(device.Records) ([]device.Write, error) { return writes, nil })
	if fails != errors.Is(err, broken) || !fails && err != nil {
		rt.Fatalf("error %v", err)
	}
	return !fails
}

func compare(rt *rapid.T, s *Store, want map[device.Key][]byte, list device.Key) {
	err := s.View(rt.Context(), func(records device.Records) error {
		for key, value := range want {
			if got, err := records.Get(key); err != nil || got == nil || !bytes.Equal(got, value) {
				rt.Fatalf("%v holds %x, %v; want %x", key, got, err, value)
			}
		}
		limit := 3
		got, err := records.List(list.Collection, list.Owner, list.Number, limit)
		if err != nil {
			return err
		}
		var numbers []uint64
		for _, key := range slices.SortedFunc(maps.Keys(want), func(a, b device.Key) int { return cmp.Compare(a.Number, b.Number) }) {
			if key.Collection == list.Collection && key.Owner == list.Owner && key.Number > list.Number && len(numbers) < limit {
				numbers = append(numbers, key.Number)
			}
		}
		if !slices.EqualFunc(got, numbers, func(r device.Record, n uint64) bool { return r.Number == n }) {
			rt.Fatalf("list %v gives %v, want %v", list, got, numbers)
		}
		return nil
	})
	if err != nil {
		rt.Fatal(err)
	}
}

// Steps of two processes do not overlap: each sees what the one before has written.
func TestStepsDoNotOverlap(t *testing.T) {
	first, home := create(t)
	second, err := Open(t.Context(), home, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := second.Close(); err != nil {
			t.Error(err)
		}
	}()
	key := device.Key{Collection: "count"}
	var group sync.WaitGroup
	for _, s := range []*Store{first, second} {
		group.Go(func() {
			for range 50 {
				err := s.Update(t.Context(), func(records device.Records) ([]device.Write, error) {
					value, err := records.Get(key)
					return []device.Write{{Key: key, Value: append(value, 1)}}, err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	err = first.View(t.Context(), func(records device.Records) error {
		value, err := records.Get(key)
		if len(value) != 100 {
			t.Errorf("%d steps are counted, want 100", len(value))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A value opens only where it was sealed, and its length is hidden as that of messages is.
func TestCipher(t *testing.T) {
	c, err := vault.NewCipher(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	here, there := c.Scope("a", "bc"), c.Scope("ab", "c")
	if bytes.Equal(here, there) {
		t.Fatal("two places have one scope")
	}
	short, err := c.Seal(here, 1, []byte("yes"))
	if err != nil {
		t.Fatal(err)
	}
	long, err := c.Seal(here, 1, bytes.Repeat([]byte("x"), 200))
	if err != nil || len(short) != len(long) {
		t.Fatalf("lengths %d and %d tell the values apart, %v", len(short), len(long), err)
	}
	if value, err := c.Open(here, 1, short); err != nil || string(value) != "yes" {
		t.Fatalf("%q, %v", value, err)
	}
	changed := slices.Clone(short)
	changed[30] ^= 1
	for name, attempt := range map[string]func() ([]byte, error){
		"another scope":  func() ([]byte, error) { return c.Open(there, 1, short) },
		"another number": func() ([]byte, error) { return c.Open(here, 2, short) },
		"changed":        func() ([]byte, error) { return c.Open(here, 1, changed) },
		"cut":            func() ([]byte, error) { return c.Open(here, 1, short[:10]) },
		"empty":          func() ([]byte, error) { return c.Open(here, 1, nil) },
	} {
		if _, err := attempt(); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: error %v, want ErrDamaged", name, err)
		}
	}
}

func TestLock(t *testing.T) {
	_, home := create(t)
	unlock, ok, err := Lock(home, "receive")
	if err != nil || !ok {
		t.Fatalf("%v, %v", ok, err)
	}
	if _, ok, err := Lock(home, "receive"); ok || err != nil {
		t.Fatalf("taken twice: %v, %v", ok, err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	unlock, ok, err = Lock(home, "receive")
	if err != nil || !ok {
		t.Fatalf("not free again: %v, %v", ok, err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
}
