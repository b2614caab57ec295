package cryptobox

import (
	"bytes"
	"crypto/hkdf"
	"crypto/mlkem"
	"crypto/sha256"
	"encoding/binary"
	"io"

	"github.com/letterlock/letterlock/identity"
)

const (
	sessionContext   = "letterlock/session/v1"
	agreementContext = "letterlock/pqxdh/v1 X25519 SHA-256 ML-KEM-768"
	sessionVersion   = 1
)

// Member is one side of a session, by what its user's verified list says of it.
type Member struct {
	UserKey      identity.SigningPublicKey
	Device       identity.DeviceID
	AgreementKey identity.AgreementPublicKey
}

// PrekeyBundle is what a session is started with: prekeys of one device that identity.ParsePrekey has verified for it.
type PrekeyBundle struct {
	Signed  identity.Prekey
	OneTime *identity.Prekey // nil if the device has none left
	KEM     identity.Prekey  // one-time or last-resort
}

// PrivatePrekeys are the private halves of what a preamble names; OneTime is nil if it names none.
type PrivatePrekeys struct {
	Signed  *X25519Prekey
	OneTime *X25519Prekey
	KEM     *KEMPrekey
}

// StartSession agrees with a device by PQXDH (R1) and gives the starter's side of a session; the device answers it with
// AcceptSession once it gets a first message. It fails with ErrBundle for prekeys that are not this peer's or not of
// their kind, with an identity key error, or with ErrErased.
func StartSession(random io.Reader, own *AgreementKey, self, peer Member, bundle PrekeyBundle) (*Session, error) {
	return startSession(random, encapsulate, own, self, peer, bundle)
}

// encapsulate is what only known answers replace: the standard library takes no randomness for it (V1).
func encapsulate(key *mlkem.EncapsulationKey768) (shared, ciphertext []byte, err error) {
	shared, ciphertext = key.Encapsulate()
	return shared, ciphertext, nil
}

type encapsulator func(*mlkem.EncapsulationKey768) (shared, ciphertext []byte, err error)

func startSession(
	random io.Reader, encapsulate encapsulator, own *AgreementKey, self, peer Member, bundle PrekeyBundle,
) (*Session, error) {
	if err := bundle.check(peer); err != nil {
		return nil, err
	}
	ephemeral, err := GenerateX25519Prekey(random)
	if err != nil {
		return nil, err
	}
	defer ephemeral.Erase()
	kem, err := mlkem.NewEncapsulationKey768(bundle.KEM.Key)
	if err != nil {
		return nil, ErrBundle
	}
	kemShared, kemCiphertext, err := encapsulate(kem)
	if err != nil {
		return nil, err
	}
	defer clear(kemShared)
	signed := [32]byte(bundle.Signed.Key)
	agreements := []agreement{{own.secret, signed}, {ephemeral.secret, peer.AgreementKey}, {ephemeral.secret, signed}}
	preamble := Preamble{
		Ephemeral: ephemeral.public, Signed: bundle.Signed.Number,
		KEMKind: bundle.KEM.Kind, KEM: bundle.KEM.Number, kemCiphertext: kemCiphertext,
	}
	keys := bundleKeys{signed: bundle.Signed.Key, kem: bundle.KEM.Key}
	if bundle.OneTime != nil {
		keys.oneTime, preamble.OneTime = bundle.OneTime.Key, bundle.OneTime.Number
		agreements = append(agreements, agreement{ephemeral.secret, [32]byte(bundle.OneTime.Key)})
	}
	agreed, err := agreeAll(agreements, kemShared, associatedData(self, peer, &preamble, keys))
	if err != nil {
		return nil, err
	}
	return newStarter(random, agreed, signed, preamble.append(nil))
}

// check makes sure that the prekeys are this device's and of their kinds: a KEM key is not taken for another one's.
func (b *PrekeyBundle) check(peer Member) error {
	user := identity.NewUserID(peer.UserKey)
	for _, prekey := range []*identity.Prekey{&b.Signed, b.OneTime, &b.KEM} {
		if prekey != nil && (prekey.User != user || prekey.Device != peer.Device || prekey.Number == 0) {
			return ErrBundle
		}
	}
	switch {
	case b.Signed.Kind != identity.PrekeySigned || len(b.Signed.Key) != 32,
		b.OneTime != nil && (b.OneTime.Kind != identity.PrekeyOneTime || len(b.OneTime.Key) != 32),
		b.KEM.Kind != identity.PrekeyKEMOneTime && b.KEM.Kind != identity.PrekeyKEMLastResort:
		return ErrBundle
	}
	return nil
}

// AcceptSession gives the answerer's side of the session whose first message has this preamble. own and self are the
// answerer, peer the starter as its verified list has it. Nothing shows yet that the peer really started it: only a first
// message that Decrypt opens does. It fails with ErrErased, identity's key errors or ErrForged.
func AcceptSession(own *AgreementKey, self, peer Member, preamble *Preamble, prekeys PrivatePrekeys) (*Session, error) {
	if (preamble.OneTime != 0) != (prekeys.OneTime != nil) {
		return nil, ErrForged
	}
	if prekeys.Signed == nil || prekeys.KEM == nil {
		return nil, ErrErased
	}
	kemShared, err := prekeys.KEM.decapsulate(preamble.kemCiphertext)
	if err != nil {
		return nil, err
	}
	defer clear(kemShared)
	agreements := []agreement{
		{prekeys.Signed.secret, peer.AgreementKey}, {own.secret, preamble.Ephemeral}, {prekeys.Signed.secret, preamble.Ephemeral},
	}
	keys := bundleKeys{signed: prekeys.Signed.public[:], kem: prekeys.KEM.public}
	if prekeys.OneTime != nil {
		keys.oneTime = prekeys.OneTime.public[:]
		agreements = append(agreements, agreement{prekeys.OneTime.secret, preamble.Ephemeral})
	}
	agreed, err := agreeAll(agreements, kemShared, associatedData(peer, self, preamble, keys))
	if err != nil {
		return nil, err
	}
	return newAnswerer(agreed, prekeys.Signed.Seed()), nil
}

// agreement is one DH of PQXDH.
type agreement struct {
	own  secret
	peer [32]byte
}

// agreed is what both sides have after PQXDH.
type agreed struct {
	associated     [32]byte
	root           [32]byte
	starterHeader  [32]byte // the starter's first sending header key
	answererHeader [32]byte // the answerer's next sending header key
}

// agreeAll is the key derivation of PQXDH: 32 bytes 0xff, DH1 to DH3 or DH4, the KEM's shared key. Every DH is checked
// (S2.4). The associated data stands in the info, too, so that two sides who differ about anything share no key at all.
func agreeAll(agreements []agreement, kemShared []byte, associated [32]byte) (agreed, error) {
	secrets := make([]byte, 0, 6*32) // never grows: no copy stays behind
	defer func() { clear(secrets[:cap(secrets)]) }()
	secrets = append(secrets, bytes.Repeat([]byte{0xff}, 32)...)
	for _, a := range agreements {
		shared, err := a.own.agree(a.peer)
		if err != nil {
			return agreed{}, err
		}
		secrets = append(secrets, shared[:]...)
		clear(shared[:])
	}
	secrets = append(secrets, kemShared...)
	keys, err := hkdf.Key(sha256.New, secrets, make([]byte, sha256.Size), agreementContext+string(associated[:]), 96)
	if err != nil {
		return agreed{}, err
	}
	defer clear(keys)
	return agreed{associated, [32]byte(keys[:32]), [32]byte(keys[32:64]), [32]byte(keys[64:])}, nil
}

// bundleKeys are the public prekeys that were used.
type bundleKeys struct{ signed, oneTime, kem []byte }

// associatedData is R1's hash over everything that both sides must agree about. The layout stands in docs/protocol.md,
// Associated data.
func associatedData(starter, answerer Member, p *Preamble, keys bundleKeys) [32]byte {
	b := append([]byte(sessionContext), sessionVersion)
	for _, member := range []Member{starter, answerer} {
		user := identity.NewUserID(member.UserKey)
		b = append(b, member.UserKey[:]...)
		b = append(b, user[:]...)
		b = append(b, member.Device[:]...)
		b = append(b, member.AgreementKey[:]...)
	}
	b = append(binary.BigEndian.AppendUint32(b, p.Signed), keys.signed...)
	b = binary.BigEndian.AppendUint32(b, p.OneTime)
	if p.OneTime != 0 {
		b = append(b, keys.oneTime...)
	}
	b = append(b, byte(p.KEMKind))
	b = append(binary.BigEndian.AppendUint32(b, p.KEM), keys.kem...)
	b = append(b, p.Ephemeral[:]...)
	return sha256.Sum256(append(b, p.kemCiphertext...))
}
