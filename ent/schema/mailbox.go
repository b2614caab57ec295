package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Mailbox holds the counters of one device's mailbox. It is the row that every write to the mailbox locks; all that is
// decided under that lock stands on it. internal/mailbox owns it.
type Mailbox struct{ ent.Schema }

// Fields of the Mailbox.
func (Mailbox) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("id").Comment("below 2^31: the high half of its messages' ids"),
		field.String("device_id").MaxLen(33).Immutable(),
		field.String("user_id").MaxLen(33).Immutable(),
		field.Uint32("list_version").Comment("of its user's list; a send must name it (delivery contract 9)"),
		field.Bool("closed").Default(false).Comment("its device was removed: takes nothing, sends nothing"),
		field.Bool("blocking").Default(false).Comment("takes nothing from the users in its blocks"),
		field.Int64("last_number").Default(0).Comment("the highest number given out"),
		field.Int64("acknowledged_number").Default(0),
		field.Int64("waiting_count").Default(0),
		field.Int64("waiting_bytes").Default(0).Comment("of ciphertext"),
		field.Int64("expired_count").Default(0),
		field.Int64("accepted_count").Default(0).Comment("envelopes that this device sent and the server accepted"),
		field.Int64("reader").Default(0).Comment("counts its subscriptions; the newest one has this number. On SQLite the server counts in memory"),
	}
}

// Edges of the Mailbox.
func (Mailbox) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("device", Device.Type).Ref("mailbox").Field("device_id").Unique().Required().Immutable(),
	}
}

// Indexes of the Mailbox: a list version is set for all mailboxes of a user.
func (Mailbox) Indexes() []ent.Index {
	return []ent.Index{index.Fields("user_id")}
}

// Annotations of the Mailbox.
func (Mailbox) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Annotation{
		Table:  "mailboxes",
		Checks: map[string]string{"mailboxes_id_range": "id >= 1 AND id <= 2147483647"},
	}}
}
