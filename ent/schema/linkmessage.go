package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// LinkMessage is one step of a link slot (protocol L1.3): what two devices that have no other way yet leave for each other.
// internal/links owns it.
type LinkMessage struct{ ent.Schema }

// Fields of the LinkMessage.
func (LinkMessage) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("id"),
		field.Bytes("slot").MaxLen(16).Immutable(),
		field.Int8("step").Immutable(),
		field.Bytes("data").Immutable(),
		field.Int64("expires_at").Immutable().Comment("the same for all steps of a slot"),
	}
}

// Indexes of the LinkMessage: a step is written once; what has expired is found by time.
func (LinkMessage) Indexes() []ent.Index {
	return []ent.Index{index.Fields("slot", "step").Unique(), index.Fields("expires_at")}
}

// Annotations of the LinkMessage.
func (LinkMessage) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Annotation{Table: "link_messages"}}
}
