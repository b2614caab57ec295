package slim_test

import (
	"fmt"
	"runtime"
	"slices"
	"testing"

	"github.com/letterlock/letterlock/internal/slim"
)

const many = 20_000

func TestMapLetsGoOfItsRoom(t *testing.T) {
	for _, left := range []int{0, 100, many / 20} {
		var m slim.Map[int, [4]int]
		before := live()
		for i := range many {
			m.Put(i, [4]int{i})
		}
		full := live() - before
		for i := left; i < many; i++ {
			m.Delete(i)
		}
		if kept := live() - before; kept > full/6 {
			t.Errorf("%d of %d entries keep %d of %d bytes", left, many, kept, full)
		}
		if m.Len() != left || len(slices.Collect(m.Keys())) != left || len(slices.Collect(m.Values())) != left {
			t.Errorf("%d entries are left, and not %d", m.Len(), left)
		}
		for i := range left {
			if m.Get(i) != [4]int{i} {
				t.Fatalf("entry %d is %v", i, m.Get(i))
			}
		}
		if m.Get(left) != [4]int{} {
			t.Error("what was deleted is there")
		}
	}
}

func TestMapIsAsGoodAsEmpty(t *testing.T) {
	var m slim.Map[string, int]
	m.Delete("a")
	if m.Len() != 0 || m.Get("a") != 0 || slices.Collect(m.Keys()) != nil {
		t.Error("the zero Map is to be empty")
	}
}

func TestLRUForgetsWhoIsOver(t *testing.T) {
	cache := slim.NewLRU[int, int](many)
	before := live()
	for i := range 2 * many {
		cache.Add(i, i)
	}
	full := live() - before
	cache.Get(many) // now the newest of all
	cache.Sweep(func(v int) bool { return v < many+many-100 })
	if keys := cache.Keys(); len(keys) != 101 || keys[0] != many+many-100 || keys[100] != many {
		t.Errorf("%d are left: %v", len(keys), keys)
	}
	if kept := live() - before; kept > full/20 {
		t.Errorf("%d of %d bytes are kept", kept, full)
	}
	for i := range many { // it is still bounded, and forgets the oldest first
		cache.Add(-i, i)
	}
	if cache.Len() != many || cache.Contains(many+many-100) {
		t.Errorf("%d are kept", cache.Len())
	}
}

// What was used after one that is not over stays until that one is, too.
func TestLRUIsSweptFromItsEnd(t *testing.T) {
	cache := slim.NewLRU[int, bool](3)
	cache.Add(1, true)
	cache.Add(2, false)
	cache.Add(3, true)
	cache.Sweep(func(over bool) bool { return over })
	if keys := fmt.Sprint(cache.Keys()); keys != "[2 3]" {
		t.Error(keys)
	}
}

// live is how much lives on the heap, in bytes.
func live() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
