package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Prekey is a signed public key for others to start sessions with a device, in the bytes that were signed (protocol R2).
type Prekey struct{ ent.Schema }

// Fields of the Prekey.
func (Prekey) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("id"),
		field.String("device_id").MaxLen(33).Immutable(),
		field.Int8("kind").Immutable().Comment("1 signed, 2 one-time, 3 one-time KEM, 4 last-resort KEM"),
		field.Uint32("number").Immutable(),
		field.Bytes("statement").Immutable(),
		field.Int64("created_at").Immutable().Comment("when it was uploaded"),
	}
}

// Edges of the Prekey.
func (Prekey) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("device", Device.Type).Ref("prekeys").Field("device_id").Unique().Required().Immutable(),
	}
}

// Indexes of the Prekey: a claim takes the lowest number of a device and kind.
func (Prekey) Indexes() []ent.Index {
	return []ent.Index{index.Fields("device_id", "kind", "number").Unique()}
}

// Annotations of the Prekey.
func (Prekey) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Annotation{Table: "prekeys"}}
}
