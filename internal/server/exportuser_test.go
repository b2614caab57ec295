package server_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/testdb"
	"github.com/letterlock/letterlock/internal/testserver"
)

const exportUser = `query($lists: Int, $devices: ID) { exportUser(listsAfter: $lists, devicesAfter: $devices) {
	userId createdAt listVersion hasMore
	deviceLists { version statement createdAt }
	devices { id createdAt removedAt oneTimeNumber kemOneTimeNumber blockedUserIds prekeys { kind number statement createdAt }
		mailbox { id listVersion closed blocking lastNumber acknowledgedNumber waitingCount waitingBytes expiredCount acceptedCount } } } }`

const exportMailbox = `{ mailbox { nodes { id messageId senderUserId senderDeviceId senderListVersion sentAt expiresAt kind ciphertext nonce } } }`

// exported reads all pages of an export and gives the answers.
func exported(t *testing.T, s *testserver.Server, d *testserver.Device) (answers []*testserver.Answer) {
	t.Helper()
	variables := map[string]any{}
	for range 100 {
		answer := s.Query(t, d.Token(s.URL), exportUser, variables)
		var page struct {
			ExportUser struct {
				HasMore     bool
				DeviceLists []struct{ Version int }
				Devices     []struct{ ID string }
			}
		}
		answer.Into(t, &page)
		answers = append(answers, answer)
		if lists := page.ExportUser.DeviceLists; len(lists) > 0 {
			variables["lists"] = lists[len(lists)-1].Version
		}
		if devices := page.ExportUser.Devices; len(devices) > 0 {
			variables["devices"] = devices[len(devices)-1].ID
		}
		if !page.ExportUser.HasMore {
			return answers
		}
	}
	t.Fatal("an export without end")
	return nil
}

// values gives every value of answers, as a store would hold it: instants as microseconds, binary data as bytes.
func values(t *testing.T, answers []*testserver.Answer) (found []string) {
	t.Helper()
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, inner := range v {
				walk(inner)
			}
		case []any:
			for _, inner := range v {
				walk(inner)
			}
		case string:
			found = append(found, v)
			if at, err := time.Parse(time.RFC3339Nano, v); err == nil {
				found = append(found, strconv.FormatInt(at.UnixMicro(), 10))
			}
			if id, err := uuid.Parse(v); err == nil {
				found = append(found, string(id[:]))
			}
			if raw, err := base64.RawURLEncoding.DecodeString(v); err == nil {
				found = append(found, string(raw))
			}
		default:
			found = append(found, fmt.Sprint(v))
		}
	}
	for _, answer := range answers {
		var data any
		decoder := json.NewDecoder(strings.NewReader(string(answer.Data)))
		decoder.UseNumber()
		if err := decoder.Decode(&data); err != nil {
			t.Fatal(err)
		}
		walk(data)
	}
	return found
}

// codes are what enums of the API are in the store.
func codes(found []string) []string {
	for i, kind := range []string{"SIGNED", "ONE_TIME", "KEM_ONE_TIME", "KEM_LAST_RESORT"} {
		if slices.Contains(found, kind) {
			found = append(found, strconv.Itoa(i+1))
		}
	}
	for i, kind := range []string{"BOX", "SESSION", "SESSION_START"} {
		if slices.Contains(found, kind) {
			found = append(found, strconv.Itoa(i+1))
		}
	}
	return found
}

// rowNumbers name rows inside the database, and say nothing of anybody.
var rowNumbers = []string{"device_lists.id", "prekeys.id", "blocks.id"}

// Every value of every row that was written for a user is in what exportUser and mailbox say to the user's devices.
func TestExportUserHoldsWhatTheTablesHold(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		s := testserver.Start(t, testserver.Options{DB: db})
		bob := s.Register(t)
		before := testdb.Dump(t, db)
		alice := s.Register(t)
		phone := alice.Devices[0]
		devices := []*testserver.Device{phone}
		for range 5 { // more than a page
			devices = append(devices, alice.NewDevice())
		}
		for _, named := range [][]*testserver.Device{devices, devices[:5]} {
			if answer := s.Publish(t, alice, named...); answer.Code() != "" {
				t.Fatal(answer.Body)
			}
		}
		for _, d := range devices[:2] {
			s.Query(t, d.Token(s.URL), testserver.UploadPrekeys, map[string]any{"input": d.Prekeys(2)}).Into(t, &struct{}{})
		}
		s.Send(t, "hello", phone, devices[1], devices[2]).Into(t, &struct{}{})
		s.Send(t, "again", devices[1], phone).Into(t, &struct{}{})
		s.Query(t, phone.Token(s.URL), testserver.SetBlocked, map[string]any{"ids": []any{bob.ID.String()}}).Into(t, &struct{}{})
		answers := exported(t, s, phone)
		if len(answers) != 2 {
			t.Fatalf("the export has %d pages, want 2", len(answers))
		}
		for _, d := range devices[:5] {
			answers = append(answers, s.Query(t, d.Token(s.URL), exportMailbox, nil))
		}
		found, texts := codes(values(t, answers)), strings.Join(values(t, answers), "\x00")
		looked := map[string]int{}
		for _, cell := range added(before, testdb.Dump(t, db)) {
			if cell.Table == "sends" || slices.Contains(rowNumbers, cell.Place()) || strings.HasPrefix(cell.Table, "sqlite_") {
				continue
			}
			looked[cell.Table]++
			value := string(cell.Value)
			switch cell.Column {
			case "user_key", "signing_key": // stand in the lists
				if !strings.Contains(texts, value) {
					t.Errorf("%s is not in the export", cell.Place())
				}
			default:
				if value != "<nil>" && !slices.Contains(found, value) && !slices.Contains(found, boolean(value)) {
					t.Errorf("%s, %q, is not in the export", cell.Place(), value)
				}
			}
		}
		for _, table := range []string{"users", "devices", "device_lists", "mailboxes", "prekeys", "messages", "blocks"} {
			if looked[table] == 0 {
				t.Errorf("nothing was looked at in %s", table)
			}
		}
	})
}

// boolean is a value of SQLite's as JSON has it.
func boolean(value string) string { return map[string]string{"0": "false", "1": "true"}[value] }

// added gives the cells that were not there before.
func added(before, after []testdb.Cell) (cells []testdb.Cell) {
	seen := map[string]bool{}
	for _, cell := range before {
		seen[cell.Place()+"\x00"+string(cell.Value)] = true
	}
	for _, cell := range after {
		if !seen[cell.Place()+"\x00"+string(cell.Value)] {
			cells = append(cells, cell)
		}
	}
	return cells
}

func TestExportUserIsOfTheCallerAlone(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *database.DB) {
		s := testserver.Start(t, testserver.Options{DB: db})
		alice, bob := s.Register(t), s.Register(t)
		s.Send(t, "hello", bob.Devices[0], alice.Devices[0]).Into(t, &struct{}{})
		// Another user's device is a position like any other.
		answer := s.Query(t, alice.Devices[0].Token(s.URL), exportUser, map[string]any{"devices": "d" + strings.Repeat("a", 32)})
		answer.Into(t, &struct{}{})
		if strings.Contains(answer.Body, bob.ID.String()) || strings.Contains(answer.Body, bob.Devices[0].ID()) {
			t.Errorf("alice is told of bob: %s", answer.Body)
		}
		wrong(t, s.Query(t, "", exportUser, nil), "UNAUTHENTICATED", "needs a device token")
		for _, bad := range []map[string]any{{"devices": "nobody"}, {"lists": -1}} {
			wrong(t, s.Query(t, alice.Devices[0].Token(s.URL), exportUser, bad), "BAD_INPUT", "")
		}
	})
}
