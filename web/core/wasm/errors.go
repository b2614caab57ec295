//go:build js && wasm

package main

import (
	"errors"

	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/device"
	"github.com/letterlock/letterlock/internal/vault"
)

// codes name what a caller can tell apart. They are part of the interface: none changes.
func codes() []struct {
	err  error
	code string
} {
	return []struct {
		err  error
		code string
	}{
		{errBadCall, "bad-call"},
		{errLocked, "no-keys"},
		{errBusy, "busy"},
		{errStoreFull, "store-full"},
		{errStore, "store-failed"},
		{errOtherKey, "store-damaged"},
		{errSetting, "setting-too-long"},
		{errDrafts, "drafts-full"},
		{device.ErrNoKeys, "no-keys"},
		{device.ErrHasKeys, "has-keys"},
		{device.ErrTextEmpty, "text-empty"},
		{device.ErrTextTooLong, "text-too-long"},
		{device.ErrTextNotUTF8, "text-not-utf8"},
		{device.ErrToSelf, "to-self"},
		{device.ErrOutboxFull, "outbox-full"},
		{device.ErrBlocked, "blocked"},
		{device.ErrBlockSelf, "block-self"},
		{device.ErrBlockedFull, "blocked-full"},
		{device.ErrContactName, "contact-name"},
		{device.ErrContactTaken, "contact-taken"},
		{device.ErrContactUnknown, "contact-unknown"},
		{device.ErrContactsFull, "contacts-full"},
		{device.ErrContactChanged, "contact-changed"},
		{device.ErrContactAlarm, "contact-alarm"},
		{device.ErrNoLink, "no-link"},
		{device.ErrLinkDeclined, "link-declined"},
		{device.ErrLinkForged, "link-forged"},
		{device.ErrLinkList, "link-list"},
		{device.ErrLinkProtocols, "link-protocols"},
		{cryptobox.ErrLinkCode, "link-code"},
		{device.ErrNoUserKey, "no-user-key"},
		{device.ErrRemoved, "device-removed"},
		{device.ErrDeviceUnknown, "device-unknown"},
		{device.ErrRemoveSelf, "remove-self"},
		{device.ErrNoList, "no-list"},
		{cryptobox.ErrSafetyText, "safety-text"},
		{cryptobox.ErrSafetyVersion, "safety-version"},
		{cryptobox.ErrSafetyOwnCode, "safety-own-code"},
		{cryptobox.ErrSafetyOthers, "safety-others"},
		{cryptobox.ErrSafetyMismatch, "safety-mismatch"},
		{vault.ErrPassphraseNeeded, "passphrase-needed"},
		{vault.ErrPassphrase, "passphrase-wrong"},
		{vault.ErrDamaged, "store-damaged"},
		{vault.ErrKey, "store-damaged"},
		{vault.ErrNewer, "store-newer"},
		{device.ErrRecordVersion, "store-newer"},
	}
}

// codeOf gives an error's code; what has none is nothing that a caller can do something about.
func codeOf(err error) string {
	for _, known := range codes() {
		if errors.Is(err, known.err) {
			return known.code
		}
	}
	return "failed"
}
