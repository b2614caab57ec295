package client

import (
	"context"
	"math"
	"time"

	"github.com/letterlock/letterlock/client/internal/api"
	"github.com/letterlock/letterlock/client/internal/wire"
	"github.com/letterlock/letterlock/device"
	"github.com/letterlock/letterlock/identity"
)

// tendEvery is how often a client that stays open looks after its prekeys and its count.
const tendEvery = time.Hour

// tend compares what the server has of this device with what is here: after an older copy of the home was put back it gives
// the sessions up (R3), and it uploads the prekeys that are missing or due (R2). What fails is tried again next time.
func (c *Client) tend(ctx context.Context) {
	if c.tending.take(ctx) != nil {
		return
	}
	defer c.tending.leave()
	if !c.untended.Swap(false) && !c.tended.IsZero() && time.Since(c.tended) < tendEvery {
		return
	}
	if err := c.tendNow(ctx); err != nil {
		c.tended = time.Time{}
		c.options.Logger.Info("could not look after the prekeys", "error", err)
		return
	}
	c.tended = time.Now()
}

func (c *Client) tendNow(ctx context.Context) error {
	var sessions bool
	err := c.view(ctx, func(h device.Host) (err error) {
		sessions, err = h.TakesSessions()
		return err
	})
	if err != nil || !sessions {
		return err
	}
	var standing *api.StandingResponse
	err = c.authorized(ctx, func(ctx context.Context) (err error) {
		standing, err = api.Standing(ctx, c.private)
		return err
	})
	if err != nil {
		return err
	}
	if viewer := standing.Viewer; viewer != nil {
		if err := c.checkAccepted(ctx, viewer.AcceptedCount); err != nil {
			return err
		}
	}
	return c.uploadPrekeys(ctx, device.PrekeyCount{
		OneTime: standing.PrekeyCount.OneTime, KEMOneTime: standing.PrekeyCount.KemOneTime,
		Signed: number(standing.PrekeyCount.SignedNumber), KEMLastResort: number(standing.PrekeyCount.KemLastResortNumber),
	})
}

func (c *Client) checkAccepted(ctx context.Context, accepted uint64) error {
	var rolledBack bool
	_, err := c.step(ctx, func(h device.Host) (step device.Step, err error) {
		rolledBack, step, err = h.CheckAccepted(accepted)
		return step, err
	})
	if rolledBack {
		c.options.Logger.Warn("the server has taken more from this device than its home knows: an older copy of it, or a second one; starting new sessions")
	}
	return err
}

func (c *Client) uploadPrekeys(ctx context.Context, held device.PrekeyCount) error {
	step, err := c.step(ctx, func(h device.Host) (device.Step, error) { return h.Prekeys(held) })
	if err != nil {
		return err
	}
	for _, request := range step.Requests {
		upload, ok := request.(*device.UploadPrekeys)
		if !ok {
			continue
		}
		err := c.authorized(ctx, func(ctx context.Context) error {
			_, err := api.UploadPrekeys(ctx, c.private, uploadInput(upload))
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// claim asks for prekeys and starts sessions on them. found is for how many devices there were any.
func (c *Client) claim(ctx context.Context, request *device.ClaimPrekeys) (found int, alarm *device.Alarm, err error) {
	devices := make([]string, len(request.Devices))
	for i, id := range request.Devices {
		devices[i] = id.String()
	}
	var response *api.ClaimPrekeysResponse
	err = c.authorized(ctx, func(ctx context.Context) (err error) {
		response, err = api.ClaimPrekeys(ctx, c.private, request.User.String(), devices)
		return err
	})
	if err != nil {
		return 0, nil, err
	}
	var sets []device.PrekeySet
	for _, set := range response.ClaimPrekeys.Sets {
		id, err := identity.ParseDeviceID(set.DeviceId)
		if err != nil {
			continue // what is no device has no session
		}
		sets = append(sets, device.PrekeySet{Device: id, Signed: set.Signed, OneTime: set.OneTime, KEM: set.Kem})
	}
	_, err = c.step(ctx, func(h device.Host) (step device.Step, err error) {
		step, alarm, err = h.Claimed(request.User, sets)
		return step, err
	})
	return len(sets), alarm, err
}

func uploadInput(upload *device.UploadPrekeys) api.UploadPrekeysInput {
	return api.UploadPrekeysInput{
		Signed: upload.Signed, KemLastResort: upload.KEMLastResort,
		OneTime: bytesOf(upload.OneTime), KemOneTime: bytesOf(upload.KEMOneTime),
	}
}

func bytesOf(all [][]byte) []wire.Bytes {
	converted := make([]wire.Bytes, len(all))
	for i, b := range all {
		converted[i] = b
	}
	return converted
}

// number reads a prekey's number, 0 for none.
func number(n *int) uint32 {
	if n == nil || *n < 0 || *n > math.MaxInt32 {
		return 0
	}
	return uint32(*n)
}
