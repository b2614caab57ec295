package server_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/limits"
	"github.com/letterlock/letterlock/internal/testdb"
	"github.com/letterlock/letterlock/internal/testserver"
)

const prekeyCount = `{ prekeyCount { oneTime kemOneTime signedNumber kemLastResortNumber } }`

type prekeySet struct {
	DeviceID, Signed, Kem string
	OneTime               *string
}

type prekeyClaim struct {
	UserID      string
	ListVersion int
	Sets        []prekeySet
}

func claimPrekeys(t *testing.T, s *testserver.Server, by *testserver.Device, variables map[string]any) prekeyClaim {
	t.Helper()
	var data struct{ ClaimPrekeys prekeyClaim }
	s.Query(t, by.Token(s.URL), testserver.ClaimPrekeys, variables).Into(t, &data)
	return data.ClaimPrekeys
}

func TestBadInputPrekeys(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		phone, bobs := w.alice.Devices[0], w.bob.Devices[0]
		upload := func(input map[string]any) *testserver.Answer {
			return w.Query(t, w.token(), testserver.UploadPrekeys, map[string]any{"input": input})
		}
		one := func(d *testserver.Device, kind identity.PrekeyKind) any {
			return testserver.Bytes(d.Prekey(kind, 1).Statement())
		}
		unsigned := phone.Prekey(identity.PrekeySigned, 1).Statement()
		clear(unsigned[len(unsigned)-identity.SignatureSize:])
		otherKey := phone.Prekey(identity.PrekeyKEMLastResort, 1).Statement()
		copy(otherKey[73:], phone.Prekey(identity.PrekeyKEMLastResort, 1).Key)
		entry := phone.Entry.Statement()
		for name, c := range map[string]struct {
			input      map[string]any
			code, says string
		}{
			"empty":                 {map[string]any{"signed": ""}, "STATEMENT_INVALID", "R2.1"},
			"not base64":            {map[string]any{"signed": "AQI="}, "BAD_INPUT", "padding"},
			"unsigned":              {map[string]any{"signed": testserver.Bytes(unsigned)}, "STATEMENT_INVALID", "S2.2"},
			"key swapped":           {map[string]any{"kemLastResort": testserver.Bytes(otherKey)}, "STATEMENT_INVALID", "S2.2"},
			"of another device":     {map[string]any{"signed": one(bobs, identity.PrekeySigned)}, "STATEMENT_INVALID", "R2.2"},
			"a token":               {map[string]any{"signed": testserver.Bytes([]byte(w.token()))}, "STATEMENT_INVALID", "R2.1"},
			"an entry":              {map[string]any{"signed": testserver.Bytes(entry)}, "STATEMENT_INVALID", "R2.1"},
			"one-time as signed":    {map[string]any{"signed": one(phone, identity.PrekeyOneTime)}, "STATEMENT_INVALID", "another kind"},
			"signed as one-time":    {map[string]any{"oneTime": []any{one(phone, identity.PrekeySigned)}}, "STATEMENT_INVALID", "another kind"},
			"one-time as the other": {map[string]any{"oneTime": []any{one(phone, identity.PrekeyKEMOneTime)}}, "STATEMENT_INVALID", "another kind"},
			"one-time as last":      {map[string]any{"kemLastResort": one(phone, identity.PrekeyKEMOneTime)}, "STATEMENT_INVALID", "another kind"},
			"null in a list":        {map[string]any{"oneTime": []any{nil}}, "BAD_INPUT", ""},
			"too many":              {map[string]any{"oneTime": many(one(phone, identity.PrekeyOneTime), 101)}, "BAD_INPUT", "100"},
			"one number twice": {map[string]any{"oneTime": []any{one(phone, identity.PrekeyOneTime), one(phone, identity.PrekeyOneTime)}},
				"STATEMENT_INVALID", "twice"},
			"a good one beside a bad one": {map[string]any{"signed": one(phone, identity.PrekeySigned), "oneTime": []any{one(bobs, identity.PrekeyOneTime)}},
				"STATEMENT_INVALID", "R2.2"},
		} {
			t.Run(name, func(t *testing.T) { wrong(t, upload(c.input), c.code, c.says) })
		}
		answer := w.Query(t, w.token(), prekeyCount, nil)
		if want := `{"prekeyCount":{"oneTime":0,"kemOneTime":0,"signedNumber":null,"kemLastResortNumber":null}}`; string(answer.Data) != want {
			t.Errorf("what was refused has left %s", answer.Body)
		}
		for _, query := range []string{prekeyCount, `mutation { uploadPrekeys(input: {}) { count { oneTime } } }`} {
			wrong(t, w.Query(t, "", query, nil), "UNAUTHENTICATED", "Authorization: Bearer")
		}
	})
}

func TestBadInputClaims(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		bobs, nobody := w.bob.Devices[0], testserver.NewPerson(t)
		w.Query(t, bobs.Token(w.URL), testserver.UploadPrekeys, map[string]any{"input": bobs.Prekeys(1)}).Into(t, &struct{}{})
		for name, c := range map[string]struct {
			variables  map[string]any
			code, says string
		}{
			"user id":          {map[string]any{"userId": strings.ToUpper(w.bob.ID.String())}, "BAD_INPUT", "user id"},
			"no user id":       {map[string]any{}, "BAD_INPUT", ""},
			"unknown user":     {map[string]any{"userId": nobody.ID.String()}, "RECIPIENT_UNKNOWN", ""},
			"device id":        {map[string]any{"userId": w.bob.ID.String(), "devices": []any{"dx"}}, "BAD_INPUT", "device id"},
			"too many devices": {map[string]any{"userId": w.bob.ID.String(), "devices": many(bobs.ID(), 101)}, "BAD_INPUT", "more devices"},
		} {
			t.Run(name, func(t *testing.T) {
				wrong(t, w.Query(t, w.token(), testserver.ClaimPrekeys, c.variables), c.code, c.says)
			})
		}
		wrong(t, w.Query(t, "", testserver.ClaimPrekeys, map[string]any{"userId": w.bob.ID.String()}), "UNAUTHENTICATED", "Authorization: Bearer")
		foreign := map[string]any{"userId": w.bob.ID.String(), "devices": []any{w.alice.Devices[0].ID(), nobody.Devices[0].ID()}}
		if claim := claimPrekeys(t, w.Server, w.alice.Devices[0], foreign); len(claim.Sets) != 0 {
			t.Errorf("sets of devices that are not the user's: %+v", claim)
		}
		if own := claimPrekeys(t, w.Server, bobs, map[string]any{"userId": w.bob.ID.String()}); len(own.Sets) != 0 {
			t.Errorf("the calling device's own prekeys: %+v", own)
		}
		if claim := claimPrekeys(t, w.Server, w.alice.Devices[0], map[string]any{"userId": w.bob.ID.String()}); len(claim.Sets) != 1 || claim.Sets[0].OneTime == nil {
			t.Errorf("a refusal has used a key up: %+v", claim)
		}
	})
}

// What a client gets by claimPrekeys verifies under the device's signing key on the list, and goes from one-time keys to the
// last-resort one.
func TestPrekeysGoFromDeviceToDevice(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		s := testserver.Start(t, testserver.Options{DB: db})
		alice, bob := s.Register(t), s.Register(t)
		phone := bob.Devices[0]
		input := phone.Prekeys(2)
		want := `{"uploadPrekeys":{"count":{"oneTime":2,"kemOneTime":2,"signedNumber":1,"kemLastResortNumber":1}}}`
		for range 2 {
			answer := s.Query(t, phone.Token(s.URL), testserver.UploadPrekeys, map[string]any{"input": input})
			if string(answer.Data) != want {
				t.Fatalf("upload: %s", answer.Body)
			}
		}
		for _, kinds := range [][2]identity.PrekeyKind{
			{identity.PrekeyOneTime, identity.PrekeyKEMOneTime}, {identity.PrekeyOneTime, identity.PrekeyKEMOneTime}, {0, identity.PrekeyKEMLastResort},
		} {
			claim := claimPrekeys(t, s, alice.Devices[0], map[string]any{"userId": bob.ID.String(), "devices": []any{phone.ID()}})
			if claim.UserID != bob.ID.String() || claim.ListVersion != 1 || len(claim.Sets) != 1 || claim.Sets[0].DeviceID != phone.ID() {
				t.Fatalf("claim %+v", claim)
			}
			set := claim.Sets[0]
			oneTime := identity.PrekeyKind(0)
			if set.OneTime != nil {
				oneTime = readPrekey(t, phone, *set.OneTime).Kind
			}
			kem := readPrekey(t, phone, set.Kem).Kind
			if readPrekey(t, phone, set.Signed).Kind != identity.PrekeySigned || oneTime != kinds[0] || kem != kinds[1] {
				t.Errorf("kinds %d and %d, want %v", oneTime, kem, kinds)
			}
		}
		s.Query(t, phone.Token(s.URL), testserver.UploadPrekeys, map[string]any{"input": input}).Into(t, &struct{}{})
		if answer := s.Query(t, phone.Token(s.URL), prekeyCount, nil); !strings.Contains(answer.Body, `"oneTime":0,"kemOneTime":0`) {
			t.Errorf("keys that were handed out are back: %s", answer.Body)
		}
	})
}

func readPrekey(t *testing.T, d *testserver.Device, text string) identity.Prekey {
	t.Helper()
	statement, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	prekey, err := identity.ParsePrekey(statement, d.Owner.ID, d.Key.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	return prekey
}

// Who claims without end is told to wait, and for how long; others go on.
func TestClaimsWithoutEndAreRefused(t *testing.T) {
	s := testserver.Start(t, testserver.Options{})
	alice, bob := s.Register(t), s.Register(t)
	claims := ""
	for i := range 9 {
		claims += fmt.Sprintf(` c%d: claimPrekeys(userId: "%s") { userId }`, i, bob.ID)
	}
	var refused []testserver.Error
	for range 100 {
		if refused = s.Query(t, alice.Devices[0].Token(s.URL), "mutation {"+claims+"}", nil).Errors; len(refused) > 0 {
			break
		}
	}
	limited := slices.IndexFunc(refused, func(e testserver.Error) bool { return e.Extensions["code"] == "RATE_LIMITED" })
	if limited < 0 {
		t.Fatalf("900 claims: %+v", refused)
	}
	if wait, _ := refused[limited].Extensions["retryAfterMs"].(float64); wait <= 0 || refused[limited].Extensions["stored"] != "NO" {
		t.Errorf("extensions %v", refused[limited].Extensions)
	}
	claimPrekeys(t, s, bob.Devices[0], map[string]any{"userId": alice.ID.String()})
}

// The limits of claims are the operator's: of a pair, of a user by all, and of who claims.
func TestLimitsOfClaimsCanBeSet(t *testing.T) {
	for name, c := range map[string]struct {
		set   func(*limits.Limits)
		spent []bool // by Alice, by Alice again, by Carol
		third string // the code of a third claim by Alice
	}{
		"of a pair":  {func(l *limits.Limits) { l.ClaimsOfPairPerMinute, l.ClaimsOfPairAtOnce = 1, 1 }, []bool{true, false, true}, ""},
		"of a user":  {func(l *limits.Limits) { l.ClaimsOfUserPerMinute, l.ClaimsOfUserAtOnce = 1, 2 }, []bool{true, true, false}, ""},
		"of callers": {func(l *limits.Limits) { l.ClaimsPerMinute, l.ClaimsAtOnce = 1, 2 }, []bool{true, true, true}, "RATE_LIMITED"},
		"none": {func(l *limits.Limits) {
			l.ClaimsPerMinute, l.ClaimsOfPairPerMinute, l.ClaimsOfUserPerMinute = 0, 0, 0
		}, []bool{true, true, true}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := testserver.Start(t, testserver.Options{Limits: c.set})
			alice, bob, carol := s.Register(t).Devices[0], s.Register(t), s.Register(t).Devices[0]
			phone := bob.Devices[0]
			s.Query(t, phone.Token(s.URL), testserver.UploadPrekeys, map[string]any{"input": phone.Prekeys(9)}).Into(t, &struct{}{})
			whom := map[string]any{"userId": bob.ID.String()}
			var spent []bool
			for _, by := range []*testserver.Device{alice, alice, carol} {
				spent = append(spent, claimPrekeys(t, s, by, whom).Sets[0].OneTime != nil)
			}
			if !slices.Equal(spent, c.spent) {
				t.Errorf("one-time keys were spent: %v, want %v", spent, c.spent)
			}
			if answer := s.Query(t, alice.Token(s.URL), testserver.ClaimPrekeys, whom); answer.Code() != c.third {
				t.Errorf("a third claim: %s", answer.Body)
			}
		})
	}
}

func TestLimitOfPrekeysIsShownAndHolds(t *testing.T) {
	s := testserver.Start(t, testserver.Options{Limits: func(l *limits.Limits) { l.MaxOneTimePrekeys = 3 }})
	alice := s.Register(t)
	var data struct {
		Server struct {
			Limits struct{ MaxOneTimePrekeys int }
		}
	}
	s.Query(t, "", `{ server { limits { maxOneTimePrekeys } } }`, nil).Into(t, &data)
	if data.Server.Limits.MaxOneTimePrekeys != 3 {
		t.Errorf("limits %+v", data)
	}
	phone := alice.Devices[0]
	wrong(t, s.Query(t, phone.Token(s.URL), testserver.UploadPrekeys, map[string]any{"input": phone.Prekeys(4)}), "BAD_INPUT", "have 3 one-time")
	s.Query(t, phone.Token(s.URL), testserver.UploadPrekeys, map[string]any{"input": phone.Prekeys(3)}).Into(t, &struct{}{})
}
