package directory_test

import (
	"context"
	"math"
	"sync"
	"testing"

	"github.com/letterlock/letterlock/ent/prekey"
	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/directory"
	"github.com/letterlock/letterlock/internal/problem"
	"github.com/letterlock/letterlock/internal/testdb"
)

// Two nodes with more claims than keys: every key goes out, each once, and who comes late gets the last-resort one.
func TestPrekeysAreHandedOutOnceByTwoNodes(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		clock := newClock()
		n, alice, bob := pair(t, db, clock)
		nodes := []*node{n, newNode(t, testdb.Reopen(t, db), clock)}
		upload := bob.upload(bob.first, 1, 1, 8)
		n.mustUpload(bob, bob.first, upload)
		caller := n.caller(alice, alice.first)
		sets := make([]directory.PrekeySet, 16)
		var claims sync.WaitGroup
		for i := range sets {
			claims.Go(func() {
				claim, err := nodes[i%2].ClaimPrekeys(context.WithoutCancel(t.Context()), caller, bob.id(), nil)
				if err != nil || len(claim.Sets) != 1 {
					t.Errorf("claim %+v, %v", claim, err)
					return
				}
				sets[i] = claim.Sets[0]
			})
		}
		claims.Wait()
		seen := map[string]int{}
		for _, set := range append(n.mustClaim(alice, bob), sets...) {
			seen[string(set.OneTime)]++
			seen[string(set.KEM)]++
		}
		for _, key := range append(upload.OneTime, upload.KEMOneTime...) {
			if seen[string(key)] != 1 {
				t.Errorf("a key of %d bytes was handed out %d times", len(key), seen[string(key)])
			}
		}
		if seen[""] != 9 || seen[string(upload.KEMLastResort)] != 9 {
			t.Errorf("of 17 claims of 8 keys, %d went without", seen[""])
		}
	})
}

// An upload and the removal of its device at once: whichever is first, no prekey is left of a device that is gone.
func TestUploadAgainstRemoval(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		clock := newClock()
		n, _, bob := pair(t, db, clock)
		other := newNode(t, testdb.Reopen(t, db), clock)
		for round := range 5 {
			tablet := newKey()
			n.mustPublish(bob, bob.first, bob.sign(bob.first, bob.first, tablet))
			caller, upload := n.caller(bob, tablet), bob.upload(tablet, 1, 1, 20)
			removal := bob.sign(bob.first, bob.first)
			var wait sync.WaitGroup
			wait.Go(func() {
				if _, err := other.UploadPrekeys(context.WithoutCancel(t.Context()), caller, upload); err != nil {
					wantCode(t, err, problem.DeviceRemoved)
				}
			})
			n.mustPublish(bob, bob.first, removal)
			wait.Wait()
			left := db.Ent.Prekey.Query().Where(prekey.DeviceID(tablet.device().String())).CountX(t.Context())
			if left != 0 {
				t.Fatalf("round %d: %d prekeys of a removed device are left", round, left)
			}
		}
	})
}

func TestClaimMayNameDevices(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		n, alice, bob := pair(t, db, newClock())
		tablet := newKey()
		n.mustPublish(bob, bob.first, bob.sign(bob.first, bob.first, tablet))
		n.mustUpload(bob, bob.first, bob.upload(bob.first, 1, 1, 1))
		n.mustUpload(bob, tablet, bob.upload(tablet, 1, 1, 1))
		for name, c := range map[string]struct {
			by      directory.Device
			devices []identity.DeviceID
			want    []identity.DeviceID
		}{
			"one device":            {n.caller(alice, alice.first), []identity.DeviceID{tablet.device()}, []identity.DeviceID{tablet.device()}},
			"none":                  {n.caller(alice, alice.first), []identity.DeviceID{}, nil},
			"a device of another":   {n.caller(alice, alice.first), []identity.DeviceID{alice.first.device()}, nil},
			"one's other devices":   {n.caller(bob, bob.first), nil, []identity.DeviceID{tablet.device()}},
			"the calling one":       {n.caller(bob, bob.first), []identity.DeviceID{bob.first.device()}, nil},
			"one's other by name":   {n.caller(bob, tablet), []identity.DeviceID{bob.first.device()}, []identity.DeviceID{bob.first.device()}},
			"the same device again": {n.caller(alice, alice.first), []identity.DeviceID{tablet.device(), tablet.device()}, []identity.DeviceID{tablet.device()}},
		} {
			claim, err := n.ClaimPrekeys(t.Context(), c.by, bob.id(), c.devices)
			if err != nil || claim.ListVersion != 2 || len(claim.Sets) != len(c.want) {
				t.Errorf("%s: %+v, %v", name, claim, err)
				continue
			}
			for i, set := range claim.Sets {
				if set.Device != c.want[i] {
					t.Errorf("%s: a set of %s", name, set.Device)
				}
			}
		}
	})
}

// A device that holds more one-time keys than a lowered limit allows adds none, and still rotates the others (R2).
func TestLoweredLimitStillLetsPrekeysRotate(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		clock := newClock()
		n, _, bob := pair(t, db, clock)
		n.mustUpload(bob, bob.first, bob.upload(bob.first, 1, 1, 5))
		strict := &node{directory.New(db, n.boxes, directory.Options{MaxOneTimePrekeys: 3, Now: clock.Now}), t, n.boxes, clock}
		_, err := strict.UploadPrekeys(t.Context(), strict.caller(bob, bob.first), bob.upload(bob.first, 2, 6, 6))
		wantCode(t, err, problem.BadInput)
		if count := strict.mustUpload(bob, bob.first, bob.upload(bob.first, 2, 1, 0)); count.Signed != 2 || count.OneTime != 5 {
			t.Errorf("count %+v after the rotation", count)
		}
	})
}

// A device that has uploaded only one of the two lasting prekeys can't be written to yet, and loses no key meanwhile.
func TestIncompletePrekeysAreNotHandedOut(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		n, alice, bob := pair(t, db, newClock())
		upload := bob.upload(bob.first, 1, 1, 1)
		last := upload.KEMLastResort
		upload.KEMLastResort = nil
		n.mustUpload(bob, bob.first, upload)
		if sets := n.mustClaim(alice, bob); len(sets) != 0 {
			t.Fatalf("%d sets without a last-resort prekey", len(sets))
		}
		n.mustUpload(bob, bob.first, directory.PrekeyUpload{KEMLastResort: last})
		if sets := n.mustClaim(alice, bob); len(sets) != 1 || sets[0].OneTime == nil {
			t.Errorf("sets %+v once it is complete", sets)
		}
	})
}

func TestPrekeyNumbersAreBounded(t *testing.T) {
	db := testdb.Open(t, database.SQLite)
	n, _, bob := pair(t, db, newClock())
	_, err := n.UploadPrekeys(t.Context(), n.caller(bob, bob.first),
		directory.PrekeyUpload{Signed: bob.prekey(bob.first, identity.PrekeySigned, math.MaxInt32+1)})
	wantCode(t, err, problem.StatementInvalid)
	twice := bob.upload(bob.first, 1, 1, 1)
	twice.OneTime = append(twice.OneTime, bob.prekey(bob.first, identity.PrekeyOneTime, 1))
	_, err = n.UploadPrekeys(t.Context(), n.caller(bob, bob.first), twice)
	wantCode(t, err, problem.StatementInvalid)
	if count := n.mustUpload(bob, bob.first, bob.upload(bob.first, math.MaxInt32, math.MaxInt32, math.MaxInt32)); count.Signed != math.MaxInt32 {
		t.Errorf("count %+v", count)
	}
}
