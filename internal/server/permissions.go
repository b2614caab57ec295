package server

import "strings"

// features are what a page could ask the browser for, of those that Chromium knows by this header on every system: it complains
// of others. web-share and bluetooth, which it knows on some, ask the user in any case.
var features = []string{
	"accelerometer", "autoplay", "browsing-topics", "camera", "clipboard-read", "clipboard-write", "display-capture",
	"encrypted-media", "fullscreen", "gamepad", "geolocation", "gyroscope", "hid", "identity-credentials-get", "idle-detection",
	"keyboard-map", "local-fonts", "magnetometer", "microphone", "midi", "otp-credentials", "payment", "picture-in-picture",
	"publickey-credentials-create", "publickey-credentials-get", "screen-wake-lock", "serial", "storage-access", "sync-xhr", "usb",
	"window-management", "xr-spatial-tracking",
}

var (
	// noPermissions is for all but the web client. Copying is no danger, and what the playground's buttons do.
	noPermissions = permissions("clipboard-write")
	// appPermissions lets the web client scan a code and copy an address.
	appPermissions = permissions("camera", "clipboard-write")
)

// permissions writes a Permissions-Policy that allows the page itself some features, and nobody any other.
func permissions(allowed ...string) string {
	entries := make([]string, 0, len(features))
	for _, feature := range features {
		entry := feature + "=()"
		for _, name := range allowed {
			if feature == name {
				entry = feature + "=(self)"
			}
		}
		entries = append(entries, entry)
	}
	return strings.Join(entries, ", ")
}
