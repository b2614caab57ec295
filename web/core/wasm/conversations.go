//go:build js && wasm

package main

import (
	"cmp"
	"slices"

	"github.com/letterlock/letterlock/device"
	"github.com/letterlock/letterlock/identity"
)

const (
	maxConversations = 20_000
	// maxUnread is how far is counted.
	maxUnread = 999
)

// conversationView is a line of the list of conversations.
type conversationView struct {
	Peer     string       `json:"peer"`
	Name     string       `json:"name"`
	Last     *messageView `json:"last,omitempty"`
	Unread   int          `json:"unread"`
	Draft    string       `json:"draft"`
	Verified bool         `json:"verified"`
	Blocked  bool         `json:"blocked"`
}

// conversations gives everybody with a history, a draft or a name; who wrote or was written to last comes first.
func conversations(c *core, _ none) (any, error) {
	peers, names, err := c.peers()
	if err != nil {
		return nil, err
	}
	views := make([]conversationView, len(peers))
	for i, peer := range peers {
		if views[i], err = c.conversation(peer); err != nil {
			return nil, err
		}
		views[i].Name = names[peer]
	}
	slices.SortStableFunc(views, func(a, b conversationView) int {
		return cmp.Or(cmp.Compare(at(b.Last), at(a.Last)), cmp.Compare(a.Name, b.Name))
	})
	return views, nil
}

func at(m *messageView) int64 {
	if m == nil {
		return 0
	}
	return m.ReceivedAt
}

// peers gives the users to list, each once, and their names.
func (c *core) peers() (peers []identity.UserID, names map[identity.UserID]string, err error) {
	host := c.host()
	if peers, err = host.Conversations(0, maxConversations); err != nil {
		return nil, nil, err
	}
	drafts, err := c.drafts()
	if err != nil {
		return nil, nil, err
	}
	contacts, err := host.Contacts()
	if err != nil {
		return nil, nil, err
	}
	known := make(map[identity.UserID]bool, len(peers))
	for _, peer := range peers {
		known[peer] = true
	}
	add := func(peer identity.UserID) {
		if !known[peer] {
			known[peer] = true
			peers = append(peers, peer)
		}
	}
	for _, peer := range drafts {
		add(peer)
	}
	names = make(map[identity.UserID]string, len(contacts))
	for _, contact := range contacts {
		add(contact.User)
		names[contact.User] = contact.Name
	}
	return peers, names, nil
}

func (c *core) conversation(peer identity.UserID) (view conversationView, err error) {
	host := c.host()
	view.Peer = peer.String()
	last, read, err := host.Extent(peer)
	if err != nil {
		return view, err
	}
	if last > 0 {
		message, err := host.Message(peer, last)
		if err != nil {
			return view, err
		}
		view.Last = viewMessage(message)
	}
	if view.Unread, err = c.unread.count(host, peer, last, read); err != nil {
		return view, err
	}
	draft, err := c.records.Get(draftKey(peer))
	if err != nil {
		return view, err
	}
	view.Draft = string(draft)
	trust, err := host.Trust(peer)
	view.Verified, view.Blocked = !trust.Verified.IsZero(), trust.MaySend() != nil
	return view, err
}

// unreadCounts remembers what was counted, so that each message is looked at once.
type unreadCounts map[identity.UserID]unreadCount

type unreadCount struct {
	last, read uint64
	unread     int
}

// count gives how many messages after the last that was shown have come in: of the newest 999 at most.
func (u unreadCounts) count(host device.Host, peer identity.UserID, last, read uint64) (int, error) {
	from := max(read, last-min(last, maxUnread))
	known := u[peer]
	if known.read != read || known.last < from || known.last > last {
		known = unreadCount{last: from, read: read}
	}
	for known.last < last {
		page := min(last-known.last, 100)
		messages, err := host.History(peer, known.last+page+1, int(page))
		if err != nil {
			return 0, err
		}
		for i := range messages {
			if !messages[i].Outgoing() {
				known.unread++
			}
		}
		known.last += page
	}
	known.unread = min(known.unread, maxUnread)
	u[peer] = known
	return known.unread, nil
}
