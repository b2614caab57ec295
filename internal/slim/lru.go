package slim

import "github.com/hashicorp/golang-lru/v2/simplelru"

// LRU is a cache that forgets who was used longest ago when it is full, as that which it is made of, and shrinks when it is swept.
type LRU[K comparable, V any] struct {
	*simplelru.LRU[K, V]
	size, most int
}

// NewLRU makes a cache for so many. A size below 1 is a mistake.
func NewLRU[K comparable, V any](size int) *LRU[K, V] {
	return &LRU[K, V]{LRU: empty[K, V](size), size: size}
}

// Sweep forgets, of those that were used longest ago, all up to the first that is not over.
func (l *LRU[K, V]) Sweep(over func(V) bool) {
	l.most = max(l.most, l.Len()) // it has held more only if Remove took some since
	for {
		_, value, ok := l.GetOldest()
		if !ok || !over(value) {
			break
		}
		l.RemoveOldest()
	}
	if !roomy(l.Len(), l.most) {
		return
	}
	fresh := empty[K, V](l.size)
	for _, key := range l.Keys() { // the oldest come first
		value, _ := l.Peek(key)
		fresh.Add(key, value)
	}
	l.LRU, l.most = fresh, fresh.Len()
}

func empty[K comparable, V any](size int) *simplelru.LRU[K, V] {
	entries, err := simplelru.NewLRU[K, V](size, nil)
	if err != nil {
		panic(err) // only for a size below 1
	}
	return entries
}
