package scalar

import (
	"encoding/json"
	"io"
	"math"
	"strconv"

	"github.com/99designs/gqlgen/graphql"

	"github.com/letterlock/letterlock/internal/problem"
)

// MaxCounter is the largest Counter, the largest whole number that every JSON reader holds exactly.
const MaxCounter = 1<<53 - 1

// MarshalInt writes a GraphQL Int. What the server counts by Int is bounded far below 2^31 (internal/limits).
func MarshalInt(n int) graphql.Marshaler { return number(int64(n)) }

// UnmarshalInt reads a GraphQL Int: a whole number of 32 bits, not a string that looks like one.
func UnmarshalInt(v any) (int, error) {
	n, err := whole(v)
	if err != nil || n < math.MinInt32 || n > math.MaxInt32 {
		return 0, problem.New(problem.BadInput, "must be a whole number of 32 bits")
	}
	return int(n), nil
}

// MarshalCounter writes a Counter.
func MarshalCounter(n int64) graphql.Marshaler { return number(n) }

// UnmarshalCounter reads a Counter: a whole number from 0 to 2^53 - 1.
func UnmarshalCounter(v any) (int64, error) {
	n, err := whole(v)
	if err != nil || n < 0 || n > MaxCounter {
		return 0, problem.New(problem.BadInput, "must be a whole number from 0 to 2^53 - 1")
	}
	return n, nil
}

func number(n int64) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { _, _ = io.WriteString(w, strconv.FormatInt(n, 10)) })
}

var errNotWhole = problem.New(problem.BadInput, "must be a whole number")

// whole reads what the request decoder and the GraphQL parser make of a number.
func whole(v any) (int64, error) {
	switch n := v.(type) {
	case json.Number:
		parsed, err := strconv.ParseInt(string(n), 10, 64)
		if err != nil {
			return 0, errNotWhole
		}
		return parsed, nil
	case int64:
		return n, nil
	case int:
		return int64(n), nil
	default:
		return 0, errNotWhole
	}
}
