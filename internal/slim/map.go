// Package slim has maps and caches let go of the room that they no longer need: those of Go keep what they had when they held the most.
// What is held for each open socket is gone with it that way, and not only once the process ends.
package slim

import (
	"iter"
	"maps"
)

const (
	// small maps are left alone.
	small = 1 << 10
	// share of the most that a map has held, below which it is made anew: that costs each that was deleted a seventh of an insertion.
	share = 8
)

// Map is a map that shrinks. The zero Map is empty. It is as safe for use by several goroutines as a map is.
type Map[K comparable, V any] struct {
	entries map[K]V
	most    int
}

// Get gives what belongs to a key, or the zero value.
func (m *Map[K, V]) Get(key K) V { return m.entries[key] }

// Put keeps a value for a key.
func (m *Map[K, V]) Put(key K, value V) {
	if m.entries == nil {
		m.entries = make(map[K]V)
	}
	m.entries[key] = value
	m.most = max(m.most, len(m.entries))
}

// Delete forgets a key, if it is there.
func (m *Map[K, V]) Delete(key K) {
	delete(m.entries, key)
	if roomy(len(m.entries), m.most) {
		m.entries, m.most = copied(m.entries), len(m.entries)
	}
}

// Len is how many keys there are.
func (m *Map[K, V]) Len() int { return len(m.entries) }

// Keys are in no order.
func (m *Map[K, V]) Keys() iter.Seq[K] { return maps.Keys(m.entries) }

// Values are in no order.
func (m *Map[K, V]) Values() iter.Seq[V] { return maps.Values(m.entries) }

// roomy tells whether what held the most once, and holds so many now, is to be made anew.
func roomy(now, most int) bool { return most > small && now < most/share }

// copied is what maps.Clone is not: it has room for what it holds, not for what was there once.
func copied[K comparable, V any](entries map[K]V) map[K]V {
	fresh := make(map[K]V, len(entries))
	maps.Copy(fresh, entries)
	return fresh
}
