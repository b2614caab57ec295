package graph

import (
	"context"

	"github.com/letterlock/letterlock/graph/model"
	"github.com/letterlock/letterlock/identity"
)

func (r *Resolver) setBlockedUsers(ctx context.Context, ids []string) (*model.SetBlockedUsersPayload, error) {
	device, err := calling(ctx)
	if err != nil {
		return nil, err
	}
	users := make([]identity.UserID, len(ids))
	for i, text := range ids {
		if users[i], err = userID(text); err != nil {
			return nil, err
		}
	}
	count, err := r.Directory.Block(ctx, device, users)
	if err != nil {
		return nil, err
	}
	return &model.SetBlockedUsersPayload{Count: count}, nil
}
