package server

import (
	"net"

	"github.com/letterlock/letterlock/internal/peer"
	"github.com/letterlock/letterlock/internal/persisted"
)

// CheckConfig refuses a configuration that New would refuse, as far as that can be told without opening anything, and gives
// the canonical origins that the server would go by. The errors name the variable to set.
func CheckConfig(config Config) ([]string, error) {
	if err := config.validate(); err != nil {
		return nil, err
	}
	if _, err := peer.ParseProxies(config.TrustedProxies); err != nil {
		return nil, err
	}
	if len(config.PersistedOnly) > 0 {
		if _, err := persisted.Load(config.PersistedOnly, config.App); err != nil {
			return nil, err
		}
	}
	policy, err := config.policy(textAddr(config.Addr))
	if err != nil {
		return nil, err
	}
	return policy.Own(), nil
}

// textAddr is an address that nobody listens on.
type textAddr string

func (textAddr) Network() string  { return "tcp" }
func (a textAddr) String() string { return string(a) }

var _ net.Addr = textAddr("")
