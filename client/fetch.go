package client

import (
	"context"
	"fmt"
	"math"

	"github.com/letterlock/letterlock/client/internal/api"
	"github.com/letterlock/letterlock/device"
)

// maxFetches bounds how often one answer may say that there is more: a hundred versions come at a time.
const maxFetches = 64

// fetched is what came of asking for a user.
type fetched struct {
	known bool          // the server knows the user
	alarm *device.Alarm // what it shows was refused
}

// fetch asks for a user's device lists, verifies them and keeps what is new. It fails only if there is no answer.
func (c *Client) fetch(ctx context.Context, request *device.FetchUser) (fetched, error) {
	for range maxFetches {
		answer, err := c.askForUser(ctx, request)
		if err != nil {
			return fetched{}, err
		}
		result := fetched{known: answer.Found}
		step, err := c.step(ctx, func(h device.Host) (step device.Step, err error) {
			step, result.alarm, err = h.Fetched(answer)
			return step, err
		})
		if err != nil || len(step.Requests) == 0 {
			return result, err
		}
		if next, ok := step.Requests[0].(*device.FetchUser); ok {
			request = next
		}
	}
	return fetched{}, fmt.Errorf("%w: a device list without end", ErrResponse)
}

func (c *Client) askForUser(ctx context.Context, request *device.FetchUser) (device.UserAnswer, error) {
	response, err := api.FetchUser(ctx, c.public, request.User.String(), int(request.Since))
	if err != nil {
		return device.UserAnswer{}, err
	}
	answer := device.UserAnswer{User: request.User, Since: request.Since}
	if user := response.User; user != nil {
		if user.ListVersion < 0 || user.ListVersion > math.MaxInt32 {
			return device.UserAnswer{}, fmt.Errorf("%w: a list version out of range", ErrResponse)
		}
		answer.Found, answer.Version = true, uint32(user.ListVersion)
		for _, list := range user.DeviceLists {
			answer.Statements = append(answer.Statements, list.Statement)
		}
	}
	return answer, nil
}
