package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Invite lets one user register. It is gone once it was used: who came by which invite is not kept. internal/invites owns it.
type Invite struct{ ent.Schema }

// Fields of the Invite.
func (Invite) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("id"),
		field.Bytes("hash").MaxLen(32).Immutable().Unique().Comment("SHA-256 of the code, which is not kept"),
		field.Int64("expires_at").Immutable(),
	}
}

// Indexes of the Invite: what has expired is found by time.
func (Invite) Indexes() []ent.Index { return []ent.Index{index.Fields("expires_at")} }

// Annotations of the Invite.
func (Invite) Annotations() []schema.Annotation {
	return []schema.Annotation{entsql.Annotation{Table: "invites"}}
}
