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
	ErrContactTaken = errors.New("this name or this user id is taken by another contact; replace or remove that one")
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

// maxFormer is how many removed names are remembered.
const maxFormer = 10_000

type contactsRecord struct {
	Names map[string]identity.UserID
	// Former are names that were removed, oldest first, and whom they stood for: none comes to stand for another user
	// unnoticed (F7).
	Former []Contact `json:",omitempty"`
}

func (h Host) contacts() (contactsRecord, error) {
	var record contactsRecord
	_, err := h.read(Key{Collection: collectionContacts}, &record)
	if record.Names == nil {
		record.Names = make(map[string]identity.UserID)
	}
	return record, err
}

// find gives the name as it is spelt in the record, and whom it stands for.
func (r *contactsRecord) find(name string) (known Contact, found bool) {
	for spelt, user := range r.Names {
		if strings.EqualFold(spelt, name) {
			return Contact{Name: spelt, User: user}, true
		}
	}
	return Contact{}, false
}

// takeFormer forgets a removed name and gives whom it stood for.
func (r *contactsRecord) takeFormer(name string) (former identity.UserID, found bool) {
	i := slices.IndexFunc(r.Former, func(c Contact) bool { return strings.EqualFold(c.Name, name) })
	if i < 0 {
		return identity.UserID{}, false
	}
	former = r.Former[i].User
	r.Former = slices.Delete(r.Former, i, i+1)
	return former, true
}

// remember keeps a name that is given up. The oldest makes room.
func (r *contactsRecord) remember(contact Contact) {
	r.takeFormer(contact.Name)
	r.Former = append(r.Former, contact)
	r.Former = r.Former[max(0, len(r.Former)-maxFormer):]
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
// changes nothing; for another user it is ErrContactTaken, see ReplaceContact. If the name stood for another user before it
// was removed, the step is that of ReplaceContact.
func (h Host) AddContact(contact Contact) (Step, error) {
	record, known, err := h.contactsFor(contact)
	if err != nil {
		return Step{}, err
	}
	if known.Name != "" && known.User == contact.User {
		return Step{}, nil
	}
	if known.Name != "" {
		return Step{}, ErrContactTaken
	}
	if len(record.Names) >= maxContacts {
		return Step{}, ErrContactsFull
	}
	former, removed := record.takeFormer(contact.Name)
	if !removed {
		former = contact.User
	}
	return h.rename(record, contact, former)
}

// ReplaceContact makes a name stand for another user than before. The step shows an alarm, ContactChanged, and until
// AcceptContact or Verify nothing can be sent to the new user (F7). It fails as AddContact does, and with
// ErrContactUnknown if there is no such name.
func (h Host) ReplaceContact(contact Contact) (Step, error) {
	record, known, err := h.contactsFor(contact)
	if err != nil {
		return Step{}, err
	}
	if known.Name == "" {
		return Step{}, ErrContactUnknown
	}
	if known.User == contact.User {
		return Step{}, nil
	}
	former, err := h.lastAccepted(known)
	if err != nil {
		return Step{}, err
	}
	delete(record.Names, known.Name)
	return h.rename(record, contact, former)
}

// contactsFor gives the record and what it knows of the name; ErrContactTaken if the user has another name.
func (h Host) contactsFor(contact Contact) (record contactsRecord, known Contact, err error) {
	if err := checkContactName(contact.Name); err != nil {
		return record, known, err
	}
	if record, err = h.contacts(); err != nil {
		return record, known, err
	}
	for name, user := range record.Names {
		if user == contact.User && !strings.EqualFold(name, contact.Name) {
			return record, known, ErrContactTaken
		}
	}
	known, _ = record.find(contact.Name)
	return record, known, nil
}

// lastAccepted gives the user whom a name stood for when last there was nothing to accept about it.
func (h Host) lastAccepted(contact Contact) (identity.UserID, error) {
	trust, err := h.Trust(contact.User)
	if err == nil && trust.Changed != nil && strings.EqualFold(trust.Changed.Name, contact.Name) {
		return trust.Changed.Former, nil
	}
	return contact.User, err
}

// rename makes a name stand for a user, and says so if it stood for another one.
func (h Host) rename(record contactsRecord, contact Contact, former identity.UserID) (Step, error) {
	w := h.begin()
	record.Names[contact.Name] = contact.User
	if err := w.put(Key{Collection: collectionContacts}, record); err != nil {
		return Step{}, err
	}
	if former == contact.User {
		return w.step, nil
	}
	change := &ContactChange{Name: contact.Name, Former: former, At: h.Now}
	err := w.amendTrust(contact.User, func(trust *trustRecord) error { trust.Changed = change; return nil })
	if err != nil {
		return Step{}, err
	}
	return w.done(w.show(Notice{Alarm: &Alarm{
		User: contact.User, Reason: ContactChanged, At: h.Now, Name: contact.Name, Former: former,
	}}))
}

// RemoveContact gives up a name, not the conversation. Whom it stood for is remembered, so that the name is not given to
// somebody else unnoticed (F7). It fails with ErrContactUnknown.
func (h Host) RemoveContact(name string) (Step, error) {
	record, err := h.contacts()
	if err != nil {
		return Step{}, err
	}
	known, found := record.find(name)
	if !found {
		return Step{}, ErrContactUnknown
	}
	former, err := h.lastAccepted(known)
	if err != nil {
		return Step{}, err
	}
	delete(record.Names, known.Name)
	record.remember(Contact{Name: known.Name, User: former})
	return h.putContacts(record)
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
	known, found := record.find(nameOrID)
	if !found {
		return identity.UserID{}, ErrContactUnknown
	}
	return known.User, nil
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
