package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"github.com/google/uuid"
)

// Message is one envelope in one mailbox.
//
// Its id is mailbox id × 2^32 + number: one key that orders a mailbox, that a page is read by as one range, and that
// SQLite keeps its rows in. No second index is needed for delivery.
//
// There is no foreign key to the mailbox: it would be looked up once more for every message, and locked, where the writer
// holds its lock anyway. Who deletes a mailbox deletes its messages.
type Message struct{ ent.Schema }

// Fields of the Message.
func (Message) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("id").Immutable().Annotations(entsql.Annotation{Incremental: new(bool)}),
		field.Int64("mailbox_id").Immutable(),
		field.UUID("message_id", uuid.UUID{}).Immutable().Comment("the sender's name for it"),
		field.String("sender_user_id").MaxLen(33).Immutable(),
		field.String("sender_device_id").MaxLen(33).Immutable(),
		field.Uint32("sender_list_version").Immutable(),
		field.Int64("sent_at").Immutable().Comment("when it was accepted"),
		field.Int64("expires_at").Immutable(),
		field.Int8("kind").Immutable().Comment("1 BOX, 2 SESSION, 3 SESSION_START"),
		field.Bytes("nonce").Optional().Immutable(),
		field.Bytes("ciphertext").Immutable(),
	}
}

// Indexes of the Message: what has expired is found by time.
func (Message) Indexes() []ent.Index {
	return []ent.Index{index.Fields("expires_at")}
}

// Annotations of the Message.
func (Message) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Annotation{Table: "messages"}}
}
