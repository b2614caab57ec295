//go:build js && wasm

package main

import (
	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/device"
	"github.com/letterlock/letterlock/identity"
)

type linkValue struct {
	Code   string  `json:"code,omitempty"`
	Device string  `json:"device"`
	Ends   int64   `json:"ends,omitempty"`
	Slot   encoded `json:"slot"`
}

func startLink(c *core, _ none) (device.Step, any, error) {
	step, shown, err := c.host().StartLink(identity.ProtocolSession)
	if err != nil {
		return device.Step{}, nil, err
	}
	defer shown.Code.Erase()
	slot, err := shown.Code.Slot()
	return step, linkValue{Code: shown.Code.Text(), Device: shown.Device.String(), Ends: millis(shown.Ends), Slot: slot}, err
}

type offerParams struct{ Offer encoded }

func linkOffered(c *core, p offerParams) (device.Step, any, error) {
	user, err := c.host().LinkOffered(p.Offer)
	return device.Step{}, map[string]string{"user": user.String()}, err
}

func joinLink(c *core, p offerParams) (device.Step, any, error) {
	step, err := c.host().JoinLink(p.Offer)
	return step, nil, err
}

func declineLink(c *core, p offerParams) (device.Step, any, error) {
	step, err := c.host().DeclineLink(p.Offer)
	return step, nil, err
}

// finishLink has no value as long as the step asks for the user's lists.
func finishLink(c *core, p struct{ Grant encoded }) (device.Step, any, error) {
	step, _, err := c.host().FinishLink(p.Grant)
	if err != nil || len(step.Requests) > 0 {
		return step, nil, err
	}
	return step, later(func() (any, error) { return readSelf(c, none{}) }), nil
}

type linkParams struct {
	Code   string
	Step0  encoded
	Manage bool
}

func checkLink(c *core, p linkParams) (device.Step, any, error) {
	code, err := cryptobox.ParseLinkCode(p.Code)
	if err != nil {
		return device.Step{}, nil, err
	}
	defer code.Erase()
	id, err := c.host().CheckLink(code, p.Step0)
	if err != nil {
		return device.Step{}, nil, err
	}
	slot, err := code.Slot()
	return device.Step{}, linkValue{Device: id.String(), Slot: slot}, err
}

func offerLink(c *core, p linkParams) (device.Step, any, error) {
	code, err := cryptobox.ParseLinkCode(p.Code)
	if err != nil {
		return device.Step{}, nil, err
	}
	defer code.Erase()
	step, err := c.host().OfferLink(code, p.Step0, p.Manage)
	return step, nil, err
}

func signLink(c *core, p struct{ Step2 encoded }) (device.Step, any, error) {
	step, err := c.host().SignLink(p.Step2)
	return step, nil, err
}

func parseLinkCode(_ *core, p struct{ Code string }) (any, error) {
	code, err := cryptobox.ParseLinkCode(p.Code)
	if err != nil {
		return nil, err
	}
	defer code.Erase()
	slot, err := code.Slot()
	return linkValue{Slot: slot}, err
}
