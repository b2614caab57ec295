package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
)

// DeletedID is what is left of a user who was deleted (protocol S7.4): a hash of the user's id, and one of each device's, so that
// none of them comes back. Who does not know an id can't read it from its hash.
type DeletedID struct{ ent.Schema }

// Fields of the DeletedID.
func (DeletedID) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").MaxLen(43).Immutable().Comment("base64 of the id's hash"),
		field.Int64("deleted_at").Immutable(),
	}
}

// Annotations of the DeletedID.
func (DeletedID) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Annotation{Table: "deleted_ids"}}
}
