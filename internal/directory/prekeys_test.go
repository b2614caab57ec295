package directory_test

import (
	"bytes"
	"context"
	"crypto/mlkem"
	"crypto/rand"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/directory"
	"github.com/letterlock/letterlock/internal/problem"
	"github.com/letterlock/letterlock/internal/testdb"
)

// prekey signs one with a fresh key.
func (p *person) prekey(device key, kind identity.PrekeyKind, number uint32) []byte {
	p.t.Helper()
	public := make([]byte, 32)
	if kind == identity.PrekeyKEMOneTime || kind == identity.PrekeyKEMLastResort {
		kem, err := mlkem.GenerateKey768()
		if err != nil {
			p.t.Fatal(err)
		}
		public = kem.EncapsulationKey().Bytes()
	} else if _, err := rand.Read(public); err != nil {
		p.t.Fatal(err)
	}
	if len(public) == 32 {
		public[31] &= 0x7f
	}
	signed, err := identity.SignPrekey(identity.PrekeyFields{
		Kind: kind, User: p.id(), Number: number, CreatedAt: start, Key: public,
	}, device)
	if err != nil {
		p.t.Fatal(err)
	}
	return signed.Statement()
}

// upload has a signed and a last-resort prekey with this number, and one-time keys of each kind numbered from..to.
func (p *person) upload(device key, number, from, to uint32) directory.PrekeyUpload {
	u := directory.PrekeyUpload{
		Signed: p.prekey(device, identity.PrekeySigned, number), KEMLastResort: p.prekey(device, identity.PrekeyKEMLastResort, number),
	}
	for n := from; n <= to; n++ {
		u.OneTime = append(u.OneTime, p.prekey(device, identity.PrekeyOneTime, n))
		u.KEMOneTime = append(u.KEMOneTime, p.prekey(device, identity.PrekeyKEMOneTime, n))
	}
	return u
}

func (n *node) caller(p *person, device key) directory.Device {
	p.t.Helper()
	caller, _, err := n.Authenticate(p.t.Context(), p.token(device), origins)
	if err != nil {
		p.t.Fatal(err)
	}
	return caller
}

// pair gives two registered users.
func pair(t *testing.T, db *database.DB, clock *clock) (n *node, alice, bob *person) {
	t.Helper()
	n, alice, bob = newNode(t, db, clock), newPerson(t), newPerson(t)
	n.register(alice)
	n.register(bob)
	return n, alice, bob
}

func (n *node) mustUpload(p *person, device key, u directory.PrekeyUpload) directory.PrekeyCount {
	p.t.Helper()
	count, err := n.UploadPrekeys(p.t.Context(), n.caller(p, device), u)
	if err != nil {
		p.t.Fatal(err)
	}
	return count
}

func (n *node) mustClaim(by, of *person) []directory.PrekeySet {
	by.t.Helper()
	claim, err := n.ClaimPrekeys(by.t.Context(), n.caller(by, by.first), of.id(), nil)
	if err != nil {
		by.t.Fatal(err)
	}
	return claim.Sets
}

func TestPrekeysAreHandedOutOnceInOrder(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		n, alice, bob := pair(t, db, newClock())
		if sets := n.mustClaim(alice, bob); len(sets) != 0 {
			t.Fatalf("%d sets of a device that has uploaded nothing", len(sets))
		}
		upload := bob.upload(bob.first, 1, 1, 2)
		want := directory.PrekeyCount{OneTime: 2, KEMOneTime: 2, Signed: 1, KEMLastResort: 1}
		for range 2 {
			if count := n.mustUpload(bob, bob.first, upload); count != want {
				t.Fatalf("count %+v, want %+v", count, want)
			}
		}
		for i := range 3 {
			set := n.mustClaim(alice, bob)[0]
			oneTime, kem := []byte(nil), upload.KEMLastResort
			if i < 2 {
				oneTime, kem = upload.OneTime[i], upload.KEMOneTime[i]
			}
			if !bytes.Equal(set.Signed, upload.Signed) || !bytes.Equal(set.OneTime, oneTime) || !bytes.Equal(set.KEM, kem) {
				t.Fatalf("claim %d gives something else", i)
			}
		}
		count := n.mustUpload(bob, bob.first, upload) // its answer had got lost
		if count.OneTime != 0 || count.KEMOneTime != 0 {
			t.Fatalf("keys that were handed out are back: %+v", count)
		}
		if got, err := n.PrekeyCount(t.Context(), n.caller(bob, bob.first)); err != nil || got != count {
			t.Fatalf("count %+v, %v", got, err)
		}
	})
}

func TestPrekeysAreHandedOutOnceUnderConcurrency(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		n, alice, bob := pair(t, db, newClock())
		upload := bob.upload(bob.first, 1, 1, 20)
		n.mustUpload(bob, bob.first, upload)
		caller := n.caller(alice, alice.first)
		var mutex sync.Mutex
		seen := map[string]int{}
		claim := func() {
			claim, err := n.ClaimPrekeys(context.WithoutCancel(t.Context()), caller, bob.id(), nil)
			mutex.Lock()
			defer mutex.Unlock()
			if err != nil || len(claim.Sets) != 1 {
				t.Errorf("claim %+v, %v", claim, err)
				return
			}
			seen[string(claim.Sets[0].OneTime)]++
			seen[string(claim.Sets[0].KEM)]++
		}
		var claims sync.WaitGroup
		for range 20 {
			claims.Go(claim)
		}
		claims.Wait()
		for range 10 { // more than there is
			claim()
		}
		delete(seen, "")
		delete(seen, string(upload.KEMLastResort))
		for key, times := range seen {
			if times > 1 {
				t.Errorf("a key of %d bytes was handed out %d times", len(key), times)
			}
		}
		if len(seen) != 40 {
			t.Errorf("%d keys handed out, want 40", len(seen))
		}
	})
}

func TestPrekeysThatAreRefused(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		n, alice, bob := pair(t, db, newClock())
		good := bob.upload(bob.first, 5, 1, 1)
		want := n.mustUpload(bob, bob.first, good)
		for name, bad := range map[string]struct {
			upload directory.PrekeyUpload
			code   problem.Code
		}{
			"of another device":   {alice.upload(alice.first, 6, 2, 2), problem.StatementInvalid},
			"an older signed one": {directory.PrekeyUpload{Signed: bob.prekey(bob.first, identity.PrekeySigned, 4)}, problem.StatementInvalid},
			"another of the same number": {
				directory.PrekeyUpload{OneTime: [][]byte{bob.prekey(bob.first, identity.PrekeyOneTime, 1)}}, problem.StatementInvalid,
			},
			"of another kind": {directory.PrekeyUpload{Signed: bob.prekey(bob.first, identity.PrekeyOneTime, 9)}, problem.StatementInvalid},
			"too many":        {bob.upload(bob.first, 6, 2, 102), problem.BadInput},
			"too many in all": {bob.upload(bob.first, 6, 2, 101), problem.BadInput},
			"not a statement": {directory.PrekeyUpload{Signed: []byte("hello")}, problem.StatementInvalid},
		} {
			_, err := n.UploadPrekeys(t.Context(), n.caller(bob, bob.first), bad.upload)
			if problem.CodeOf(err) != bad.code {
				t.Errorf("%s: %v, want %s", name, err, bad.code)
			}
			if count, err := n.PrekeyCount(t.Context(), n.caller(bob, bob.first)); err != nil || count != want {
				t.Fatalf("%s: count %+v, %v; want it unchanged", name, count, err)
			}
		}
		if count := n.mustUpload(bob, bob.first, bob.upload(bob.first, 7, 2, 3)); count.Signed != 7 || count.OneTime != 3 {
			t.Errorf("count %+v after the next upload", count)
		}
	})
}

func TestPrekeysOfRemovedDevicesGo(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		n, alice, bob := pair(t, db, newClock())
		tablet := newKey()
		n.mustPublish(bob, bob.first, bob.sign(bob.first, bob.first, tablet))
		n.mustUpload(bob, bob.first, bob.upload(bob.first, 1, 1, 1))
		n.mustUpload(bob, tablet, bob.upload(tablet, 1, 1, 1))
		if sets := n.mustClaim(alice, bob); len(sets) != 2 {
			t.Fatalf("%d sets, want one for each device", len(sets))
		}
		gone := n.caller(bob, tablet)
		n.mustPublish(bob, bob.first, bob.sign(bob.first, bob.first))
		if sets := n.mustClaim(alice, bob); len(sets) != 1 || sets[0].Device != bob.first.device() {
			t.Fatalf("sets %+v, want one of the device that stays", sets)
		}
		_, err := n.UploadPrekeys(t.Context(), gone, bob.upload(tablet, 2, 2, 2))
		wantCode(t, err, problem.DeviceRemoved)
	})
}

// Nobody drains a user: beyond the bound of a pair the last-resort key is handed out, and beyond that of a caller nothing.
func TestClaimsAreLimited(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		clock := newClock()
		n, alice, bob := pair(t, db, clock)
		upload := bob.upload(bob.first, 1, 1, 50)
		n.mustUpload(bob, bob.first, upload)
		caller := n.caller(alice, alice.first)
		claim := func() (directory.PrekeyClaim, error) { return n.ClaimPrekeys(t.Context(), caller, bob.id(), nil) }
		spent := 0
		for range 300 {
			got, err := claim()
			if err != nil {
				t.Fatal(err)
			}
			if got.Sets[0].OneTime != nil {
				spent++
			} else if !bytes.Equal(got.Sets[0].KEM, upload.KEMLastResort) {
				t.Fatal("no last-resort key")
			}
		}
		if spent != 30 {
			t.Errorf("%d one-time keys were spent on one caller, want 30", spent)
		}
		_, err := claim()
		wantCode(t, err, problem.RateLimited)
		clock.advance(time.Minute)
		if _, err := claim(); err != nil {
			t.Errorf("a minute later: %v", err)
		}
		_, err = n.ClaimPrekeys(t.Context(), caller, newPerson(t).id(), nil)
		wantCode(t, err, problem.RecipientUnknown)
	})
}

// Nodes spend on one caller together what one alone would, also those that have just begun.
func TestClaimsOfAPairAreLimitedOnAllNodes(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		clock := newClock()
		here, alice, bob := pair(t, db, clock)
		there := newNode(t, testdb.Reopen(t, db), clock)
		here.mustUpload(bob, bob.first, bob.upload(bob.first, 1, 1, 40))
		spent := func(nodes ...*node) (spent int) {
			for i := range 40 {
				if nodes[i%len(nodes)].mustClaim(alice, bob)[0].OneTime != nil {
					spent++
				}
			}
			return spent
		}
		if n := spent(here, there); n != 30 {
			t.Errorf("two nodes spent %d one-time keys on one caller, want 30", n)
		}
		if n := spent(newNode(t, db, clock)); n != 0 {
			t.Errorf("a node that was started again spent %d", n)
		}
		clock.advance(30 * time.Second)
		if n := spent(here, there); n != 3 {
			t.Errorf("half a minute later %d were spent, want 3", n)
		}
	})
}

// Many callers together do not drain a user either, on however many nodes and at once.
func TestClaimsOfAUserAreLimitedOnAllNodes(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		clock := newClock()
		var nodes []*node
		for _, db := range []*database.DB{db, testdb.Reopen(t, db)} {
			d := directory.New(db, &boxes{}, directory.Options{MaxOneTimePrekeys: 220, Now: clock.Now})
			nodes = append(nodes, &node{d, t, nil, clock})
		}
		bob := newPerson(t)
		nodes[0].register(bob)
		nodes[0].mustUpload(bob, bob.first, bob.upload(bob.first, 1, 1, 220))
		var group sync.WaitGroup
		var spent atomic.Int32
		for i := range 8 {
			caller, n := newPerson(t), nodes[i%2]
			n.register(caller)
			device := n.caller(caller, caller.first)
			group.Go(func() {
				for range 27 {
					claim, err := n.ClaimPrekeys(t.Context(), device, bob.id(), nil)
					if err != nil {
						t.Error(err)
					} else if claim.Sets[0].OneTime != nil {
						spent.Add(1)
					}
				}
			})
		}
		group.Wait()
		if n := spent.Load(); n != 200 {
			t.Errorf("216 claims spent %d one-time keys, want 200", n)
		}
	})
}

// Who claims too much is told the same of users who are here and of those who are not, and nothing is counted of the latter.
func TestLimitOfClaimsDoesNotTellWhoIsHere(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		n, alice, bob := pair(t, db, newClock())
		caller, nobody := n.caller(alice, alice.first), newPerson(t)
		for range 300 {
			_, err := n.ClaimPrekeys(t.Context(), caller, nobody.id(), nil)
			wantCode(t, err, problem.RecipientUnknown)
		}
		_, here := n.ClaimPrekeys(t.Context(), caller, bob.id(), nil)
		_, gone := n.ClaimPrekeys(t.Context(), caller, nobody.id(), nil)
		wantCode(t, here, problem.RateLimited)
		var ofBob, ofNobody *problem.Error
		if !errors.As(here, &ofBob) || !errors.As(gone, &ofNobody) || *ofBob != *ofNobody {
			t.Errorf("%+v for a user, %+v for nobody", here, gone)
		}
		if rows, err := db.Ent.Rate.Query().Count(t.Context()); err != nil || rows != 0 {
			t.Errorf("%d rows, %v", rows, err)
		}
	})
}
