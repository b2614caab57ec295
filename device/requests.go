package device

import "github.com/letterlock/letterlock/identity"

// IsRequest reports whether what a user has written is a request: they have no name here, nothing was ever sent to them, and they are not
// blocked. Whoever answers or names them has accepted it.
func (h Host) IsRequest(user identity.UserID) (bool, error) {
	var c conversation
	if _, err := h.read(conversationKey(user), &c); err != nil || c.History == 0 || c.Written {
		return false, err
	}
	w := h.begin()
	contact, err := w.isContact(user)
	if err != nil || contact {
		return false, err
	}
	blocked, err := h.IsBlocked(user)
	return !blocked, err
}
