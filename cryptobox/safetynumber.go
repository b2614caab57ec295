package cryptobox

import (
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/letterlock/letterlock/identity"
)

const (
	safetyContext = "letterlock/safety-number/v1"
	// safetyRounds make it dear to look for a key with chosen digits (F1).
	safetyRounds = 5200
	// safetyHashSize is how much of a fingerprint a code carries; safetyDigits is how many digits are made of it.
	safetyHashSize = 32
	safetyDigits   = 30
	groupDigits    = 5

	safetyCodePrefix  = "letterlock-safety:"
	safetyCodeVersion = 1
	// maxSafetyText bounds what is compared: far more than a code or 60 digits in whatever spacing.
	maxSafetyText = 1024
	// whiteSpace is what may stand around a code, and between digits.
	whiteSpace = " \t\r\n"
)

// fingerprint is the beginning of the iterated hash of one user key (F1).
type fingerprint [safetyHashSize]byte

// SafetyNumber says in 60 digits, or a code to scan, which two user keys a conversation stands on, as one of the two
// sees it. The digits are the same on both sides if both hold the same keys.
type SafetyNumber struct{ own, peer fingerprint }

// NewSafetyNumber makes the safety number of oneself and a peer (F1).
func NewSafetyNumber(own, peer identity.SigningPublicKey) SafetyNumber {
	return SafetyNumber{own: newFingerprint(own), peer: newFingerprint(peer)}
}

func newFingerprint(key identity.SigningPublicKey) fingerprint {
	user := identity.NewUserID(key)
	hash := append([]byte(safetyContext), key[:]...)
	hash = append(hash, user[:]...)
	for range safetyRounds {
		next := sha512.Sum512(append(hash, key[:]...))
		hash = append(hash[:0], next[:]...)
	}
	return fingerprint(hash[:safetyHashSize])
}

// digits gives six groups of five digits (F2).
func (f fingerprint) digits() string {
	var all strings.Builder
	for at := 0; at < safetyDigits; at += groupDigits {
		var group uint64
		for _, b := range f[at : at+groupDigits] {
			group = group<<8 | uint64(b)
		}
		fmt.Fprintf(&all, "%05d", group%100_000)
	}
	return all.String()
}

// Digits gives the 60 digits without spaces: the lower half first, so that both sides read the same (F2).
func (n SafetyNumber) Digits() string {
	first, second := n.own.digits(), n.peer.digits()
	if second < first {
		first, second = second, first
	}
	return first + second
}

// String gives the 60 digits in twelve groups of five, to be read aloud.
func (n SafetyNumber) String() string {
	digits := n.Digits()
	groups := make([]string, 0, len(digits)/groupDigits)
	for at := 0; at < len(digits); at += groupDigits {
		groups = append(groups, digits[at:at+groupDigits])
	}
	return strings.Join(groups, " ")
}

// Code gives the text for the peer to scan, as a QR code (F3).
func (n SafetyNumber) Code() string {
	raw := append([]byte{safetyCodeVersion}, n.own[:]...)
	return safetyCodePrefix + base64.RawURLEncoding.EncodeToString(append(raw, n.peer[:]...))
}

// Compare compares what the peer shows or reads out: the peer's code, or the 60 digits in any spacing (F4). It fails with
// ErrSafetyText, ErrSafetyVersion, ErrSafetyOwnCode, ErrSafetyOthers or ErrSafetyMismatch.
func (n SafetyNumber) Compare(shown string) error {
	if len(shown) > maxSafetyText {
		return ErrSafetyText
	}
	if code, ok := strings.CutPrefix(strings.Trim(shown, whiteSpace), safetyCodePrefix); ok {
		return n.compareCode(code)
	}
	digits := withoutSpace(shown)
	if len(digits) != 2*safetyDigits || strings.Trim(digits, "0123456789") != "" {
		return ErrSafetyText
	}
	if digits != n.Digits() {
		return ErrSafetyMismatch
	}
	return nil
}

// compareCode: the peer's own fingerprint must be the one held for the peer, and the other way round.
func (n SafetyNumber) compareCode(code string) error {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(code)
	if err != nil || strings.ContainsAny(code, whiteSpace) || len(raw) == 0 {
		return ErrSafetyText
	}
	if raw[0] != safetyCodeVersion {
		return ErrSafetyVersion
	}
	if len(raw) != 1+2*safetyHashSize {
		return ErrSafetyText
	}
	shown := SafetyNumber{own: fingerprint(raw[1 : 1+safetyHashSize]), peer: fingerprint(raw[1+safetyHashSize:])}
	switch {
	case shown.own == n.peer && shown.peer == n.own:
		return nil
	case shown == n:
		return ErrSafetyOwnCode
	case shown.own != n.peer && shown.peer != n.own:
		return ErrSafetyOthers
	default:
		return ErrSafetyMismatch
	}
}

func withoutSpace(text string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(whiteSpace, r) {
			return -1
		}
		return r
	}, text)
}
