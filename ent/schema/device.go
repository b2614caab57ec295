package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Device is one installation of a user. Of its keys only the signing key stands here, since tokens are checked
// with it; the others are read from the signed lists by clients alone.
type Device struct{ ent.Schema }

// Fields of the Device.
func (Device) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").MaxLen(33).Immutable().Comment("d + base32 of the signing key's hash (protocol S4)"),
		field.String("user_id").MaxLen(33).Immutable(),
		field.Bytes("signing_key").MaxLen(32).Immutable(),
		field.Int64("created_at").Immutable().Comment("when it was registered here"),
		field.Uint32("one_time_number").Default(0).Comment("the highest number of a one-time prekey that was ever uploaded"),
		field.Uint32("kem_one_time_number").Default(0).Comment("the same of one-time KEM prekeys"),
		field.Int64("removed_at").Optional().Nillable().Comment("when a list no longer named it; it never comes back (S4.4)"),
	}
}

// Edges of the Device.
func (Device) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("user", User.Type).Ref("devices").Field("user_id").Unique().Required().Immutable(),
		edge.To("prekeys", Prekey.Type).Annotations(entsql.OnDelete(entsql.Cascade)),
		edge.To("mailbox", Mailbox.Type).Unique().Annotations(entsql.OnDelete(entsql.Cascade)),
	}
}

// Indexes of the Device: those of a user are exported and deleted together.
func (Device) Indexes() []ent.Index {
	return []ent.Index{index.Fields("user_id")}
}

// Annotations of the Device.
func (Device) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Annotation{Table: "devices"}}
}
