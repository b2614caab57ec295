package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// DeviceList is one signed version of a user's device list, in the bytes that were signed.
type DeviceList struct{ ent.Schema }

// Fields of the DeviceList.
func (DeviceList) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("id"),
		field.String("user_id").MaxLen(33).Immutable(),
		field.Uint32("version").Immutable(),
		field.Bytes("statement").Immutable(),
		field.Int64("created_at").Immutable(),
	}
}

// Edges of the DeviceList.
func (DeviceList) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("user", User.Type).Ref("device_lists").Field("user_id").Unique().Required().Immutable(),
	}
}

// Indexes of the DeviceList: a version exists once.
func (DeviceList) Indexes() []ent.Index {
	return []ent.Index{index.Fields("user_id", "version").Unique()}
}

// Annotations of the DeviceList.
func (DeviceList) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Annotation{Table: "device_lists"}}
}
