package mailbox

import (
	"context"
	"sync"

	"github.com/letterlock/letterlock/identity"
)

// gate is a store whose first batch waits until it is opened.
type gate struct {
	store
	once    sync.Once
	arrived chan struct{}
	open    chan struct{}
}

func newGate(s store) *gate {
	return &gate{store: s, arrived: make(chan struct{}), open: make(chan struct{})}
}

func (g *gate) begin(ctx context.Context, r request) (transaction, *claimed, error) {
	g.once.Do(func() {
		close(g.arrived)
		<-g.open
	})
	return g.store.begin(ctx, r)
}

// faulty is a store that fails on purpose. A fault that is nil, or gives nil, does nothing.
type faulty struct {
	store
	mu sync.Mutex
	// beforeBegin, beforeCommit and afterCommit fail a transaction at their point.
	beforeBegin  func(request) error
	beforeCommit func(*changes) error
	afterCommit  func(*changes) error
	beforePage   func() error
	// afterStanding is called when a reader has looked where its mailbox stands, and is not told yet.
	afterStanding func()
	// beforeClaim and afterClaim fail the counting of a subscription.
	beforeClaim, afterClaim func() error
	begun                   int
	tried                   int // plans, whatever became of them
	planned                 int // plans that were committed
}

// commitPlan fails at the same points as a transaction that is decided step by step.
func (f *faulty) commitPlan(ctx context.Context, p *plan) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var written changes
	for i := range p.envelopes {
		e := &p.envelopes[i]
		written.messages = append(written.messages, Message{MessageID: e.send.messages[e.message].MessageID})
	}
	if f.beforeBegin != nil {
		if err := f.beforeBegin(request{}); err != nil {
			return err
		}
	}
	if f.beforeCommit != nil {
		if err := f.beforeCommit(&written); err != nil {
			return err
		}
	}
	f.tried++
	err := f.store.commitPlan(ctx, p)
	if err == nil {
		f.planned++
	}
	if err == nil && f.afterCommit != nil {
		err = f.afterCommit(&written)
	}
	return err
}

func (f *faulty) begin(ctx context.Context, r request) (transaction, *claimed, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.begun++
	if f.beforeBegin != nil {
		if err := f.beforeBegin(r); err != nil {
			return nil, nil, err
		}
	}
	tx, found, err := f.store.begin(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	return &faultyTx{transaction: tx, store: f}, found, nil
}

func (f *faulty) standing(ctx context.Context, device identity.DeviceID) (standing, bool, error) {
	row, found, err := f.store.standing(ctx, device)
	f.mu.Lock()
	meanwhile := f.afterStanding
	f.mu.Unlock()
	if meanwhile != nil {
		meanwhile()
	}
	return row, found, err
}

func (f *faulty) claim(ctx context.Context, mailbox, reader int64) (int64, bool, error) {
	f.mu.Lock()
	before, after := f.beforeClaim, f.afterClaim
	f.mu.Unlock()
	if before != nil {
		if err := before(); err != nil {
			return 0, false, err
		}
	}
	number, ok, err := f.store.claim(ctx, mailbox, reader)
	if err == nil && after != nil {
		err = after()
	}
	return number, ok, err
}

func (f *faulty) page(ctx context.Context, r pageRequest) (standing, []Message, bool, error) {
	f.mu.Lock()
	fault := f.beforePage
	f.mu.Unlock()
	if fault != nil {
		if err := fault(); err != nil {
			return standing{}, nil, false, err
		}
	}
	return f.store.page(ctx, r)
}

// change sets the faults between two batches.
func (f *faulty) change(set func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	set()
}

type faultyTx struct {
	transaction
	store *faulty
}

func (t *faultyTx) commit(ctx context.Context, c *changes) error {
	t.store.mu.Lock()
	before, after := t.store.beforeCommit, t.store.afterCommit
	t.store.mu.Unlock()
	if before != nil {
		if err := before(c); err != nil {
			t.transaction.rollback()
			return err
		}
	}
	err := t.transaction.commit(ctx, c)
	if err == nil && after != nil {
		err = after(c)
	}
	return err
}
