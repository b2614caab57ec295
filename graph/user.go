package graph

import (
	"context"
	"math"

	"github.com/letterlock/letterlock/graph/model"
	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/caller"
	"github.com/letterlock/letterlock/internal/directory"
	"github.com/letterlock/letterlock/internal/problem"
)

func (r *Resolver) user(ctx context.Context, id string, sinceVersion *int) (*model.User, error) {
	user, err := userID(id)
	if err != nil {
		return nil, err
	}
	since, err := listVersion(orZero(sinceVersion), "sinceVersion")
	if err != nil {
		return nil, err
	}
	found, err := r.Directory.User(ctx, user, since)
	if err != nil || found == nil {
		return nil, err
	}
	return userModel(found), nil
}

func (r *Resolver) register(ctx context.Context, input model.RegisterKeyInput) (*model.RegisterKeyPayload, error) {
	c := caller.From(ctx)
	if err := c.Registering(); err != nil {
		return nil, err
	}
	if c.Token() == "" && !c.Anonymous() {
		if _, err := c.Device(ctx); err != nil {
			return nil, err // which says what is wrong with the header
		}
	}
	user, registered, err := r.Directory.Register(ctx, input.UserKey, input.DeviceList, c.Token(), orEmpty(input.Invite), r.Origins)
	if err != nil {
		return nil, err
	}
	device, err := r.device(ctx, registered)
	if err != nil {
		return nil, stored(err)
	}
	return &model.RegisterKeyPayload{User: userModel(user), Device: device}, nil
}

func (r *Resolver) publish(ctx context.Context, input model.PublishDeviceListInput) (*model.PublishDeviceListPayload, error) {
	device, err := calling(ctx)
	if err != nil {
		return nil, err
	}
	user, err := r.Directory.Publish(ctx, device, input.DeviceList)
	if err != nil {
		return nil, err
	}
	return &model.PublishDeviceListPayload{User: userModel(user)}, nil
}

func (r *Resolver) deleteUser(ctx context.Context, input model.DeleteUserInput) (*model.DeleteUserPayload, error) {
	user, at, err := r.Directory.Delete(ctx, input.Deletion, r.Origins, calling)
	if err != nil {
		return nil, err
	}
	return &model.DeleteUserPayload{UserID: user.String(), DeletedAt: at}, nil
}

func userModel(u *directory.User) *model.User {
	lists := make([]model.SignedDeviceList, len(u.Lists))
	for i, list := range u.Lists {
		lists[i] = model.SignedDeviceList{Version: int(list.Version), Statement: list.Statement}
	}
	return &model.User{ID: u.ID.String(), ListVersion: int(u.ListVersion), DeviceLists: lists}
}

func userID(text string) (identity.UserID, error) {
	id, err := identity.ParseUserID(text)
	if err != nil {
		return id, problem.New(problem.BadInput, "This is not a user id: `u` and 32 characters of lower-case base32.")
	}
	return id, nil
}

func deviceID(text string) (identity.DeviceID, error) {
	id, err := identity.ParseDeviceID(text)
	if err != nil {
		return id, problem.New(problem.BadInput, "This is not a device id: `d` and 32 characters of lower-case base32.")
	}
	return id, nil
}

func listVersion(n int, name string) (uint32, error) {
	if n < 0 || n > math.MaxInt32 {
		return 0, problem.New(problem.BadInput, "`"+name+"` must not be negative.")
	}
	return uint32(n), nil
}

func orEmpty(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

func orZero(n *int) int {
	if n == nil {
		return 0
	}
	return *n
}
