package device

import "github.com/letterlock/letterlock/identity"

// DeleteUser asks for deleteUser, with a token of this device. After LIST_CONFLICT fetch one's own chain and feed it into
// [Host.Fetched], then sign again. Without an answer ask again with the same bytes.
type DeleteUser struct{ Deletion []byte }

func (*DeleteUser) request() {}

// DeleteUser signs that the host's server is to forget the user (S7). It changes no record: what this device holds stays here.
// It fails with ErrNoUserKey.
func (h Host) DeleteUser() (*DeleteUser, error) {
	user, err := h.userKeyPair()
	if err != nil {
		return nil, err
	}
	defer user.Erase()
	version, err := h.ListVersion()
	if err != nil {
		return nil, err
	}
	deletion, err := identity.SignDeletion(user, version, h.Server)
	if err != nil {
		return nil, err
	}
	return &DeleteUser{Deletion: deletion}, nil
}
