// Package schema is the hand-written description of what is stored. Instants are Unix microseconds, so that both
// databases order and compare them alike.
package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
)

// User is a person, known by the hash of an Ed25519 user key.
type User struct{ ent.Schema }

// Fields of the User.
func (User) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").MaxLen(33).Immutable().Comment("u + base32 of the user key's hash (protocol S3)"),
		field.Bytes("user_key").MaxLen(32).Immutable(),
		field.Uint32("list_version").Comment("version of the device list that holds"),
		field.Int64("created_at").Immutable(),
	}
}

// Edges of the User.
func (User) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("device_lists", DeviceList.Type).Annotations(entsql.OnDelete(entsql.Cascade)),
		edge.To("devices", Device.Type).Annotations(entsql.OnDelete(entsql.Cascade)),
	}
}

// Annotations of the User.
func (User) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Annotation{Table: "users"}}
}
