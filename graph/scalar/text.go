package scalar

import (
	"github.com/99designs/gqlgen/graphql"

	"github.com/letterlock/letterlock/internal/problem"
)

// Bounds of the texts that name things. Every id has 36 characters at the most; a cursor is of our own making.
const (
	maxIDLength     = 64
	maxCursorLength = 256
)

// MarshalID writes an id as a JSON string.
func MarshalID(id string) graphql.Marshaler { return graphql.MarshalString(id) }

// UnmarshalID reads an id: a string of at most 64 bytes. The ids of this schema are never numbers.
func UnmarshalID(v any) (string, error) { return text(v, maxIDLength) }

// MarshalCursor writes a cursor as a JSON string.
func MarshalCursor(cursor string) graphql.Marshaler { return graphql.MarshalString(cursor) }

// UnmarshalCursor reads a cursor: a string of at most 256 bytes, whose meaning the mailbox judges.
func UnmarshalCursor(v any) (string, error) { return text(v, maxCursorLength) }

func text(v any, limit int) (string, error) {
	s, ok := v.(string)
	if !ok {
		return "", problem.New(problem.BadInput, "must be a string")
	}
	if len(s) > limit {
		return "", problem.New(problem.BadInput, "is too long to be what is asked for here")
	}
	return s, nil
}
