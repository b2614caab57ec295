package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
)

// Rate is how much of a limit that holds on all nodes is used up. It names nobody, and is gone when it makes no difference any more.
// internal/tally owns it.
//
// It has no index by time: it is written for each thing that is counted, and read from end to end once a minute.
type Rate struct{ ent.Schema }

// Fields of the Rate.
func (Rate) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("id").Immutable().Annotations(entsql.Annotation{Incremental: new(bool)}).
			Comment("which limit, and 20 bits of a keyed hash of whom it is for: many share a row"),
		field.Int64("until").Comment("when all that was counted is forgotten, in Unix microseconds (GCRA's theoretical arrival time)"),
	}
}

// Annotations of the Rate.
func (Rate) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Annotation{Table: "rates"}}
}
