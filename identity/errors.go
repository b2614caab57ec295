package identity

// ruleError is a sentinel that names the rule it stands for and the class that it belongs to.
type ruleError struct {
	rule, text string
	class      error
}

func (e *ruleError) Error() string { return e.text + " (" + e.rule + ")" }
func (e *ruleError) Unwrap() error { return e.class }

func rule(class error, number, text string) error {
	return &ruleError{rule: number, text: text, class: class}
}

// The classes: each error below is one of these, too, by errors.Is.
var (
	// ErrStatement: a statement, id or key is refused for what it is, whoever shows it.
	ErrStatement = rule(nil, "S", "statement refused")
	// ErrConflict: a device list is sound, but does not extend the chain that is held.
	ErrConflict = rule(nil, "S3", "device list does not extend the chain that is held")
	// ErrToken: a device token is refused.
	ErrToken = rule(nil, "S6", "token refused")
)

// Ids and keys.
var (
	ErrUserID          = rule(ErrStatement, "S3", "not a user id")
	ErrDeviceID        = rule(ErrStatement, "S4", "not a device id")
	ErrKeyLength       = rule(ErrStatement, "S2", "public key is not 32 bytes")
	ErrKeyNotCanonical = rule(ErrStatement, "S2", "public key is not canonical")
	ErrKeyNotOnCurve   = rule(ErrStatement, "S2.1", "public key is not a point of the curve")
	ErrKeyLowOrder     = rule(ErrStatement, "S2", "public key has small order")
	ErrKeyReused       = rule(ErrStatement, "S1.1", "one key serves two purposes")
	ErrSignature       = rule(ErrStatement, "S2.2", "signature does not verify")
)

// Entries and device lists, each looked at alone.
var (
	ErrEntryForm      = rule(ErrStatement, "S4", "entry is malformed")
	ErrEntryProtocols = rule(ErrStatement, "S4.1", "entry accepts no protocol")
	ErrEntryUser      = rule(ErrStatement, "S4.2", "entry is of another user")
	ErrListForm       = rule(ErrStatement, "S3", "device list is malformed")
	ErrListVersion    = rule(ErrStatement, "S3", "device list has no version")
	ErrListOrder      = rule(ErrStatement, "S3", "entries are not in ascending order of device id")
	ErrListFirst      = rule(ErrStatement, "S3.2", "version 1 must have one entry, its author's, and nothing before it")
	ErrListUser       = rule(ErrStatement, "S3.1", "user key does not hash to the user id")
)

// ErrDeletionForm: the statement of a deletion.
var ErrDeletionForm = rule(ErrStatement, "S7.1", "deletion is malformed")

// Prekeys.
var (
	ErrPrekeyForm   = rule(ErrStatement, "R2.1", "prekey is malformed")
	ErrPrekeyKind   = rule(ErrStatement, "R2.1", "prekey is of an unknown kind")
	ErrPrekeyNumber = rule(ErrStatement, "R2.1", "prekey has no number")
	ErrPrekeyOwner  = rule(ErrStatement, "R2.2", "prekey is of another device")
	ErrPrekeyKEM    = rule(ErrStatement, "R2.3", "ML-KEM key is out of range")
)

// Device lists, looked at as the next version of a chain.
var (
	// ErrListOlder: the chain holds this version already, and has gone on.
	ErrListOlder = rule(ErrConflict, "S3.5", "device list is older than the one that is held")
	// ErrListGap: versions between the head and this one are missing.
	ErrListGap = rule(ErrConflict, "S3.3", "device list skips versions")
	// ErrEquivocation is the alarm of S3.4: the user key has signed two different lists with one version.
	ErrEquivocation = rule(ErrConflict, "S3.4", "two different device lists have one version")
	// ErrListPrevious: the list extends another version before than the one that is held. It is an ErrEquivocation,
	// since it shows that there are two.
	ErrListPrevious    = rule(ErrEquivocation, "S3.3", "device list extends another chain than the one that is held")
	ErrListAuthor      = rule(ErrStatement, "S3.2", "author is not on the version before")
	ErrAgreementKey    = rule(ErrStatement, "S4.4", "a device's agreement key changed")
	ErrCreatedAt       = rule(ErrStatement, "S4.4", "a device's time of creation changed")
	ErrProtocolDropped = rule(ErrStatement, "S4.4", "a protocol that was dropped came back")
	ErrDeviceRemoved   = rule(ErrStatement, "S4.4", "a device that was removed came back")
	ErrChainTooLong    = rule(ErrStatement, "S3.7", "chain of device lists is too long")
)

// Tokens and origins. The order is that in which VerifyToken looks.
var (
	ErrTokenForm      = rule(ErrToken, "S6.5", "token is malformed or too long")
	ErrTokenAlgorithm = rule(ErrToken, "S6.1", "token is not signed with EdDSA")
	ErrTokenType      = rule(ErrToken, "S6.1", "token is of another type")
	ErrTokenHeader    = rule(ErrToken, "S6.1", "token has a header member that is refused")
	ErrTokenDevice    = rule(ErrToken, "S6.2", "token's kid is not the device's id")
	ErrTokenUser      = rule(ErrToken, "S6.2", "token's sub is not the device's user")
	ErrTokenClaims    = rule(ErrToken, "S6.4", "token has missing, unknown or ill-formed claims")
	ErrTokenSignature = rule(ErrToken, "S6.2", "token's signature does not verify")
	ErrTokenAudience  = rule(ErrToken, "S6.3", "token is for another server")
	ErrTokenExpired   = rule(ErrToken, "S6.4", "token has expired")
	ErrTokenLifetime  = rule(ErrToken, "S6.4", "token expires too far ahead")
	ErrTokenFuture    = rule(ErrToken, "S6.4", "token was issued in the future")
	ErrOrigin         = rule(nil, "S6.3", "not an http or https origin")
)
