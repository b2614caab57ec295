//go:build js && wasm

package main

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/letterlock/letterlock/device"
	"github.com/letterlock/letterlock/identity"
)

const (
	// searchPage is how many messages are looked at before other calls have their turn.
	searchPage = 200
	// maxSearchText bounds what is looked for, in bytes.
	maxSearchText = 1000
)

// searching looks through all conversations from their ends at once, always where the newest messages are: the hits come in
// the order of their age, and it is done as soon as there are enough.
type searching struct {
	core  *core
	text  string
	limit int
	open  []searchFront
	hits  []device.Message
}

// searchFront is how far a conversation has been looked through: what is left is not newer than at.
type searchFront struct {
	peer   identity.UserID
	before uint64
	at     time.Time
}

func search(c *core, p struct {
	Text  string
	Limit int
},
) (any, error) {
	text := folded(p.Text)
	if strings.TrimSpace(text) == "" {
		return []*messageView{}, nil
	}
	if len(text) > maxSearchText {
		return nil, errBadCall
	}
	peers, err := c.host().Conversations(0, maxConversations)
	if err != nil {
		return nil, err
	}
	s := &searching{core: c, text: text, limit: bounded(p.Limit, maxSearch)}
	for _, peer := range peers {
		last, _, err := c.host().Extent(peer)
		if err != nil {
			return nil, err
		}
		newest, err := c.host().Message(peer, last)
		if err != nil {
			return nil, err
		}
		if newest != nil {
			s.open = append(s.open, searchFront{peer: peer, before: last + 1, at: newest.ReceivedAt})
		}
	}
	return s.next()
}

// next looks at one page.
func (s *searching) next() (any, error) {
	newest := -1
	for i := range s.open {
		if newest < 0 || s.open[i].at.After(s.open[newest].at) {
			newest = i
		}
	}
	if newest < 0 || s.enough(s.open[newest].at) {
		return viewMessages(s.hits), nil
	}
	front := &s.open[newest]
	messages, err := s.core.host().History(front.peer, front.before, searchPage)
	if err != nil {
		return nil, err
	}
	for i := range messages {
		if strings.Contains(folded(messages[i].Text), s.text) {
			s.hits = append(s.hits, messages[i])
		}
		front.before = min(front.before, messages[i].Number)
		if i == 0 || messages[i].ReceivedAt.Before(front.at) {
			front.at = messages[i].ReceivedAt
		}
	}
	slices.SortStableFunc(s.hits, func(a, b device.Message) int { return b.ReceivedAt.Compare(a.ReceivedAt) })
	s.hits = s.hits[:min(len(s.hits), s.limit)]
	if front.before <= 1 || len(messages) == 0 {
		s.open = slices.Delete(s.open, newest, newest+1)
	}
	return later(s.next), nil
}

// enough says whether nothing that is left can come before a hit that is held.
func (s *searching) enough(left time.Time) bool {
	return len(s.hits) == s.limit && !left.After(s.hits[len(s.hits)-1].ReceivedAt)
}

// folded gives the text with one spelling for all cases of a letter.
func folded(text string) string {
	if isASCII(text) {
		return strings.ToLower(text)
	}
	return strings.Map(func(r rune) rune {
		least := r
		for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
			least = min(least, next)
		}
		return unicode.ToLower(least)
	}, text)
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
