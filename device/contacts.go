package device

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/letterlock/letterlock/identity"
)

// Errors about contacts.
var (
	// ErrContactName: a name is 1 to 64 printable characters without space around it, not a user id, not starting with "-".
	ErrContactName = errors.New(`a contact's name has 1 to 64 printable characters, does not start with "-" and is not a user id`)
	// ErrContactTaken: the name stands for another user, or the user has another name.
	ErrContactTaken = errors.New("this name or this user id is taken by another contact; remove that one first")
	// ErrContactUnknown: nobody has this name here.
	ErrContactUnknown = errors.New("no contact has this name")
	// ErrContactsFull: there are 10,000.
	ErrContactsFull = errors.New("there are 10,000 contacts; remove one first")
)

const (
	maxContacts    = 10_000
	maxContactName = 64
)

// Contact is a local name for a user. Nobody else learns it.
type Contact struct {
	Name string
	User identity.UserID
}

type contactsRecord struct{ Names map[string]identity.UserID }

func (h Host) contacts() (contactsRecord, error) {
	var record contactsRecord
	_, err := h.read(Key{Collection: collectionContacts}, &record)
	if record.Names == nil {
		record.Names = make(map[string]identity.UserID)
	}
	return record, err
}

// Contacts gives all contacts, ordered by name.
func (h Host) Contacts() ([]Contact, error) {
	record, err := h.contacts()
	if err != nil {
		return nil, err
	}
	contacts := make([]Contact, 0, len(record.Names))
	for _, name := range slices.Sorted(maps.Keys(record.Names)) {
		contacts = append(contacts, Contact{Name: name, User: record.Names[name]})
	}
	return contacts, nil
}

// AddContact names a user. Names that differ in case alone are the same name. The same name for the same user again
// changes nothing.
func (h Host) AddContact(contact Contact) (Step, error) {
	if err := checkContactName(contact.Name); err != nil {
		return Step{}, err
	}
	record, err := h.contacts()
	if err != nil {
		return Step{}, err
	}
	for name, user := range record.Names {
		sameName, sameUser := strings.EqualFold(name, contact.Name), user == contact.User
		if sameName && sameUser {
			return Step{}, nil
		}
		if sameName || sameUser {
			return Step{}, ErrContactTaken
		}
	}
	if len(record.Names) >= maxContacts {
		return Step{}, ErrContactsFull
	}
	record.Names[contact.Name] = contact.User
	return h.putContacts(record)
}

// RemoveContact forgets a name, not the conversation. It fails with ErrContactUnknown.
func (h Host) RemoveContact(name string) (Step, error) {
	record, err := h.contacts()
	if err != nil {
		return Step{}, err
	}
	for known := range record.Names {
		if strings.EqualFold(known, name) {
			delete(record.Names, known)
			return h.putContacts(record)
		}
	}
	return Step{}, ErrContactUnknown
}

func (h Host) putContacts(record contactsRecord) (Step, error) {
	w := h.begin()
	return w.done(w.put(Key{Collection: collectionContacts}, record))
}

// Lookup finds a user by user id or by contact name; ErrContactUnknown if it is neither.
func (h Host) Lookup(nameOrID string) (identity.UserID, error) {
	if user, err := identity.ParseUserID(nameOrID); err == nil {
		return user, nil
	}
	record, err := h.contacts()
	if err != nil {
		return identity.UserID{}, err
	}
	for name, user := range record.Names {
		if strings.EqualFold(name, nameOrID) {
			return user, nil
		}
	}
	return identity.UserID{}, ErrContactUnknown
}

func checkContactName(name string) error {
	if name == "" || !utf8.ValidString(name) || utf8.RuneCountInString(name) > maxContactName ||
		name != strings.TrimSpace(name) || strings.HasPrefix(name, "-") {
		return ErrContactName
	}
	if _, err := identity.ParseUserID(name); err == nil {
		return ErrContactName
	}
	for _, r := range name {
		if !unicode.IsPrint(r) {
			return ErrContactName
		}
	}
	return nil
}
