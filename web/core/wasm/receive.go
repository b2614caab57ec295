//go:build js && wasm

package main

import "github.com/letterlock/letterlock/device"

// maxTogether is how many envelopes, or notices, one commit takes.
const maxTogether = 64

type envelopeParams struct {
	ID, Cursor, MessageID, SenderUserID, SenderDeviceID string
	Kind                                                device.Kind
	Ciphertext, Nonce                                   encoded
}

func (e envelopeParams) envelope() device.Envelope {
	return device.Envelope{
		ID: e.ID, Cursor: e.Cursor, MessageID: e.MessageID, SenderUser: e.SenderUserID, SenderDevice: e.SenderDeviceID,
		Kind: e.Kind, Ciphertext: e.Ciphertext, Nonce: e.Nonce,
	}
}

// receive takes envelopes in, in their order, with one commit for all: a disk takes longer over a commit than this over an
// envelope. Its value is how many it has taken; it stops before one for which chains have to be fetched, and asks for those
// once nothing else is left to commit. asked are the users whose chains were fetched for the first envelope.
func receive(c *core, p struct {
	Envelopes []envelopeParams
	Asked     []userParam
},
) (device.Step, any, error) {
	if len(p.Envelopes) == 0 || len(p.Envelopes) > maxTogether {
		return device.Step{}, nil, errBadCall
	}
	asked := userIDs(p.Asked)
	return c.together(len(p.Envelopes), func(i int) (device.Step, bool, error) {
		step, err := c.host().Receive(p.Envelopes[i].envelope(), asked...)
		if i == 0 {
			asked = nil
		}
		return step, fetches(step), err
	})
}

// handedOver records that all these notices were shown.
func handedOver(c *core, p struct{ Numbers []uint64 }) (device.Step, any, error) {
	if len(p.Numbers) == 0 || len(p.Numbers) > maxTogether {
		return device.Step{}, nil, errBadCall
	}
	return c.together(len(p.Numbers), func(i int) (device.Step, bool, error) {
		step, err := c.host().HandedOver(p.Numbers[i])
		return step, false, err
	})
}

// together makes one step of several, each of which sees what those before it have written. It ends before a step that is
// alone, or fails, unless that is the first.
func (c *core) together(n int, do func(i int) (step device.Step, alone bool, err error)) (all device.Step, taken any, err error) {
	defer func() { c.records.staged = nil }()
	for i := range n {
		step, alone, err := do(i)
		if err != nil || alone {
			if i > 0 {
				return all, i, nil
			}
			return step, 0, err
		}
		c.records.stage(step.Writes)
		all.Writes = merged(all.Writes, step.Writes)
		all.Requests = append(all.Requests, step.Requests...)
		all.Notices = append(all.Notices, step.Notices...)
		all.Queued = all.Queued || step.Queued
	}
	return all, n, nil
}

// merged adds writes; of two to one key the later counts.
func merged(writes, more []device.Write) []device.Write {
	for _, write := range more {
		replaced := false
		for i := range writes {
			if writes[i].Key == write.Key {
				writes[i], replaced = write, true
				break
			}
		}
		if !replaced {
			writes = append(writes, write)
		}
	}
	return writes
}

func fetches(step device.Step) bool {
	for _, request := range step.Requests {
		if _, ok := request.(*device.FetchUser); ok {
			return true
		}
	}
	return false
}
