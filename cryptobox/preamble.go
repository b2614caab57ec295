package cryptobox

import (
	"crypto/mlkem"
	"crypto/sha256"
	"encoding/binary"

	"github.com/letterlock/letterlock/identity"
)

// PreambleSize is the length of a preamble in bytes.
const PreambleSize = 1 + 32 + 4 + 4 + 1 + 4 + mlkem.CiphertextSize768

// Preamble is what a first message brings along so that its recipient can accept the session. It repeats until the first
// answer (R1).
type Preamble struct {
	Ephemeral [32]byte
	Signed    uint32 // number of the signed prekey
	OneTime   uint32 // number of the one-time X25519 prekey, 0 for none
	KEMKind   identity.PrekeyKind
	KEM       uint32 // number of the KEM prekey

	kemCiphertext []byte
}

// ParseStart splits the ciphertext of a SESSION_START envelope into its preamble and the session message behind it. It fails with
// ErrSessionVersion, ErrForged or an identity key error.
func ParseStart(envelope []byte) (*Preamble, []byte, error) {
	if len(envelope) < 1 {
		return nil, nil, ErrForged
	}
	if envelope[0] != sessionVersion {
		return nil, nil, ErrSessionVersion
	}
	if len(envelope) < PreambleSize+minMessageSize {
		return nil, nil, ErrForged
	}
	p := &Preamble{
		Ephemeral:     [32]byte(envelope[1:33]),
		Signed:        binary.BigEndian.Uint32(envelope[33:37]),
		OneTime:       binary.BigEndian.Uint32(envelope[37:41]),
		KEMKind:       identity.PrekeyKind(envelope[41]),
		KEM:           binary.BigEndian.Uint32(envelope[42:46]),
		kemCiphertext: append([]byte(nil), envelope[46:PreambleSize]...),
	}
	if p.Signed == 0 || p.KEM == 0 || p.KEMKind != identity.PrekeyKEMOneTime && p.KEMKind != identity.PrekeyKEMLastResort {
		return nil, nil, ErrForged
	}
	if _, err := identity.ParseAgreementPublicKey(p.Ephemeral[:]); err != nil {
		return nil, nil, err
	}
	return p, envelope[PreambleSize:], nil
}

// Hash names the preamble: a repeat never makes a second session (R2).
func (p *Preamble) Hash() [32]byte { return sha256.Sum256(p.append(nil)) }

// append writes: 0 version, 1 ephemeral key, 33 signed prekey's number, 37 one-time prekey's, 41 kind and 42 number of the KEM
// prekey, 46 KEM ciphertext.
func (p *Preamble) append(b []byte) []byte {
	b = append(b, sessionVersion)
	b = append(b, p.Ephemeral[:]...)
	b = binary.BigEndian.AppendUint32(b, p.Signed)
	b = binary.BigEndian.AppendUint32(b, p.OneTime)
	b = append(b, byte(p.KEMKind))
	b = binary.BigEndian.AppendUint32(b, p.KEM)
	return append(b, p.kemCiphertext...)
}
