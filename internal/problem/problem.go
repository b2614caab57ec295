// Package problem holds the failures that a caller of the API is meant to understand: a code for programs, a sentence for
// people, and whether anything was stored. The schema's enums ErrorCode and Stored list the same values.
package problem

import (
	"errors"
	"time"
)

// Code says what happened, for programs.
type Code string

// The codes, in the order of the schema's ErrorCode.
const (
	BadInput            Code = "BAD_INPUT"
	ParseFailed         Code = "GRAPHQL_PARSE_FAILED"
	ValidationFailed    Code = "GRAPHQL_VALIDATION_FAILED"
	OperationNotAllowed Code = "OPERATION_NOT_ALLOWED"
	RequestTooLarge     Code = "REQUEST_TOO_LARGE"
	Unauthenticated     Code = "UNAUTHENTICATED"
	DeviceRemoved       Code = "DEVICE_REMOVED"
	StatementInvalid    Code = "STATEMENT_INVALID"
	AlreadyRegistered   Code = "ALREADY_REGISTERED"
	RegistrationClosed  Code = "REGISTRATION_CLOSED"
	InviteRequired      Code = "INVITE_REQUIRED"
	ListConflict        Code = "LIST_CONFLICT"
	DeviceListChanged   Code = "DEVICE_LIST_CHANGED"
	RecipientUnknown    Code = "RECIPIENT_UNKNOWN"
	MessageIDReused     Code = "MESSAGE_ID_REUSED"
	MessageIDExpired    Code = "MESSAGE_ID_EXPIRED"
	CursorInvalid       Code = "CURSOR_INVALID"
	Superseded          Code = "SUPERSEDED"
	LinkExpired         Code = "LINK_EXPIRED"
	LinkTaken           Code = "LINK_TAKEN"
	RateLimited         Code = "RATE_LIMITED"
	Overloaded          Code = "OVERLOADED"
	StoreUnavailable    Code = "STORE_UNAVAILABLE"
	OutcomeUnknown      Code = "OUTCOME_UNKNOWN"
	Stopping            Code = "STOPPING"
	Internal            Code = "INTERNAL"
)

// Stored says whether a failed request has left anything in the store.
type Stored string

// The zero value of Stored means No.
const (
	No      Stored = "NO"
	Yes     Stored = "YES"
	Unknown Stored = "UNKNOWN"
)

// Error is a failure with a code. Message goes to the caller: it tells what happened and what to do next and holds no
// secret, no other user's data and nothing internal. Cause is for the operator's log alone.
type Error struct {
	Code       Code
	Message    string
	Stored     Stored
	RetryAfter time.Duration
	Cause      error
}

// New makes an Error after which nothing is stored.
func New(code Code, message string) *Error {
	return &Error{Code: code, Message: message, Stored: No}
}

// Wrap is New with the cause that the operator's log shows.
func Wrap(code Code, message string, cause error) *Error {
	return &Error{Code: code, Message: message, Stored: No, Cause: cause}
}

// Error gives the caller's message, and the cause behind it.
func (e *Error) Error() string {
	if e.Cause == nil {
		return e.Message
	}
	return e.Message + ": " + e.Cause.Error()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Is reports whether target is an Error with the same code, so that errors.Is(err, problem.New(code, "")) works.
func (e *Error) Is(target error) bool {
	other, ok := target.(*Error)
	return ok && other.Code == e.Code
}

// CodeOf gives the code of the first Error in err's chain, and Internal for any other error.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}
