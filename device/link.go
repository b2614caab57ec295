package device

import (
	"errors"
	"time"

	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/identity"
)

// LinkLifetime is how long a link may take: a server keeps its slot no longer (L1.3).
const LinkLifetime = 10 * time.Minute

// Errors of links.
var (
	// ErrNoLink: no link is under way here.
	ErrNoLink = errors.New("no link is under way here")
	// ErrLinkDeclined: a user has said no. Nothing was changed.
	ErrLinkDeclined = errors.New("not linked: that was declined")
	// ErrLinkForged: what lies in the slot was not left there by the other device. Somebody who carries it has changed it.
	ErrLinkForged = errors.New("the other device did not write this: whoever carries the messages of the link has changed them (L1)")
	// ErrLinkList: the list that the server shows is not the one that the existing device has published.
	ErrLinkList = errors.New("the server shows another list of devices than the one that names this device (L1.8)")
	// ErrLinkProtocols: the two devices could not send anything to each other (B3).
	ErrLinkProtocols = errors.New("the new device takes nothing that this one can send: one of the two takes boxes alone (B3)")
)

// PutLink asks for putLinkMessage with exactly these bytes. Without an answer, the step that gave it gives the same bytes again.
type PutLink struct {
	Slot []byte
	Step cryptobox.LinkStep
	Data []byte
}

func (*PutLink) request() {}

// The sides of a link.
const (
	sideNew      = "new"
	sideExisting = "existing"
)

func linkKey(side string) Key { return Key{Collection: collectionLink, Owner: side} }

// DropLink forgets a link, ended or not, and all its secrets (L1.9).
func (h Host) DropLink() (Step, error) {
	w := h.begin()
	w.delete(linkKey(sideNew))
	w.delete(linkKey(sideExisting))
	return w.step, nil
}

// notForged says in the link's words that something does not open, or is malformed: only the other device could have made it.
func notForged(err error) error {
	if err == nil {
		return nil
	}
	return errors.Join(ErrLinkForged, err)
}

// putLink puts a message of a link into the step's requests.
func (w *work) putLink(code cryptobox.LinkCode, step cryptobox.LinkStep, data []byte) error {
	slot, err := code.Slot()
	if err != nil {
		return err
	}
	w.step.Requests = append(w.step.Requests, &PutLink{Slot: slot, Step: step, Data: data})
	return nil
}

// names reports whether a chain has a list with this version and hash.
func names(chain *identity.Chain, version uint32, hash [32]byte) bool {
	held, ok := chain.Hash(version)
	return ok && held == hash
}
