// Package graph answers the GraphQL schema: resolvers of a line each, and the mapping between the schema's types and
// those of the packages that do the work.
package graph

import (
	"context"
	"time"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/directory"
	"github.com/letterlock/letterlock/internal/invites"
	"github.com/letterlock/letterlock/internal/limits"
	"github.com/letterlock/letterlock/internal/links"
	"github.com/letterlock/letterlock/internal/mailbox"
)

// Resolver is the root of all resolvers.
type Resolver struct {
	Directory Directory
	Mailboxes Mailboxes
	Links     Links
	Limits    limits.Limits
	// Registration is who may register.
	Registration invites.Registration
	Version      string
	Origins      []string // canonical; the audiences of tokens
	Now          func() time.Time
	// Present makes what callers see of the error that a subscription ends with.
	Present func(ctx context.Context, err error) *gqlerror.Error
}

// Directory is what resolvers need of *directory.Directory.
type Directory interface {
	Register(
		ctx context.Context, userKey, statement []byte, token, invite string, origins []string,
	) (*directory.User, directory.Device, error)
	Publish(ctx context.Context, caller directory.Device, statement []byte) (*directory.User, error)
	Delete(
		ctx context.Context, statement []byte, origins []string, caller func(context.Context) (directory.Device, error),
	) (identity.UserID, time.Time, error)
	Export(ctx context.Context, caller directory.Device, listsAfter uint32, devicesAfter string) (*directory.Export, error)
	Block(ctx context.Context, caller directory.Device, users []identity.UserID) (int, error)
	User(ctx context.Context, id identity.UserID, since uint32) (*directory.User, error)
	UploadPrekeys(ctx context.Context, caller directory.Device, upload directory.PrekeyUpload) (directory.PrekeyCount, error)
	PrekeyCount(ctx context.Context, caller directory.Device) (directory.PrekeyCount, error)
	ClaimPrekeys(
		ctx context.Context, caller directory.Device, user identity.UserID, devices []identity.DeviceID,
	) (directory.PrekeyClaim, error)
}

// Mailboxes is what resolvers need of *mailbox.Service.
type Mailboxes interface {
	Send(ctx context.Context, send mailbox.Send) (mailbox.Receipt, error)
	SendAll(ctx context.Context, call mailbox.Call) ([]mailbox.Receipt, error)
	Acknowledge(ctx context.Context, device identity.DeviceID, upTo mailbox.Cursor) (mailbox.Acknowledgement, error)
	Page(ctx context.Context, device identity.DeviceID, after *mailbox.Cursor, first int) (mailbox.Page, error)
	Subscribe(ctx context.Context, device identity.DeviceID, after *mailbox.Cursor) (*mailbox.Reader, error)
	Feed(ctx context.Context, device identity.DeviceID, after *mailbox.Cursor, ready func()) (*mailbox.Feed, error)
	Status(ctx context.Context, device identity.DeviceID) (mailbox.Status, error)
}

// Links is what resolvers need of *links.Slots.
type Links interface {
	Put(ctx context.Context, slot []byte, step int, data []byte) (time.Time, error)
	Get(ctx context.Context, slot []byte, step int) ([]byte, error)
}

var (
	_ Directory = (*directory.Directory)(nil)
	_ Links     = (*links.Slots)(nil)
	_ Mailboxes = (*mailbox.Service)(nil)
)
