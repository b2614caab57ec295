package identity

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

const (
	// MaxTokenLifetime is how far ahead of the server's clock a token may expire (S6.4).
	MaxTokenLifetime = 10 * time.Minute
	// MaxTokenSkew is how far ahead of the server's clock a token may have been issued (S6.4).
	MaxTokenSkew = time.Minute
	// TokenLifetime is how long the tokens of NewToken hold: a device whose clock is MaxTokenSkew ahead, and that S6.4
	// therefore still forgives, must not exceed MaxTokenLifetime.
	TokenLifetime = MaxTokenLifetime - MaxTokenSkew
	// MaxTokenSize is the length of the longest token, in characters (S6.5).
	MaxTokenSize = 1024
)

const (
	tokenAlgorithm = "EdDSA"
	tokenType      = "letterlock-device+jwt"
)

// Token is what a verified token says.
type Token struct {
	Device    DeviceID
	User      UserID
	Audience  string
	ExpiresAt time.Time
}

// NewToken makes a token with which the device that holds the signing key authenticates as a device of this user to the
// server whose canonical origin is audience (see Origin; otherwise ErrOrigin). It holds for TokenLifetime from now on.
func NewToken(device Signer, user UserID, audience string, now time.Time) (string, error) {
	if origin, err := Origin(audience); err != nil || origin != audience {
		return "", ErrOrigin
	}
	header, err := tokenPart(tokenHeader{Algorithm: tokenAlgorithm, Type: tokenType, Device: NewDeviceID(device.PublicKey())})
	if err != nil {
		return "", err
	}
	claims, err := tokenPart(tokenClaims{User: user, Audience: audience, IssuedAt: now.Unix(), ExpiresAt: now.Add(TokenLifetime).Unix()})
	if err != nil {
		return "", err
	}
	text := header + "." + claims
	signature, err := device.Sign([]byte(text))
	if err != nil {
		return "", err
	}
	if text += "." + b64.EncodeToString(signature); len(text) > MaxTokenSize {
		return "", ErrTokenForm
	}
	return text, nil
}

// tokenHeader and tokenClaims are all that a token says (S6.1, S6.2). They are written without golang-jwt, which brings X.509
// and RSA along: that is a fifth of what a browser would have to load. What verifies uses it.
type tokenHeader struct {
	Algorithm string   `json:"alg"`
	Device    DeviceID `json:"kid"`
	Type      string   `json:"typ"`
}

type tokenClaims struct {
	Audience  string `json:"aud"`
	ExpiresAt int64  `json:"exp"`
	IssuedAt  int64  `json:"iat"`
	User      UserID `json:"sub"`
}

func tokenPart(part any) (string, error) {
	text, err := json.Marshal(part)
	return b64.EncodeToString(text), err
}

// ParseTokenDevice reads, without verifying anything, whose token this claims to be, so that the key can be looked up.
// It applies S6.1 and S6.5: ErrTokenForm, ErrTokenAlgorithm, ErrTokenType, ErrTokenHeader, ErrTokenDevice,
// ErrTokenUser or ErrTokenClaims.
func ParseTokenDevice(raw string) (DeviceID, UserID, error) {
	claimed, err := parseToken(raw)
	if err != nil {
		return DeviceID{}, UserID{}, err
	}
	return claimed.device, claimed.user, nil
}

// CheckUser gives ErrTokenUser unless the token names this user, to whom its device is registered (S6.2).
func (t Token) CheckUser(user UserID) error {
	if t.User != user {
		return ErrTokenUser
	}
	return nil
}

// claimedToken is what an unverified token claims, in the right form.
type claimedToken struct {
	device              DeviceID
	user                UserID
	audience            string
	issuedAt, expiresAt time.Time
}

// checkTimes is S6.4.
func (t *claimedToken) checkTimes(now time.Time) error {
	switch {
	case !t.expiresAt.After(now):
		return ErrTokenExpired
	case t.expiresAt.After(now.Add(MaxTokenLifetime)):
		return ErrTokenLifetime
	case t.issuedAt.After(now.Add(MaxTokenSkew)):
		return ErrTokenFuture
	}
	return nil
}

func parseToken(raw string) (*claimedToken, error) {
	if len(raw) > MaxTokenSize || !strings.HasPrefix(raw, "eyJ") || strings.Count(raw, ".") != 2 || !isTokenText(raw) {
		return nil, ErrTokenForm
	}
	parts := strings.Split(raw, ".")
	token := new(claimedToken)
	if err := token.readHeader(parts[0]); err != nil {
		return nil, err
	}
	if err := token.readClaims(parts[1]); err != nil {
		return nil, err
	}
	if signature, err := b64.DecodeString(parts[2]); err != nil || len(signature) != SignatureSize {
		return nil, ErrTokenForm
	}
	return token, nil
}

// readHeader is S6.1: three members and no other. Keys that a token brings along (jwk, jku, x5u, x5c) and members that a
// verifier must understand (crit) are among the others.
func (t *claimedToken) readHeader(part string) error {
	header, ok := jsonMembers(part)
	if !ok {
		return ErrTokenForm
	}
	if stringMember(header, "alg") != tokenAlgorithm {
		return ErrTokenAlgorithm
	}
	if stringMember(header, "typ") != tokenType {
		return ErrTokenType
	}
	device, err := ParseDeviceID(stringMember(header, "kid"))
	if err != nil {
		return ErrTokenDevice
	}
	if len(header) != 3 {
		return ErrTokenHeader
	}
	t.device = device
	return nil
}

func (t *claimedToken) readClaims(part string) error {
	claims, ok := jsonMembers(part)
	if !ok {
		return ErrTokenForm
	}
	user, err := ParseUserID(stringMember(claims, "sub"))
	if err != nil {
		return ErrTokenUser
	}
	if t.audience = stringMember(claims, "aud"); t.audience == "" {
		return ErrTokenAudience
	}
	var wholeIat, wholeExp bool
	t.issuedAt, wholeIat = secondsMember(claims, "iat")
	t.expiresAt, wholeExp = secondsMember(claims, "exp")
	if !wholeIat || !wholeExp || len(claims) != 4 {
		return ErrTokenClaims
	}
	t.user = user
	return nil
}

// stringMember gives "" for a member that is missing or no string; no member is allowed to be empty.
func stringMember(members map[string]json.RawMessage, name string) string {
	var text string
	if json.Unmarshal(members[name], &text) != nil {
		return ""
	}
	return text
}

// secondsMember takes whole seconds since 1970, in digits alone, far from where time.Time overflows.
func secondsMember(members map[string]json.RawMessage, name string) (time.Time, bool) {
	seconds, err := strconv.ParseUint(string(members[name]), 10, 40)
	if err != nil {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0).UTC(), true // below 2^40
}
