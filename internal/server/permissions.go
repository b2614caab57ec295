package server

import "strings"

// features are what a page could ask the browser for, of those that browsers know by this header. Chromium knows some, like
// web-share and bluetooth, on part of the systems it runs on and warns of them on the others: they stay as browsers have them.
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
