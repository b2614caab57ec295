package main

import (
	"fmt"
	"time"

	"github.com/letterlock/letterlock/client"
)

// who gives a user's contact name, or the beginning of the id.
func (s *session) who(user client.UserID) string {
	if name, ok := s.names[user]; ok {
		return line(name)
	}
	return user.String()[:12] + "…"
}

// messageView is a message in JSON.
type messageView struct {
	Type string `json:"type"` // "message"
	ID   string `json:"id"`
	// With is the user the conversation is with, and Contact their name here.
	With        string    `json:"with"`
	Contact     string    `json:"contact,omitempty"`
	Request     bool      `json:"request,omitempty"`
	Sender      string    `json:"sender"`
	Device      string    `json:"device"`
	Text        string    `json:"text"`
	Unsupported bool      `json:"unsupported,omitempty"`
	SentAt      time.Time `json:"sentAt"`
	ReceivedAt  time.Time `json:"receivedAt"`
	Counter     uint64    `json:"counter,omitempty"`
	Missing     uint64    `json:"missing,omitempty"`
	Marks       []string  `json:"marks,omitempty"`
	State       string    `json:"state"`
	Failure     string    `json:"failure,omitempty"`
	DeliveredAt time.Time `json:"deliveredAt,omitzero"`
	ReadAt      time.Time `json:"readAt,omitzero"`
}

func (s *session) messageView(m *client.Message) messageView {
	view := messageView{
		Type: "message", ID: m.ID.String(), With: m.Peer.String(), Contact: s.names[m.Peer], Sender: m.Sender.String(),
		Device: m.Device.String(), Text: m.Text, Unsupported: m.Unsupported, SentAt: m.SentAt, ReceivedAt: m.ReceivedAt,
		Counter: m.Counter, Missing: m.Missing, State: string(m.State), Failure: string(m.Failure),
		DeliveredAt: m.DeliveredAt, ReadAt: m.ReadAt, Request: s.requests[m.Peer],
	}
	for _, mark := range m.Marks {
		view.Marks = append(view.Marks, string(mark))
	}
	return view
}

// refusalView is a refused envelope in JSON. What it names is the server's word.
type refusalView struct {
	Type      string    `json:"type"` // "refusal"
	Reason    string    `json:"reason"`
	MessageID string    `json:"messageId"`
	Sender    string    `json:"claimedSender"`
	Device    string    `json:"claimedDevice"`
	At        time.Time `json:"at"`
}

// alarmView is an alarm in JSON.
type alarmView struct {
	Type    string    `json:"type"` // "alarm"
	User    string    `json:"user"`
	Contact string    `json:"contact,omitempty"`
	Reason  string    `json:"reason"`
	Version uint32    `json:"heldVersion"`
	At      time.Time `json:"at"`
	// Name and Former tell of a name that stands for another user than before.
	Name   string `json:"name,omitempty"`
	Former string `json:"former,omitempty"`
}

// show prints a notice.
func (s *session) show(notice client.Notice) error {
	switch {
	case notice.Message != nil:
		return s.showMessage(notice.Message)
	case notice.Refusal != nil:
		return s.showRefusal(notice.Refusal)
	case notice.Alarm != nil:
		return s.showAlarm(notice.Alarm)
	}
	return nil
}

func (s *session) printJSON(value any) error {
	text, err := jsonLine(value)
	if err != nil {
		return err
	}
	return s.print("%s", text)
}

// showMessage prints who, when and what, and below it what a reader should know, less indented than any line of the text: the
// sender must not make remarks of ours.
func (s *session) showMessage(m *client.Message) error {
	if s.cli.JSON {
		return s.printJSON(s.messageView(m))
	}
	from := s.who(m.Sender)
	if m.Outgoing() {
		from = "me → " + s.who(m.Peer)
	}
	text := paragraph(m.Text, "    ")
	switch {
	case m.Unsupported:
		text = "(something that needs a newer letter)"
	case !m.ReadAt.IsZero():
		text += "  ✓✓ read"
	case !m.DeliveredAt.IsZero():
		text += "  ✓ delivered"
	}
	if err := s.print("%s  %s: %s", clock(m.SentAt), from, text); err != nil {
		return err
	}
	all := remarks(m)
	if s.requests[m.Peer] {
		all = append(all, "a request of somebody whom you have neither named nor written to: answer, or letter block "+m.Peer.String())
	}
	for _, remark := range all {
		if err := s.print("  ! %s", remark); err != nil {
			return err
		}
	}
	return nil
}

func remarks(m *client.Message) (remarks []string) {
	switch m.Missing {
	case 0:
	case 1:
		remarks = append(remarks, "the message before this one has not come")
	default:
		remarks = append(remarks, fmt.Sprintf("%d messages before this one have not come", m.Missing))
	}
	for _, mark := range m.Marks {
		remarks = append(remarks, client.ExplainMark(mark))
	}
	switch m.State {
	case client.Queued:
		remarks = append(remarks, "queued, not sent yet")
	case client.Failed:
		remarks = append(remarks, "not sent: "+client.Explain(m.Failure))
	default:
	}
	return remarks
}

func (s *session) showRefusal(r *client.Refusal) error {
	if s.cli.JSON {
		return s.printJSON(refusalView{
			Type: "refusal", Reason: string(r.Reason), MessageID: r.MessageID, Sender: r.Sender, Device: r.Device, At: r.At,
		})
	}
	return s.print("%s  ! refused a message said to be from %s: %s", clock(r.At), s.claimed(r.Sender), client.ExplainRefusal(r.Reason))
}

// claimed shows a user id that the server has named.
func (s *session) claimed(sender string) string {
	user, err := client.ParseUserID(sender)
	if err != nil {
		return fmt.Sprintf("%q", line(sender))
	}
	return s.who(user)
}

func (s *session) showAlarm(a *client.Alarm) error {
	if s.cli.JSON {
		view := alarmView{
			Type: "alarm", User: a.User.String(), Contact: s.names[a.User], Reason: string(a.Reason), Version: a.Version, At: a.At,
		}
		if a.Reason == client.ContactChanged {
			view.Name, view.Former = a.Name, a.Former.String()
		}
		return s.printJSON(view)
	}
	if a.Reason == client.ContactChanged {
		return s.print("%s  ! ALARM about %s: the name stands for %s now; it stood for %s before. Compare safety numbers: letter verify",
			clock(a.At), line(a.Name), a.User, a.Former)
	}
	return s.print("%s  ! ALARM about %s: %s. Nothing was taken over; ask them over another channel.",
		clock(a.At), s.who(a.User), client.ExplainAlarm(a.Reason))
}

// clock shows an instant in local time.
func clock(at time.Time) string { return at.Local().Format("2006-01-02 15:04") }
