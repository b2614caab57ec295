package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
)

// Store has one row, about the database as a whole.
type Store struct{ ent.Schema }

// Fields of the Store.
func (Store) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("id").Immutable().Annotations(entsql.Annotation{Incremental: new(bool)}).Comment("always 1"),
		field.Int64("epoch").Comment("random; renewed when the database was restored or promoted, which makes old cursors foreign"),
		field.Bytes("rate_key").MaxLen(32).Optional().Sensitive().Comment("random; keeps others from choosing whom they share a row of rates with"),
	}
}

// Annotations of the Store.
func (Store) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Annotation{Table: "stores"}}
}
