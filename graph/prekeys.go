package graph

import (
	"context"

	"github.com/letterlock/letterlock/graph/model"
	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/directory"
	"github.com/letterlock/letterlock/internal/problem"
)

func (r *Resolver) uploadPrekeys(ctx context.Context, input model.UploadPrekeysInput) (*model.UploadPrekeysPayload, error) {
	device, err := calling(ctx)
	if err != nil {
		return nil, err
	}
	count, err := r.Directory.UploadPrekeys(ctx, device, directory.PrekeyUpload{
		Signed: input.Signed, KEMLastResort: input.KemLastResort, OneTime: input.OneTime, KEMOneTime: input.KemOneTime,
	})
	if err != nil {
		return nil, err
	}
	return &model.UploadPrekeysPayload{Count: countModel(count)}, nil
}

func (r *Resolver) prekeyCount(ctx context.Context) (*model.PrekeyCount, error) {
	device, err := calling(ctx)
	if err != nil {
		return nil, err
	}
	count, err := r.Directory.PrekeyCount(ctx, device)
	if err != nil {
		return nil, err
	}
	return countModel(count), nil
}

func (r *Resolver) claimPrekeys(ctx context.Context, id string, devices []string) (*model.ClaimPrekeysPayload, error) {
	device, err := calling(ctx)
	if err != nil {
		return nil, err
	}
	user, err := userID(id)
	if err != nil {
		return nil, err
	}
	if len(devices) > identity.MaxDevices {
		return nil, problem.New(problem.BadInput, "`devices` names more devices than a user can have.")
	}
	var wanted []identity.DeviceID
	if devices != nil {
		wanted = make([]identity.DeviceID, len(devices))
	}
	for i, text := range devices {
		if wanted[i], err = deviceID(text); err != nil {
			return nil, err
		}
	}
	claim, err := r.Directory.ClaimPrekeys(ctx, device, user, wanted)
	if err != nil {
		return nil, err
	}
	return claimModel(claim), nil
}

func countModel(count directory.PrekeyCount) *model.PrekeyCount {
	return &model.PrekeyCount{
		OneTime: count.OneTime, KemOneTime: count.KEMOneTime,
		SignedNumber: numberModel(count.Signed), KemLastResortNumber: numberModel(count.KEMLastResort),
	}
}

func numberModel(number uint32) *int {
	if number == 0 {
		return nil
	}
	n := int(number)
	return &n
}

func claimModel(claim directory.PrekeyClaim) *model.ClaimPrekeysPayload {
	sets := make([]model.PrekeySet, len(claim.Sets))
	for i, set := range claim.Sets {
		sets[i] = model.PrekeySet{DeviceID: set.Device.String(), Signed: set.Signed, OneTime: set.OneTime, Kem: set.KEM}
	}
	return &model.ClaimPrekeysPayload{UserID: claim.User.String(), ListVersion: int(claim.ListVersion), Sets: sets}
}
