package scalar

import (
	"io"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/letterlock/letterlock/internal/problem"
)

const timeFormat = "2006-01-02T15:04:05.000000Z"

// FormatTime gives an instant as RFC 3339 in UTC with microseconds: fixed width, so that it sorts as text.
func FormatTime(t time.Time) string { return t.UTC().Format(timeFormat) }

// AppendTime appends FormatTime.
func AppendTime(b []byte, t time.Time) []byte { return t.UTC().AppendFormat(b, timeFormat) }

// MarshalTime writes an instant by FormatTime.
func MarshalTime(t time.Time) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		b := make([]byte, 0, len(timeFormat)+2)
		b = append(b, '"')
		b = AppendTime(b, t)
		b = append(b, '"')
		_, _ = w.Write(b)
	})
}

// UnmarshalTime reads what MarshalTime writes.
func UnmarshalTime(v any) (time.Time, error) {
	text, ok := v.(string)
	if ok {
		if t, err := time.Parse(timeFormat, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, problem.New(problem.BadInput, "must be an instant like 2026-01-02T03:04:05.000006Z")
}
