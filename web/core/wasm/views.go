//go:build js && wasm

package main

import (
	"github.com/letterlock/letterlock/device"
	"github.com/letterlock/letterlock/identity"
)

// The views are what index.d.ts promises.

type selfView struct {
	User      string `json:"user"`
	Device    string `json:"device"`
	CreatedAt int64  `json:"createdAt"`
	Manages   bool   `json:"manages"`
}

type messageView struct {
	Number      uint64               `json:"number"`
	ID          string               `json:"id"`
	Peer        string               `json:"peer"`
	Sender      string               `json:"sender"`
	Device      string               `json:"device"`
	Outgoing    bool                 `json:"outgoing"`
	Text        string               `json:"text"`
	Unsupported bool                 `json:"unsupported"`
	SentAt      int64                `json:"sentAt"`
	ReceivedAt  int64                `json:"receivedAt"`
	Missing     uint64               `json:"missing"`
	Marks       []device.Mark        `json:"marks"`
	State       device.State         `json:"state"`
	Failure     device.FailureReason `json:"failure,omitempty"`
	DeliveredAt int64                `json:"deliveredAt,omitempty"`
	ReadAt      int64                `json:"readAt,omitempty"`
}

func viewMessage(m *device.Message) *messageView {
	if m == nil {
		return nil
	}
	marks := m.Marks
	if marks == nil {
		marks = []device.Mark{}
	}
	return &messageView{
		Number: m.Number, ID: m.ID.String(), Peer: m.Peer.String(), Sender: m.Sender.String(), Device: m.Device.String(),
		Outgoing: m.Outgoing(), Text: m.Text, Unsupported: m.Unsupported, SentAt: millis(m.SentAt),
		ReceivedAt: millis(m.ReceivedAt), Missing: m.Missing, Marks: marks, State: m.State, Failure: m.Failure,
		DeliveredAt: millis(m.DeliveredAt), ReadAt: millis(m.ReadAt),
	}
}

func viewMessages(messages []device.Message) []*messageView {
	views := make([]*messageView, len(messages))
	for i := range messages {
		views[i] = viewMessage(&messages[i])
	}
	return views
}

type alarmView struct {
	User   string             `json:"user"`
	Reason device.AlarmReason `json:"reason"`
	At     int64              `json:"at"`
	Name   string             `json:"name,omitempty"`
	Former string             `json:"former,omitempty"`
}

func viewAlarm(a *device.Alarm) *alarmView {
	if a == nil {
		return nil
	}
	view := &alarmView{User: a.User.String(), Reason: a.Reason, At: millis(a.At), Name: a.Name}
	if a.Former != (identity.UserID{}) {
		view.Former = a.Former.String()
	}
	return view
}

type refusalView struct {
	Reason device.RefusalReason `json:"reason"`
	Sender string               `json:"sender"`
	At     int64                `json:"at"`
}

func viewRefusal(r *device.Refusal) *refusalView {
	if r == nil {
		return nil
	}
	return &refusalView{Reason: r.Reason, Sender: r.Sender, At: millis(r.At)}
}

type noticeView struct {
	Number  uint64       `json:"number"`
	Cursor  string       `json:"cursor"`
	Message *messageView `json:"message,omitempty"`
	Refusal *refusalView `json:"refusal,omitempty"`
	Alarm   *alarmView   `json:"alarm,omitempty"`
}

func noticeViews(notices []device.Notice) []noticeView {
	views := make([]noticeView, len(notices))
	for i, n := range notices {
		views[i] = noticeView{
			Number: n.Number, Cursor: n.Cursor,
			Message: viewMessage(n.Message), Refusal: viewRefusal(n.Refusal), Alarm: viewAlarm(n.Alarm),
		}
	}
	return views
}

type contactView struct {
	Name string `json:"name"`
	User string `json:"user"`
}

type trustView struct {
	VerifiedAt int64              `json:"verifiedAt,omitempty"`
	Changed    *contactChangeView `json:"changed,omitempty"`
	Alarm      *alarmView         `json:"alarm,omitempty"`
	Blocked    string             `json:"blocked,omitempty"`
}

type contactChangeView struct {
	Name   string `json:"name"`
	Former string `json:"former"`
	At     int64  `json:"at"`
}

func viewTrust(t device.Trust) trustView {
	view := trustView{VerifiedAt: millis(t.Verified), Alarm: viewAlarm(t.Alarm)}
	if t.Changed != nil {
		view.Changed = &contactChangeView{Name: t.Changed.Name, Former: t.Changed.Former.String(), At: millis(t.Changed.At)}
	}
	if err := t.MaySend(); err != nil {
		view.Blocked = codeOf(err)
	}
	return view
}

type deviceView struct {
	Device    string `json:"device"`
	This      bool   `json:"this"`
	CreatedAt int64  `json:"createdAt"`
	Manages   bool   `json:"manages"`
}

func userTexts(users []identity.UserID) []string {
	texts := make([]string, len(users))
	for i, user := range users {
		texts[i] = user.String()
	}
	return texts
}

func deviceTexts(devices []identity.DeviceID) []string {
	texts := make([]string, len(devices))
	for i, id := range devices {
		texts[i] = id.String()
	}
	return texts
}
