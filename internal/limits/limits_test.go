package limits_test

import (
	"strings"
	"testing"
	"time"

	"github.com/letterlock/letterlock/internal/limits"
)

func TestDefaultsAreValidAndFreeOfTheEnvironment(t *testing.T) {
	t.Setenv("LETTERLOCK_MAX_CIPHERTEXT_BYTES", "1")
	l := limits.Default()
	if err := l.Validate(); err != nil {
		t.Error(err)
	}
	if l.MaxCiphertextBytes != 66560 || l.MessageLifetime != 30*24*time.Hour {
		t.Errorf("defaults %+v", l)
	}
}

// A full message to all devices of two users fits into a request.
func TestLargestMessageFits(t *testing.T) {
	l := limits.Default()
	const base64, around = 4.0 / 3, 200
	if most := float64(2*l.MaxDevicesPerUser) * (float64(l.MaxCiphertextBytes)*base64 + around); most > float64(l.MaxRequestBytes) {
		t.Errorf("a request may take %.0f bytes, the limit is %d", most, l.MaxRequestBytes)
	}
}

func TestValidateNamesTheVariable(t *testing.T) {
	l := limits.Default()
	l.MaxDevicesPerUser, l.PingInterval = 101, 0
	err := l.Validate()
	if err == nil || !strings.Contains(err.Error(), "LETTERLOCK_MAX_DEVICES_PER_USER is 101") ||
		!strings.Contains(err.Error(), "LETTERLOCK_PING_INTERVAL") {
		t.Errorf("%v", err)
	}
}

// What nodes count together has to be forgotten within the hour, or it counts for nothing.
func TestClaimsAtOnceAreBoundedByTheirRate(t *testing.T) {
	l := limits.Default()
	l.ClaimsOfUserPerMinute, l.ClaimsOfUserAtOnce = 2, 101
	l.ClaimsAtOnce = 0
	err := l.Validate()
	if err == nil || !strings.Contains(err.Error(), "LETTERLOCK_CLAIMS_OF_USER_AT_ONCE is 101") || !strings.Contains(err.Error(), "LETTERLOCK_CLAIMS_AT_ONCE is 0") {
		t.Errorf("%v", err)
	}
	l.ClaimsOfUserPerMinute, l.ClaimsPerMinute = 0, 0 // no limits
	if err := l.Validate(); err != nil {
		t.Error(err)
	}
}
