package main

import (
	"context"
	"errors"

	"github.com/letterlock/letterlock/client"
)

// The exit codes; description tells them to users.
const (
	exitDone       = 0
	exitFailed     = 1
	exitUsage      = 2
	exitQueued     = 3
	exitPassphrase = 4
	exitTakenOver  = 5
)

// report writes what went wrong and gives the exit code for it.
func report(console console, err error) int {
	if err == nil {
		return exitDone
	}
	say(console, "%s", line(err.Error()))
	if hint := hint(err); hint != "" {
		say(console, "%s", hint)
	}
	return exitCode(err)
}

func exitCode(err error) int {
	var (
		wrong  usageError
		queued *client.QueuedError
	)
	switch {
	case errors.As(err, &wrong):
		return exitUsage
	case errors.As(err, &queued):
		return exitQueued
	case errors.Is(err, client.ErrPassphrase), errors.Is(err, client.ErrPassphraseNeeded):
		return exitPassphrase
	case errors.Is(err, client.ErrListening), errors.Is(err, client.ErrSuperseded):
		return exitTakenOver
	default:
		return exitFailed
	}
}

// hint says what to do about an error, where the error itself does not.
func hint(err error) string {
	var queued *client.QueuedError
	switch {
	case errors.Is(err, client.ErrNoHome):
		return "Make keys with: letter init"
	case errors.Is(err, client.ErrInviteRequired):
		return "With a code: letter init --invite CODE"
	case errors.Is(err, client.ErrHasKeys):
		return "To add another device to this one: letter link there, then letter link CODE here."
	case errors.Is(err, client.ErrNoUserKey):
		return "letter devices shows which do."
	case errors.Is(err, client.ErrLinkForged), errors.Is(err, client.ErrLinkTaken), errors.Is(err, client.ErrLinkList):
		return "Nothing was linked. If it happens again, somebody is interfering: the server, or who has seen the code."
	case errors.Is(err, client.ErrDeviceRemoved):
		return "It can't be used any more. To link it again, make new keys in another home: LETTER_HOME=… letter link"
	case errors.Is(err, client.ErrPassphraseNeeded):
		return "Set LETTER_PASSPHRASE, or run letter on a terminal that can ask for it."
	case errors.Is(err, client.ErrNoPassphrase):
		return "A passphrase is set when the keys are made: use another home, LETTER_HOME."
	case errors.Is(err, client.ErrListening):
		return "What comes in is shown there; letter history shows it here."
	case errors.Is(err, client.ErrContactUnknown):
		return "Give a user id (u and 32 characters), or name one with: letter contacts add NAME ID"
	case errors.Is(err, client.ErrContactTaken):
		return "If they have a new id: letter contacts replace NAME ID"
	case errors.Is(err, client.ErrBlocked):
		return "letter unblock NAME lets you write to them again, and them to you."
	case errors.Is(err, client.ErrContactChanged):
		return "Compare safety numbers: letter verify NAME. Or take the new id as it is: letter contacts accept NAME"
	case errors.Is(err, client.ErrContactAlarm):
		return "Ask them over another channel; then: letter contacts accept NAME"
	case errors.Is(err, client.ErrSafetyMismatch), errors.Is(err, client.ErrSafetyOthers):
		return "Nothing was recorded. Compare once more; if it stays so, your id of them or theirs of you is wrong: do not trust it."
	case errors.As(err, &queued):
		return "It is kept here and goes out with the next send to them, inbox or listen."
	case errors.Is(err, client.ErrServerURL):
		return "Set --server or LETTER_SERVER to something like https://chat.example.com"
	case errors.Is(err, context.DeadlineExceeded):
		return "Is the server there? See --server and LETTER_SERVER."
	}
	return ""
}
