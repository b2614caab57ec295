package identity_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/letterlock/letterlock/identity"
)

func deletion(t testing.TB, p *person) []byte {
	t.Helper()
	statement, err := identity.SignDeletion(p.key, 7, "https://chat.example")
	if err != nil {
		t.Fatal(err)
	}
	return statement
}

func TestDeletionIsReadAsItWasSigned_S7(t *testing.T) {
	p := newPerson(t, "alice")
	read, err := identity.ParseDeletion(deletion(t, p))
	want := identity.Deletion{UserKey: p.key.PublicKey(), Version: 7, Origin: "https://chat.example"}
	if err != nil || read != want || read.UserID() != p.id() {
		t.Fatalf("read %+v, %v", read, err)
	}
}

// A deletion of which any byte was changed, or any byte is missing or too many, is refused: by what it is, or by its signature.
func TestAttackChangesDeletion_S7(t *testing.T) {
	statement := deletion(t, newPerson(t, "alice"))
	for i := range statement {
		changed := bytes.Clone(statement)
		changed[i] ^= 1
		if _, err := identity.ParseDeletion(changed); !errors.Is(err, identity.ErrStatement) {
			t.Fatalf("byte %d changed: error %v", i, err)
		}
	}
	for _, other := range [][]byte{
		nil, statement[:len(statement)-1], append(bytes.Clone(statement), 0), statement[:20], make([]byte, identity.MaxDeletionSize+1),
	} {
		if _, err := identity.ParseDeletion(other); !errors.Is(err, identity.ErrDeletionForm) {
			t.Errorf("%d bytes: error %v", len(other), err)
		}
	}
}

// A device list is no deletion and a deletion no device list, whoever signed them.
func TestAttackPassesOneStatementOffAsAnother_S7(t *testing.T) {
	p := newPerson(t, "alice")
	if _, err := identity.ParseDeletion(p.list(nil, "phone", p.entry("phone"))); !errors.Is(err, identity.ErrDeletionForm) {
		t.Errorf("a device list: %v", err)
	}
	if _, err := identity.ParseDeviceList(deletion(t, p)); !errors.Is(err, identity.ErrStatement) {
		t.Errorf("a deletion: %v", err)
	}
}

func TestDeletionIsOfOneServerAndOneList_S7(t *testing.T) {
	p := newPerson(t, "alice")
	for _, origin := range []string{"", "chat.example", "https://chat.example/", "https://Chat.example", "https://chat.example:443"} {
		if _, err := identity.SignDeletion(p.key, 1, origin); !errors.Is(err, identity.ErrDeletionForm) {
			t.Errorf("%q: %v", origin, err)
		}
	}
	if _, err := identity.SignDeletion(p.key, 0, "https://chat.example"); !errors.Is(err, identity.ErrListVersion) {
		t.Errorf("version 0: %v", err)
	}
}

func TestDeletionVectors(t *testing.T) {
	type deletionVector struct {
		vector
		Statement hexBytes
		Inputs    struct {
			UserSeed hexBytes
			Version  uint32
			Origin   string
		}
	}
	eachVector(t, "deletions.json", func(t *testing.T, v deletionVector) {
		read, err := identity.ParseDeletion(v.Statement)
		v.wantClass(t, err)
		if err != nil {
			return
		}
		user := signingKey(t, v.Inputs.UserSeed)
		made, err := identity.SignDeletion(user, v.Inputs.Version, v.Inputs.Origin)
		if err != nil || !bytes.Equal(made, v.Statement) {
			t.Errorf("made of the same inputs: other bytes, %v", err)
		}
		if read != (identity.Deletion{UserKey: user.PublicKey(), Version: v.Inputs.Version, Origin: v.Inputs.Origin}) {
			t.Errorf("parsed %+v", read)
		}
	})
}

func FuzzParseDeletion(f *testing.F) {
	addSeeds(f, "deletions.json", func(v statementSeed) { f.Add([]byte(v.Statement)) })
	f.Fuzz(func(t *testing.T, input []byte) {
		read, err := identity.ParseDeletion(input)
		if err != nil {
			if !errors.Is(err, identity.ErrStatement) {
				t.Fatalf("an error of no class: %v", err)
			}
			return
		}
		if origin, err := identity.Origin(read.Origin); err != nil || origin != read.Origin || read.Version == 0 {
			t.Fatalf("accepted %x as %+v", input, read)
		}
	})
}
