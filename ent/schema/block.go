package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Block says that a mailbox takes nothing from a user. internal/mailbox owns it; it is written under the lock of the mailbox, whose row
// says whether there is any.
type Block struct{ ent.Schema }

// Fields of the Block.
func (Block) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("id"),
		field.Int64("mailbox_id").Immutable(),
		field.String("user_id").MaxLen(33).Immutable().Comment("the sender who is blocked"),
	}
}

// Indexes of the Block: a user is blocked once, and leaves all lists when deleted.
func (Block) Indexes() []ent.Index {
	return []ent.Index{index.Fields("mailbox_id", "user_id").Unique(), index.Fields("user_id")}
}

// Annotations of the Block.
func (Block) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Annotation{Table: "blocks"}}
}
