//go:build !js

package cryptobox

import "log/slog"

// Browsers have no log, and would load log/slog for nothing.

// LogValue gives a placeholder.
func (secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// LogValue gives a placeholder.
func (*Session) LogValue() slog.Value { return slog.StringValue("[session]") }
