package socket

import (
	"container/list"
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/letterlock/letterlock/internal/problem"
)

const (
	// longestQueue bounds how long a socket waits to be opened. Clients give a connection up after some fifteen seconds.
	longestQueue = 8 * time.Second
	// answerTime is how soon most clients say who they are once they are greeted. Who takes longer does not hold others up.
	answerTime = time.Second
	// halfOpen is how many sockets may be greeted ahead, for each one that is worked on at a time.
	halfOpen = 16
	// spread is over how long those come again that are sent away, so that they do not come together.
	spread = 10 * time.Second
	// crowdedEvery is how often it is told, at the most, that there is a crowd.
	crowdedEvery = time.Minute
)

// stage is what a socket that is being opened waits for. Earlier ones in this list go first: who has got far is let in before anybody
// else may begin, so that few sockets are half open, and most who wait can still be told when to come again.
type stage int

const (
	subscribing  stage = iota // its mailbox is to be looked at
	initialising              // its token is to be checked
	greeting                  // its handshake is to be answered
	stages
)

// gate bounds how many sockets the server works on opening at once: handshakes, tokens and subscriptions, with the looks into the store
// that these take. After a restart all clients come back at the same time, and what is done for all of them at once is done for nobody. The rest
// waits in the order in which it came, and costs no work meanwhile.
type gate struct {
	most    int
	crowded func(waiting int) // told of a crowd; never nil

	mu       sync.Mutex
	free     int
	closed   bool
	queues   [stages]list.List // of *visitor
	room     int               // for those that are expected
	expected list.List         // when sockets were greeted that have not said yet who they are, of late; the oldest first
	later    *time.Timer       // looks again when the oldest is expected no more; nil if nobody waits for that
	told     time.Time         // when it was told last of a crowd
	away     uint64            // how many were sent away
}

// Opening is how much is worked on to open sockets and event streams: at this moment Working, and Waiting for their turn; SentAway were
// told when to come again, so far.
type Opening struct {
	Working, Waiting int
	SentAway         uint64
}

// Opening gives how it stands.
func (s *Sockets) Opening() Opening { return s.gate.opening() }

// visitor waits at a gate.
type visitor struct {
	since   time.Time
	called  chan struct{} // closed when it is its turn, or the gate is closed
	welcome bool
}

func newGate(most int, crowded func(waiting int)) *gate {
	if crowded == nil {
		crowded = func(int) {}
	}
	return &gate{most: most, crowded: crowded, free: most, room: halfOpen * most}
}

// enter waits until the work of a stage may begin. It is false if it may not: it would have to wait, or has waited, for too long, or ctx
// has ended. After true leave has to be called.
func (g *gate) enter(ctx context.Context, at stage) bool {
	v, place, ok := g.queue(at)
	if v == nil {
		return ok
	}
	if waiting, news := g.crowd(); news {
		g.crowded(waiting)
	}
	timer := time.NewTimer(longestQueue)
	defer timer.Stop()
	select {
	case <-v.called:
	case <-timer.C:
		g.giveUp(at, v, place)
	case <-ctx.Done():
		g.giveUp(at, v, place)
	}
	return v.welcome
}

// queue takes a place in the queue of a stage. Without one it has entered at once, or is not to wait: whoever is first has waited for so
// long that a newcomer would wait in vain.
func (g *gate) queue(at stage) (*visitor, *list.Element, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil, nil, false
	}
	now := time.Now()
	if g.free > 0 && g.admits(at, now) {
		g.free--
		return nil, nil, true
	}
	if first := g.queues[at].Front(); first != nil && at == greeting && now.Sub(visitorAt(first).since) > longestQueue/2 {
		return nil, nil, false
	}
	v := &visitor{since: now, called: make(chan struct{})}
	return v, g.queues[at].PushBack(v), true
}

// crowd gives how many wait, and whether that is a crowd of which nobody was told lately: as many as are worked on at a time.
func (g *gate) crowd() (waiting int, news bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	if waiting = g.waiting(); waiting < g.most || !g.told.IsZero() && now.Sub(g.told) < crowdedEvery {
		return waiting, false
	}
	g.told = now
	return waiting, true
}

// waiting gives how many wait. g.mu is held.
func (g *gate) waiting() (n int) {
	for at := range g.queues {
		n += g.queues[at].Len()
	}
	return n
}

// opening gives how the gate stands.
func (g *gate) opening() Opening {
	g.mu.Lock()
	defer g.mu.Unlock()
	return Opening{Working: g.most - g.free, Waiting: g.waiting(), SentAway: g.away}
}

// giveUp leaves the queue, unless the visitor was called meanwhile.
func (g *gate) giveUp(at stage, v *visitor, place *list.Element) {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-v.called:
	default:
		g.queues[at].Remove(place)
	}
}

// leave lets the next one in.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.free++
	g.admit()
}

// expect notes that a socket was greeted: its token is to come next. A client that is slow, or a network, would have others greeted
// meanwhile, all of whose tokens then come together and wait for too long.
func (g *gate) expect() *list.Element {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.expected.PushBack(time.Now())
}

// arrived takes back what expect has noted: the token has come, or never will.
func (g *gate) arrived(place *list.Element) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.expected.Remove(place) // which knows if it is there no more
	g.admit()
}

// admit lets in as many as may. g.mu is held.
func (g *gate) admit() {
	now := time.Now()
	for at := range g.queues {
		for first := g.queues[at].Front(); first != nil && g.free > 0 && g.admits(stage(at), now); first = g.queues[at].Front() {
			g.free--
			g.call(stage(at), first, true)
		}
	}
}

// admits reports whether the work of a stage may begin as long as not too much is worked on. g.mu is held.
func (g *gate) admits(at stage, now time.Time) bool {
	if at != greeting {
		return true
	}
	for first := g.expected.Front(); first != nil && now.Sub(greeted(first)) >= answerTime; first = g.expected.Front() {
		g.expected.Remove(first)
	}
	if g.expected.Len() < g.room {
		return true
	}
	if g.later == nil {
		g.later = time.AfterFunc(greeted(g.expected.Front()).Add(answerTime).Sub(now), g.lookAgain)
	}
	return false
}

// lookAgain is later's.
func (g *gate) lookAgain() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.later = nil
	g.admit()
}

// close sends away all who wait and all who come.
func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	if g.later != nil {
		g.later.Stop()
	}
	for at := range g.queues {
		for first := g.queues[at].Front(); first != nil; first = g.queues[at].Front() {
			g.call(stage(at), first, false)
		}
	}
}

// call tells a visitor whether it may enter. g.mu is held.
func (g *gate) call(at stage, place *list.Element, welcome bool) {
	v := visitorAt(place)
	g.queues[at].Remove(place)
	v.welcome = welcome
	close(v.called)
}

func visitorAt(place *list.Element) *visitor {
	return place.Value.(*visitor) //nolint:forcetypeassert,errcheck // nothing else is ever pushed
}

func greeted(place *list.Element) time.Time {
	return place.Value.(time.Time) //nolint:forcetypeassert,errcheck // nothing else is ever pushed
}

// refusal is what those are told who may not enter, and counts them.
func (g *gate) refusal() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return problem.New(problem.Stopping, "The server is stopping. Connect again.")
	}
	g.away++
	return &problem.Error{
		Code: problem.Overloaded, Stored: problem.No,
		RetryAfter: longestQueue/2 + rand.N(spread), //nolint:gosec // nobody gains by guessing it
		Message:    "Too many sockets are being opened at the moment. Try again later.",
	}
}
