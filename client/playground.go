package client

import (
	"context"
	"encoding/json"

	"github.com/letterlock/letterlock/client/internal/wire"
	"github.com/letterlock/letterlock/device"
)

// RegisterVariables gives the variables of registerKey for this device, as JSON: {"input": …}. Sent with a Token they
// register it, or change nothing if that was done.
func (c *Client) RegisterVariables(ctx context.Context) (json.RawMessage, error) {
	var registration *device.Register
	err := c.view(ctx, func(h device.Host) (err error) {
		registration, err = h.Registration()
		return err
	})
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{"input": map[string]any{
		"userKey": wire.Bytes(registration.UserKey), "deviceList": wire.Bytes(registration.DeviceList),
	}})
}

// SendVariables seals a text as Send does and gives the variables of sendMessage, as JSON: {"input": …}, without sending
// it. It stays in the outbox: what sends next sends it, too, which changes nothing if the variables were used by then.
func (c *Client) SendVariables(ctx context.Context, to UserID, text string) (json.RawMessage, error) {
	message, err := c.Queue(ctx, to, text)
	if err != nil {
		return nil, err
	}
	ctx, cancel := c.while(ctx)
	defer cancel()
	leave, err := c.sending.take(ctx, to)
	if err != nil {
		return nil, err
	}
	defer leave()
	d := &delivery{client: c, to: to, holdBack: message.Number}
	err = c.patiently(ctx, c.options.Patience, func() (err error) {
		if err = c.ready(ctx); err != nil {
			return err
		}
		for done := false; err == nil && !done && d.held == nil; {
			done, err = d.next(ctx)
		}
		return err
	})
	if err == nil && d.held != nil {
		return json.Marshal(map[string]any{"input": sendInput(d.held)})
	}
	_, err = c.outcome(ctx, message, err)
	return nil, err
}
