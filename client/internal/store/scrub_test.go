package store

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/letterlock/letterlock/device"
)

// lying reports whether a file of the home holds these bytes.
func lying(t *testing.T, home string, sealed []byte) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(home, "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("files %v, %v", files, err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(content, sealed) {
			return true
		}
	}
	return false
}

// stored gives a record as it stands in the file.
func (s *Store) stored(t *testing.T, key device.Key) (sealed []byte) {
	t.Helper()
	err := s.db.QueryRowContext(t.Context(), "SELECT value FROM records WHERE scope = ? AND number = ?",
		s.cipher.Scope(key.Collection, key.Owner), int64(key.Number)).Scan(&sealed)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

// R7: who steals the home with its key finds no older state: not in the file, not in free pages, not in the write-ahead log.
func TestWhatIsOverwrittenIsGone_R7(t *testing.T) {
	s, home := create(t)
	session, prekey := device.Key{Collection: "session", Owner: "bob"}, device.Key{Collection: "prekey", Number: 7}
	put := func(writes ...device.Write) {
		t.Helper()
		if err := s.Update(t.Context(), func(device.Records) ([]device.Write, error) { return writes, nil }); err != nil {
			t.Fatal(err)
		}
	}
	put(device.Write{Key: session, Value: bytes.Repeat([]byte("one"), 900)}, device.Write{Key: prekey, Value: []byte("private")})
	old, gone := s.stored(t, session), s.stored(t, prekey)
	put(device.Write{Key: session, Value: bytes.Repeat([]byte("two"), 900)}, device.Write{Key: prekey})
	part := func(sealed []byte) []byte { return sealed[len(sealed)-64:] }
	if !lying(t, home, part(old)) || !lying(t, home, part(gone)) {
		t.Fatal("the test would not see an older state")
	}
	if s.scrub.timer == nil {
		t.Fatal("nothing is due to be emptied")
	}
	if !s.scrub.now() {
		t.Fatal("the log could not be emptied")
	}
	if lying(t, home, part(old)) || lying(t, home, part(gone)) {
		t.Fatal("an older state lies around")
	}
	if !lying(t, home, part(s.stored(t, session))) {
		t.Fatal("the newest state does not stand in the file")
	}
}

func TestCloseEmptiesTheLog_R7(t *testing.T) {
	home := filepath.Join(t.TempDir(), "home")
	s, err := Create(t.Context(), home, nil)
	if err != nil {
		t.Fatal(err)
	}
	key := device.Key{Collection: "session"}
	var sealed [][]byte
	for i := range 3 {
		err := s.Update(t.Context(), func(device.Records) ([]device.Write, error) {
			return []device.Write{{Key: key, Value: bytes.Repeat([]byte{byte(i)}, 300)}}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		sealed = append(sealed, s.stored(t, key))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if lying(t, home, sealed[0][40:100]) || lying(t, home, sealed[1][40:100]) || !lying(t, home, sealed[2][40:100]) {
		t.Fatal("an older state lies around, or the newest is lost")
	}
}
