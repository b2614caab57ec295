//go:build js && wasm

package main

import (
	"encoding/json"

	"github.com/letterlock/letterlock/device"
	"github.com/letterlock/letterlock/identity"
)

// method does a call with its parameters as JSON.
type method func(c *core, params []byte) (any, error)

// methods are all calls, by name.
func methods() map[string]method {
	return map[string]method{
		"create":         stepOf(create),
		"register":       plainStep(device.Host.Register),
		"registered":     stepOf(registered),
		"fetched":        stepOf(fetched),
		"claimed":        stepOf(claimed),
		"prekeys":        stepOf(prekeys),
		"checkAccepted":  stepOf(checkAccepted),
		"compose":        stepOf(compose),
		"nextSend":       stepOf(nextSend),
		"accepted":       stepOf(accepted),
		"declined":       stepOf(declined),
		"giveUp":         stepOf(giveUp),
		"receive":        stepOf(receive),
		"handedOver":     stepOf(handedOver),
		"forgetCursor":   plainStep(device.Host.ForgetCursor),
		"markRead":       stepOf(markRead),
		"block":          stepOf(block),
		"unblock":        stepOf(unblock),
		"blockedSet":     stepOf(blockedSet),
		"addContact":     stepOf(addContact),
		"replaceContact": stepOf(replaceContact),
		"removeContact":  stepOf(removeContact),
		"accept":         stepOf(accept),
		"verify":         stepOf(verify),
		"unverify":       stepOf(unverify),
		"setReceipts":    stepOf(setReceipts),
		"removeDevice":   stepOf(removeDevice),
		"setDraft":       stepOf(setDraft),
		"setSetting":     stepOf(setSetting),

		"startLink":   stepOf(startLink),
		"linkOffered": stepOf(linkOffered),
		"joinLink":    stepOf(joinLink),
		"declineLink": stepOf(declineLink),
		"finishLink":  stepOf(finishLink),
		"checkLink":   stepOf(checkLink),
		"offerLink":   stepOf(offerLink),
		"signLink":    stepOf(signLink),
		"grantLink":   plainStep(device.Host.GrantLink),
		"dropLink":    plainStep(device.Host.DropLink),

		"self":          readOf(readSelf),
		"token":         readOf(token),
		"cursor":        readOf(cursor),
		"waiting":       readOf(waiting),
		"outboxes":      readOf(outboxes),
		"conversations": readOf(conversations),
		"history":       readOf(history),
		"search":        readOf(search),
		"message":       readOf(message),
		"refusals":      readOf(refusals),
		"contacts":      readOf(contacts),
		"blocked":       readOf(blocked),
		"blocksToSet":   readOf(blocksToSet),
		"lookup":        readOf(lookup),
		"trust":         readOf(trust),
		"safetyNumber":  readOf(safetyNumber),
		"devices":       readOf(devices),
		"listVersion":   readOf(listVersion),
		"takesSessions": readOf(takesSessions),
		"receipts":      readOf(receipts),
		"getSetting":    readOf(getSetting),
		"parseLinkCode": readOf(parseLinkCode),
		"signDeletion":  readOf(signDeletion),
	}
}

// none are the parameters of a call without any.
type none struct{}

// stepOf makes a method of a step: it is durable before it is answered.
func stepOf[P any](do func(c *core, params P) (device.Step, any, error)) method {
	return func(c *core, raw []byte) (any, error) {
		params, err := parse[P](raw)
		if err != nil {
			return nil, err
		}
		step, value, err := do(c, params)
		if err != nil {
			return nil, err
		}
		return c.finish(step, value)
	}
}

func plainStep(do func(device.Host) (device.Step, error)) method {
	return stepOf(func(c *core, _ none) (device.Step, any, error) {
		step, err := do(c.host())
		return step, nil, err
	})
}

// readOf makes a method of what writes nothing.
func readOf[P any](do func(c *core, params P) (any, error)) method {
	return func(c *core, raw []byte) (any, error) {
		params, err := parse[P](raw)
		if err != nil {
			return nil, err
		}
		return do(c, params)
	}
}

func parse[P any](raw []byte) (params P, err error) {
	if json.Unmarshal(raw, &params) != nil {
		return params, errBadCall
	}
	return params, nil
}

// userParam is a user id in a call: it is what it says, or the call is refused.
type userParam struct{ identity.UserID }

func (p *userParam) UnmarshalText(text []byte) (err error) {
	p.UserID, err = identity.ParseUserID(string(text))
	return err
}

type deviceParam struct{ identity.DeviceID }

func (p *deviceParam) UnmarshalText(text []byte) (err error) {
	p.DeviceID, err = identity.ParseDeviceID(string(text))
	return err
}

func userIDs(params []userParam) []identity.UserID {
	users := make([]identity.UserID, len(params))
	for i, param := range params {
		users[i] = param.UserID
	}
	return users
}
