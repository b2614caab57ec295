//go:build !js

package identity

import (
	"crypto/ed25519"
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Tokens are verified by servers alone: browsers are built without this file.

// VerifyToken verifies a token under the registered key of its device: S6.1 to S6.5, but for one thing that only the
// caller can know, whether the device is one of Token.User (CheckUser). audiences are the canonical origins that the
// server goes by. Besides ParseTokenDevice's errors: ErrTokenDevice for a key of another device, ErrTokenSignature,
// ErrTokenAudience, ErrTokenExpired, ErrTokenLifetime, ErrTokenFuture.
func VerifyToken(raw string, key SigningPublicKey, audiences []string, now time.Time) (Token, error) {
	claimed, err := parseToken(raw)
	if err != nil {
		return Token{}, err
	}
	if claimed.device != NewDeviceID(key) {
		return Token{}, ErrTokenDevice
	}
	if !verifyTokenSignature(raw, key) {
		return Token{}, ErrTokenSignature
	}
	if !slices.Contains(audiences, claimed.audience) {
		return Token{}, ErrTokenAudience
	}
	if err := claimed.checkTimes(now); err != nil {
		return Token{}, err
	}
	return Token{claimed.device, claimed.user, claimed.audience, claimed.expiresAt}, nil
}

// verifyTokenSignature leaves the signature to golang-jwt, bound to the one method, and adds what S2.2 has beyond it.
func verifyTokenSignature(raw string, key SigningPublicKey) bool {
	parser := jwt.NewParser(jwt.WithValidMethods([]string{tokenAlgorithm}), jwt.WithStrictDecoding(),
		jwt.WithoutClaimsValidation()) // checkTimes is stricter
	token, err := parser.Parse(raw, func(*jwt.Token) (any, error) {
		if err := checkEd25519Bytes(key[:]); err != nil {
			return nil, err
		}
		return ed25519.PublicKey(key[:]), nil
	})
	return err == nil && !lowOrderEd25519(token.Signature[:32])
}
