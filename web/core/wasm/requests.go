//go:build js && wasm

package main

import (
	"github.com/letterlock/letterlock/device"
	"github.com/letterlock/letterlock/identity"
)

// Requests, in the words of the schema where it has some.

type registerView struct {
	Type       string  `json:"type"`
	UserKey    encoded `json:"userKey"`
	DeviceList encoded `json:"deviceList"`
}

type fetchUserView struct {
	Type  string `json:"type"`
	User  string `json:"user"`
	Since uint32 `json:"since"`
}

type claimPrekeysView struct {
	Type    string   `json:"type"`
	User    string   `json:"user"`
	Devices []string `json:"devices"`
}

type uploadPrekeysView struct {
	Type          string    `json:"type"`
	Signed        encoded   `json:"signed,omitempty"`
	KEMLastResort encoded   `json:"kemLastResort,omitempty"`
	OneTime       []encoded `json:"oneTime"`
	KEMOneTime    []encoded `json:"kemOneTime"`
}

type sendMessageView struct {
	Type  string    `json:"type"`
	Token tokenView `json:"token"`
	Input inputView `json:"input"`
}

// tokenView is what tells one sealing of a message from another: all that Accepted and Declined look at.
type tokenView struct {
	To         string               `json:"to"`
	Number     uint64               `json:"number"`
	Sealed     uint64               `json:"sealed"`
	History    uint64               `json:"history"`
	Recipients []tokenRecipientView `json:"recipients"`
}

type tokenRecipientView struct {
	User        string   `json:"user"`
	ListVersion uint32   `json:"listVersion"`
	Devices     []string `json:"devices"`
}

type inputView struct {
	MessageID  string               `json:"messageId"`
	Recipients []inputRecipientView `json:"recipients"`
}

type inputRecipientView struct {
	User        string         `json:"userId"`
	ListVersion uint32         `json:"listVersion"`
	Envelopes   []envelopeView `json:"envelopes"`
}

type envelopeView struct {
	Device     string      `json:"deviceId"`
	Kind       device.Kind `json:"kind"`
	Ciphertext encoded     `json:"ciphertext"`
	Nonce      encoded     `json:"nonce,omitempty"`
}

type acknowledgeView struct {
	Type   string `json:"type"`
	Cursor string `json:"cursor"`
}

type publishListView struct {
	Type       string  `json:"type"`
	DeviceList encoded `json:"deviceList"`
}

type putLinkView struct {
	Type string  `json:"type"`
	Slot encoded `json:"slot"`
	Step int     `json:"step"`
	Data encoded `json:"data"`
}

// deletionView is no request of a step: a deletion changes no record, so it is asked for like what only reads.
type deletionView struct {
	Deletion encoded `json:"deletion"`
}

func signDeletion(c *core, _ none) (any, error) {
	request, err := c.host().DeleteUser()
	if err != nil {
		return nil, err
	}
	return deletionView{request.Deletion}, nil
}

func requestViews(requests []device.Request) []any {
	views := make([]any, 0, len(requests))
	for _, request := range requests {
		views = append(views, viewRequest(request))
	}
	return views
}

func viewRequest(request device.Request) any {
	switch r := request.(type) {
	case *device.Register:
		return registerView{Type: "register", UserKey: r.UserKey, DeviceList: r.DeviceList}
	case *device.FetchUser:
		return fetchUserView{Type: "fetchUser", User: r.User.String(), Since: r.Since}
	case *device.ClaimPrekeys:
		return claimPrekeysView{Type: "claimPrekeys", User: r.User.String(), Devices: deviceTexts(r.Devices)}
	case *device.UploadPrekeys:
		return uploadPrekeysView{
			Type: "uploadPrekeys", Signed: r.Signed, KEMLastResort: r.KEMLastResort,
			OneTime: encodedAll(r.OneTime), KEMOneTime: encodedAll(r.KEMOneTime),
		}
	case *device.SendMessage:
		return viewSend(r)
	case *device.Acknowledge:
		return acknowledgeView{Type: "acknowledge", Cursor: r.Cursor}
	case *device.PublishList:
		return publishListView{Type: "publishList", DeviceList: r.Statement}
	case *device.PutLink:
		return putLinkView{Type: "putLink", Slot: r.Slot, Step: int(r.Step), Data: r.Data}
	default:
		return nil
	}
}

func viewSend(r *device.SendMessage) sendMessageView {
	view := sendMessageView{
		Type:  "sendMessage",
		Token: tokenView{To: r.To.String(), Number: r.Number, Sealed: r.Sealed, History: r.History},
		Input: inputView{MessageID: r.MessageID.String()},
	}
	for _, recipient := range r.Recipients {
		user := recipient.User.String()
		input := inputRecipientView{User: user, ListVersion: recipient.ListVersion}
		token := tokenRecipientView{User: user, ListVersion: recipient.ListVersion}
		for _, envelope := range recipient.Envelopes {
			kind := envelope.Kind
			if kind == "" {
				kind = device.KindBox
			}
			id := envelope.Device.String()
			token.Devices = append(token.Devices, id)
			input.Envelopes = append(input.Envelopes, envelopeView{
				Device: id, Kind: kind, Ciphertext: envelope.Ciphertext, Nonce: envelope.Nonce,
			})
		}
		view.Input.Recipients = append(view.Input.Recipients, input)
		view.Token.Recipients = append(view.Token.Recipients, token)
	}
	return view
}

// request is the message that a token was given for, as far as its answer needs it.
func (t *tokenView) request() (*device.SendMessage, error) {
	to, err := identity.ParseUserID(t.To)
	if err != nil {
		return nil, errBadCall
	}
	request := &device.SendMessage{To: to, Number: t.Number, Sealed: t.Sealed, History: t.History}
	for _, r := range t.Recipients {
		user, err := identity.ParseUserID(r.User)
		if err != nil {
			return nil, errBadCall
		}
		recipient := device.Recipient{User: user, ListVersion: r.ListVersion}
		for _, text := range r.Devices {
			id, err := identity.ParseDeviceID(text)
			if err != nil {
				return nil, errBadCall
			}
			recipient.Envelopes = append(recipient.Envelopes, device.SealedEnvelope{Device: id})
		}
		request.Recipients = append(request.Recipients, recipient)
	}
	return request, nil
}
