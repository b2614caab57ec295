package cryptobox

import (
	"encoding/binary"
	"io"
	"slices"

	"github.com/letterlock/letterlock/identity"
)

const (
	linkOfferSize = 68 // user key, list version, its hash
	linkGrantSize = 37 // list version, its hash, whether a user key follows
)

// LinkOffer is what the existing device says in step 1 (L1.5): the user, and the list that holds.
type LinkOffer struct {
	UserKey  identity.SigningPublicKey
	Version  uint32
	ListHash [32]byte
}

// User gives the id of the user that the new device would belong to.
func (o *LinkOffer) User() identity.UserID { return identity.NewUserID(o.UserKey) }

// Marshal gives the offer as it is sealed.
func (o *LinkOffer) Marshal() []byte {
	b := binary.BigEndian.AppendUint32(slices.Clone(o.UserKey[:]), o.Version)
	return append(b, o.ListHash[:]...)
}

// ParseLinkOffer reads what Marshal gives. It fails with ErrLink or an identity key error.
func ParseLinkOffer(b []byte) (LinkOffer, error) {
	if len(b) != linkOfferSize {
		return LinkOffer{}, ErrLink
	}
	key, err := identity.ParseSigningPublicKey(b[:32])
	if err != nil {
		return LinkOffer{}, err
	}
	o := LinkOffer{UserKey: key, Version: binary.BigEndian.Uint32(b[32:36]), ListHash: [32]byte(b[36:])}
	if o.Version == 0 {
		return LinkOffer{}, ErrLink
	}
	return o, nil
}

// SealOffer gives step 1 whole: the existing device's transfer key in clear, since the new one agrees with it, and the sealed
// offer.
func (c *LinkChannel) SealOffer(random io.Reader, offer *LinkOffer) ([]byte, error) {
	sealed, err := c.Seal(random, LinkStepOffer, offer.Marshal())
	return append(slices.Clone(c.ephemeral[:]), sealed...), err
}

// OpenLinkOffer opens step 1 with the new device's transfer key, and gives the channel for what follows. It fails with ErrLink,
// ErrForged or an identity key error.
func OpenLinkOffer(code LinkCode, own *TransferKey, message []byte) (*LinkChannel, LinkOffer, error) {
	if len(message) < 32 || len(message) > MaxLinkMessage {
		return nil, LinkOffer{}, ErrLink
	}
	ephemeral, err := parseTransferKey(message[:32])
	if err != nil {
		return nil, LinkOffer{}, err
	}
	channel, err := newLinkChannel(code, own, ephemeral, ephemeral)
	if err != nil {
		return nil, LinkOffer{}, err
	}
	plaintext, err := channel.Open(LinkStepOffer, message[32:])
	if err != nil {
		return nil, LinkOffer{}, err
	}
	offer, err := ParseLinkOffer(plaintext)
	return channel, offer, err
}

// LinkGrant is what the existing device says in step 3 (L1.7): the list that names the new device. UserKey is nil unless the
// new device is to manage devices, too (S5).
type LinkGrant struct {
	Version  uint32
	ListHash [32]byte
	UserKey  *SigningKey
}

// Marshal gives the grant as it is sealed. Clear it after use: it may hold the user key.
func (g *LinkGrant) Marshal() []byte {
	b := binary.BigEndian.AppendUint32(make([]byte, 0, linkGrantSize+seedSize), g.Version)
	b = append(b, g.ListHash[:]...)
	if g.UserKey == nil {
		return append(b, 0)
	}
	seed := g.UserKey.Seed()
	defer clear(seed)
	return append(append(b, 1), seed...)
}

// ParseLinkGrant reads what Marshal gives. Anything else is ErrLink.
func ParseLinkGrant(b []byte) (LinkGrant, error) {
	if len(b) < linkGrantSize {
		return LinkGrant{}, ErrLink
	}
	g := LinkGrant{Version: binary.BigEndian.Uint32(b[:4]), ListHash: [32]byte(b[4:36])}
	switch {
	case g.Version == 0:
		return LinkGrant{}, ErrLink
	case b[36] == 0 && len(b) == linkGrantSize:
		return g, nil
	case b[36] == 1 && len(b) == linkGrantSize+seedSize:
		key, err := SigningKeyFromSeed(b[linkGrantSize:])
		if err != nil {
			return LinkGrant{}, ErrLink
		}
		g.UserKey = key
		return g, nil
	}
	return LinkGrant{}, ErrLink
}
