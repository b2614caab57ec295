//go:build js && wasm

package main

// Bounds of what one call gives.
const (
	maxHistory = 500
	maxNotices = 500
	maxSearch  = 200
)

// bounded keeps a limit between 1 and the most there is, which is what one without a limit gets.
func bounded(limit, most int) int {
	if limit <= 0 {
		return most
	}
	return min(limit, most)
}

func readSelf(c *core, _ none) (any, error) {
	self, err := c.host().Self()
	if err != nil {
		return nil, err
	}
	manages, err := c.host().Manages()
	return selfView{
		User: self.User.String(), Device: self.Device.String(), CreatedAt: millis(self.CreatedAt), Manages: manages,
	}, err
}

func token(c *core, p struct{ Now float64 }) (any, error) { return c.host().Token(fromMillis(p.Now)) }

func cursor(c *core, _ none) (any, error) { return c.host().Cursor() }

func waiting(c *core, p struct {
	After uint64
	Limit int
},
) (any, error) {
	notices, err := c.host().Waiting(p.After, bounded(p.Limit, maxNotices))
	return noticeViews(notices), err
}

func outboxes(c *core, _ none) (any, error) {
	users, err := c.host().Outboxes()
	return userTexts(users), err
}

func history(c *core, p struct {
	Peer   userParam
	Before uint64
	Limit  int
},
) (any, error) {
	messages, err := c.host().History(p.Peer.UserID, p.Before, bounded(p.Limit, maxHistory))
	return viewMessages(messages), err
}

func message(c *core, p struct {
	Peer   userParam
	Number uint64
},
) (any, error) {
	found, err := c.host().Message(p.Peer.UserID, p.Number)
	return viewMessage(found), err
}

// refusals gives all that are kept: at most 1,000.
func refusals(c *core, _ none) (any, error) {
	const kept = 1000
	found, err := c.host().Refusals(0, kept)
	views := make([]*refusalView, len(found))
	for i := range found {
		views[i] = viewRefusal(&found[i])
	}
	return views, err
}

func contacts(c *core, _ none) (any, error) {
	found, err := c.host().Contacts()
	views := make([]contactView, len(found))
	for i, contact := range found {
		views[i] = contactView{Name: contact.Name, User: contact.User.String()}
	}
	return views, err
}

func lookup(c *core, p struct{ NameOrID string }) (any, error) {
	user, err := c.host().Lookup(p.NameOrID)
	return user.String(), err
}

func trust(c *core, p struct{ User userParam }) (any, error) {
	found, err := c.host().Trust(p.User.UserID)
	return viewTrust(found), err
}

func safetyNumber(c *core, p struct{ User userParam }) (any, error) {
	number, err := c.host().SafetyNumber(p.User.UserID)
	if err != nil {
		return nil, err
	}
	return map[string]string{"digits": number.String(), "code": number.Code()}, nil
}

func devices(c *core, _ none) (any, error) {
	entries, err := c.host().Devices()
	views := make([]deviceView, len(entries))
	for i, e := range entries {
		views[i] = deviceView{Device: e.Device.String(), This: e.This, CreatedAt: millis(e.CreatedAt), Manages: e.Manages}
	}
	return views, err
}

func listVersion(c *core, _ none) (any, error) { return c.host().ListVersion() }

func takesSessions(c *core, _ none) (any, error) { return c.host().TakesSessions() }

func receipts(c *core, _ none) (any, error) {
	delivered, read, err := c.host().Receipts()
	return map[string]bool{"delivered": delivered, "read": read}, err
}
