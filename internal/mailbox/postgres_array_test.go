package mailbox

import (
	"math"
	"reflect"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/testdb"
)

// PostgreSQL reads in an array what was written into it.
func TestBinaryArray(t *testing.T) {
	t.Parallel()
	db := testdb.Open(t, database.PostgreSQL)
	s := newPostgresStore(db.Pool)
	defer s.close()
	if err := s.connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	int64s, int32s, int16s := newArray(pgtype.Int8OID, 3, 8), newArray(pgtype.Int4OID, 2, 4), newArray(pgtype.Int2OID, 2, 2)
	for _, v := range []int64{math.MinInt64, 0, math.MaxInt64} {
		int64s.int64(v)
	}
	int32s.int32(math.MinInt32)
	int32s.int32(7)
	int16s.int16(math.MaxInt16)
	int16s.int16(-1)
	id := uuid.Must(uuid.NewV7())
	uuids, texts, bytes := newArray(pgtype.UUIDOID, 1, 16), newArray(pgtype.TextOID, 2, 4), newArray(pgtype.ByteaOID, 3, 1)
	uuids.uuid(id)
	texts.text("ümlaut")
	texts.text("")
	bytes.bytes([]byte{0, 255})
	bytes.bytes(nil)
	bytes.bytes([]byte{})
	var (
		got64 []int64
		got32 []int32
		got16 []int16
		gotID []uuid.UUID
		gotT  []string
		gotB  [][]byte
		none  int
	)
	row := s.conn.QueryRow(t.Context(), `SELECT $1::bigint[], $2::int[], $3::smallint[], $4::uuid[], $5::text[], $6::bytea[], cardinality($7::bigint[])`,
		int64s, int32s, int16s, uuids, texts, bytes, newArray(pgtype.Int8OID, 0, 0))
	if err := row.Scan(&got64, &got32, &got16, &gotID, &gotT, &gotB, &none); err != nil {
		t.Fatal(err)
	}
	for what, pair := range map[string][2]any{
		"bigint": {got64, []int64{math.MinInt64, 0, math.MaxInt64}}, "int": {got32, []int32{math.MinInt32, 7}},
		"smallint": {got16, []int16{math.MaxInt16, -1}}, "uuid": {gotID, []uuid.UUID{id}}, "text": {gotT, []string{"ümlaut", ""}},
		"bytea": {gotB, [][]byte{{0, 255}, nil, {}}}, "none": {none, 0},
	} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			t.Errorf("%s: %v, want %v", what, pair[0], pair[1])
		}
	}
}
