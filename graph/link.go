package graph

import (
	"context"

	"github.com/letterlock/letterlock/graph/model"
)

func (r *Resolver) putLinkMessage(ctx context.Context, slot []byte, step int, data []byte) (*model.PutLinkMessagePayload, error) {
	ends, err := r.Links.Put(ctx, slot, step, data)
	if err != nil {
		return nil, err
	}
	return &model.PutLinkMessagePayload{ExpiresAt: ends}, nil
}
