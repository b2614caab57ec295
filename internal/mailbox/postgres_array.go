package mailbox

import (
	"encoding/binary"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// binaryArray is an array in PostgreSQL's binary form, written column by column while a plan is walked. pgx takes slices as well, but asks
// each element for its type and allocates for most of them: a tenth of what a message costs a node.
//
//	offset  size  field, big-endian
//	0       4     dimensions: 1
//	4       4     1 if there may be nulls
//	8       4     OID of the elements' type
//	12      4     number of elements
//	16      4     index of the first: 1
//	20            elements: length in 4 bytes, -1 for null, and value
type binaryArray []byte

// newArray begins an array that is to get n elements of about size bytes each.
func newArray(element uint32, n, size int) binaryArray {
	a := make(binaryArray, 0, 20+n*(4+size))
	for _, field := range [...]uint32{1, 0, element, uint32(n), 1} { // #nosec G115 -- bounded by a batch
		a = binary.BigEndian.AppendUint32(a, field)
	}
	return a
}

func (a *binaryArray) int64(v int64) {
	*a = binary.BigEndian.AppendUint32(*a, 8)
	*a = binary.BigEndian.AppendUint64(*a, uint64(v)) // #nosec G115 -- the same bits
}

func (a *binaryArray) int32(v int32) {
	*a = binary.BigEndian.AppendUint32(*a, 4)
	*a = binary.BigEndian.AppendUint32(*a, uint32(v)) // #nosec G115 -- the same bits
}

func (a *binaryArray) int16(v int16) {
	*a = binary.BigEndian.AppendUint32(*a, 2)
	*a = binary.BigEndian.AppendUint16(*a, uint16(v)) // #nosec G115 -- the same bits
}

func (a *binaryArray) text(s string) {
	*a = binary.BigEndian.AppendUint32(*a, uint32(len(s))) // #nosec G115 -- an id
	*a = append(*a, s...)
}

func (a *binaryArray) uuid(id uuid.UUID) { a.bytes(id[:]) }

// bytes appends b, or null for nil.
func (a *binaryArray) bytes(b []byte) {
	if b == nil {
		binary.BigEndian.PutUint32((*a)[4:], 1)
		*a = binary.BigEndian.AppendUint32(*a, 1<<32-1)
		return
	}
	*a = binary.BigEndian.AppendUint32(*a, uint32(len(b))) // #nosec G115 -- bounded by a batch
	*a = append(*a, b...)
}

// takeArrays lets a connection take a binaryArray wherever it takes an array of these types.
func takeArrays(conn *pgx.Conn) {
	types := conn.TypeMap()
	for _, oid := range [...]uint32{
		pgtype.Int2ArrayOID, pgtype.Int4ArrayOID, pgtype.Int8ArrayOID, pgtype.TextArrayOID, pgtype.ByteaArrayOID, pgtype.UUIDArrayOID,
	} {
		if known, ok := types.TypeForOID(oid); ok {
			types.RegisterType(&pgtype.Type{Name: known.Name, OID: oid, Codec: arrayCodec{known.Codec}})
		}
	}
}

// arrayCodec adds binaryArray to what another codec takes.
type arrayCodec struct{ pgtype.Codec }

// PlanEncode is for pgx.
func (c arrayCodec) PlanEncode(m *pgtype.Map, oid uint32, format int16, value any) pgtype.EncodePlan {
	if _, ok := value.(binaryArray); ok && format == pgtype.BinaryFormatCode {
		return arrayPlan{}
	}
	return c.Codec.PlanEncode(m, oid, format, value)
}

type arrayPlan struct{}

// Encode is for pgx.
func (arrayPlan) Encode(value any, buf []byte) ([]byte, error) {
	array, _ := value.(binaryArray) // PlanEncode has seen to it.
	return append(buf, array...), nil
}
