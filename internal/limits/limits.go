// Package limits holds every bound that an operator can set, with its default, flag and environment variable. What a client
// has to know of them, the query `server` shows; all stand in docs/operating.md.
package limits

import (
	"errors"
	"fmt"
	"time"
)

// What the protocol fixes for every server. No flag changes it.
const (
	// TokenLifetime is how far ahead a device token may expire (S6.4).
	TokenLifetime = 10 * time.Minute
	// MessageIDLifetime is how long a message id is remembered (delivery contract 2).
	MessageIDLifetime = 7 * 24 * time.Hour
	// LinkLifetime is how long a link slot is kept (L1.3).
	LinkLifetime = 10 * time.Minute
	// DevicesPerList is the most entries that a device list can encode (S3).
	DevicesPerList = 100
	// PageSize is the most messages that one page of a mailbox holds.
	PageSize = 100
)

// Limits are the bounds that an operator can set. Sizes are in bytes. Passed by value. The tags are kong's; the environment
// variable of a flag is its name in capitals behind LETTERLOCK_.
type Limits struct {
	MaxRequestBytes     int64 `name:"max-request-bytes" default:"4194304" help:"The longest request body, and the longest message on a socket, in bytes."`
	MaxCiphertextBytes  int   `name:"max-ciphertext-bytes" default:"66560" help:"The longest ciphertext of one envelope, in bytes."`
	MaxEnvelopesPerSend int   `name:"max-envelopes-per-send" default:"200" help:"How many envelopes one sendMessage or sendMessages may carry."`
	MaxDevicesPerUser   int   `name:"max-devices-per-user" default:"20" help:"How many devices a device list may name, 1 to 100."`
	MaxOneTimePrekeys   int   `name:"max-one-time-prekeys" default:"100" help:"How many one-time prekeys of each kind a device may have waiting, 1 to 1000."`
	MaxBlockedUsers     int   `name:"max-blocked-users" default:"1000" help:"How many users a device may block, 1 to 10000."`
	MaxLinkSlots        int   `name:"max-link-slots" default:"10000" help:"How many devices may be in the middle of being linked at once; each takes at most 32 KiB for ten minutes."`

	MailboxMaxMessages          int           `name:"mailbox-max-messages" default:"20000" help:"How many messages may wait in one mailbox."`
	MailboxMaxBytes             int64         `name:"mailbox-max-bytes" default:"134217728" help:"How many bytes of ciphertext may wait in one mailbox."`
	MailboxMaxMessagesPerSender int           `name:"mailbox-max-messages-per-sender" default:"5000" help:"How many of the messages that wait in one mailbox may come from one user."`
	MessageLifetime             time.Duration `name:"message-lifetime" default:"720h" help:"How long a message waits unless its sender asks for less, and the most that may be asked for."`

	MaxQueryBytes  int `name:"max-query-bytes" default:"65536" help:"The longest GraphQL document, in bytes. Values belong into variables, which do not count."`
	MaxQueryTokens int `name:"max-query-tokens" default:"1000" help:"How many tokens a GraphQL document may have."`
	MaxQueryDepth  int `name:"max-query-depth" default:"24" help:"How deep braces, brackets and parentheses of a GraphQL document may nest."`
	MaxQueryCost   int `name:"max-query-cost" default:"5000" help:"How many fields the answer to one GraphQL operation may hold, estimated; introspection is counted apart."`

	MaxSockets             int `name:"max-sockets" default:"20000" help:"How many WebSockets and event streams may be open at once."`
	MaxSocketsPerAddress   int `name:"max-sockets-per-address" default:"2000" help:"How many WebSockets and event streams one address may have open at once (and twice as many connections of any kind, unless it is a proxy's); 0: no limit."`
	MaxConnections         int `name:"max-connections" default:"10000" help:"How many connections may be open besides --max-sockets: requests, and connections kept for the next one. More are hung up on."`
	MaxOpeningSockets      int `name:"max-opening-sockets" default:"32" help:"How many WebSockets and event streams the server works on opening at once: handshakes, tokens and subscriptions. The rest waits, or is told when to come again."`
	MaxOperationsPerSocket int `name:"max-operations-per-socket" default:"64" help:"How many operations may run at once on one WebSocket."`

	AddressOperationsPerMinute    int `name:"address-operations-per-minute" default:"3000" help:"How many operations one address may ask for in a minute without a token, or with one that is refused; 0: no limit."`
	AddressSocketsPerMinute       int `name:"address-sockets-per-minute" default:"1200" help:"How many WebSockets one address may open in a minute; 0: no limit."`
	AddressRegistrationsPerMinute int `name:"address-registrations-per-minute" default:"60" help:"How many users one address may register in a minute, on all nodes together; 0: no limit."`
	DeviceOperationsPerMinute     int `name:"device-operations-per-minute" default:"60000" help:"How many operations one device may ask for in a minute; each field that needs the device may count as one more. 0: no limit."`

	ClaimsPerMinute       int `name:"claims-per-minute" default:"60" help:"How many claims of prekeys one user may make in a minute on one node; 0: no limit."`
	ClaimsAtOnce          int `name:"claims-at-once" default:"300" help:"How many of these at once, after a silence."`
	ClaimsOfPairPerMinute int `name:"claims-of-pair-per-minute" default:"6" help:"How many claims of one user by one other spend one-time keys in a minute, on all nodes together; 0: no limit."`
	ClaimsOfPairAtOnce    int `name:"claims-of-pair-at-once" default:"30" help:"How many of these at once, after a silence."`
	ClaimsOfUserPerMinute int `name:"claims-of-user-per-minute" default:"12" help:"How many claims of one user by all others spend one-time keys in a minute, on all nodes together; 0: no limit."`
	ClaimsOfUserAtOnce    int `name:"claims-of-user-at-once" default:"200" help:"How many of these at once, after a silence."`

	LookAgain      time.Duration `name:"look-again" default:"5s" help:"How soon a node notices what another node has done if no wake-up reaches it: messages, removed devices."`
	InitTimeout    time.Duration `name:"init-timeout" default:"10s" help:"How long a new WebSocket may take to send connection_init."`
	IdleTimeout    time.Duration `name:"idle-timeout" default:"1m" help:"How long a WebSocket without a token stays open on which nothing is asked."`
	PingInterval   time.Duration `name:"ping-interval" default:"12s" help:"How often sockets and event streams show that they are alive; a WebSocket that is silent for two and a half intervals is closed."`
	WriteTimeout   time.Duration `name:"write-timeout" default:"10s" help:"How long a write to a client may go on without any progress."`
	RequestTimeout time.Duration `name:"request-timeout" default:"30s" help:"How long a client may take to send a request, and the server to answer it."`
	DrainDelay     time.Duration `name:"drain-delay" default:"0s" help:"How long a server that was told to stop goes on working while /readyz says no, so that load balancers look elsewhere first. In its second half sockets and event streams are closed bit by bit."`
	StopTimeout    time.Duration `name:"stop-timeout" default:"15s" help:"How long stopping waits for work that has begun."`
}

// Validate refuses bounds that no server can work within. The error names the variable.
func (l Limits) Validate() error {
	return errors.Join(
		between("MAX_REQUEST_BYTES", l.MaxRequestBytes, 1<<10, 1<<30),
		between("MAX_CIPHERTEXT_BYTES", int64(l.MaxCiphertextBytes), 1, 1<<28),
		between("MAX_ENVELOPES_PER_SEND", int64(l.MaxEnvelopesPerSend), 1, 10_000),
		between("MAX_DEVICES_PER_USER", int64(l.MaxDevicesPerUser), 1, DevicesPerList),
		between("MAX_ONE_TIME_PREKEYS", int64(l.MaxOneTimePrekeys), 1, 1000),
		between("MAX_BLOCKED_USERS", int64(l.MaxBlockedUsers), 1, 10_000),
		between("MAX_LINK_SLOTS", int64(l.MaxLinkSlots), 1, 1_000_000),
		between("MAILBOX_MAX_MESSAGES", int64(l.MailboxMaxMessages), 1, 1<<30),
		between("MAILBOX_MAX_BYTES", l.MailboxMaxBytes, 1, 1<<50),
		between("MAILBOX_MAX_MESSAGES_PER_SENDER", int64(l.MailboxMaxMessagesPerSender), 1, 1<<30),
		within("MESSAGE_LIFETIME", l.MessageLifetime, time.Second, 10*365*24*time.Hour),
		between("MAX_QUERY_BYTES", int64(l.MaxQueryBytes), 4<<10, 1<<20),
		between("MAX_QUERY_TOKENS", int64(l.MaxQueryTokens), 500, 100_000),
		between("MAX_QUERY_DEPTH", int64(l.MaxQueryDepth), 20, 1000),
		between("MAX_QUERY_COST", int64(l.MaxQueryCost), 100, 1<<30),
		between("MAX_SOCKETS", int64(l.MaxSockets), 1, 1<<24),
		between("MAX_SOCKETS_PER_ADDRESS", int64(l.MaxSocketsPerAddress), 0, 1<<24),
		between("MAX_CONNECTIONS", int64(l.MaxConnections), 1, 1<<24),
		between("MAX_OPENING_SOCKETS", int64(l.MaxOpeningSockets), 1, 10_000),
		between("MAX_OPERATIONS_PER_SOCKET", int64(l.MaxOperationsPerSocket), 1, 10_000),
		between("ADDRESS_OPERATIONS_PER_MINUTE", int64(l.AddressOperationsPerMinute), 0, 1<<30),
		between("ADDRESS_SOCKETS_PER_MINUTE", int64(l.AddressSocketsPerMinute), 0, 1<<30),
		between("ADDRESS_REGISTRATIONS_PER_MINUTE", int64(l.AddressRegistrationsPerMinute), 0, 1<<30),
		between("DEVICE_OPERATIONS_PER_MINUTE", int64(l.DeviceOperationsPerMinute), 0, 1<<30),
		rate("CLAIMS", l.ClaimsPerMinute, l.ClaimsAtOnce),
		rate("CLAIMS_OF_PAIR", l.ClaimsOfPairPerMinute, l.ClaimsOfPairAtOnce),
		rate("CLAIMS_OF_USER", l.ClaimsOfUserPerMinute, l.ClaimsOfUserAtOnce),
		within("LOOK_AGAIN", l.LookAgain, time.Millisecond, time.Hour),
		within("INIT_TIMEOUT", l.InitTimeout, time.Millisecond, time.Hour),
		within("IDLE_TIMEOUT", l.IdleTimeout, time.Millisecond, 24*time.Hour),
		within("PING_INTERVAL", l.PingInterval, time.Millisecond, time.Hour),
		within("WRITE_TIMEOUT", l.WriteTimeout, time.Millisecond, time.Hour),
		within("REQUEST_TIMEOUT", l.RequestTimeout, time.Millisecond, time.Hour),
		within("DRAIN_DELAY", l.DrainDelay, 0, time.Hour),
		within("STOP_TIMEOUT", l.StopTimeout, time.Millisecond, time.Hour),
	)
}

func between(name string, value, low, high int64) error {
	if value < low || value > high {
		return fmt.Errorf("LETTERLOCK_%s is %d; it must be from %d to %d", name, value, low, high)
	}
	return nil
}

// longestRefill is in how many minutes as many as may come at once are allowed again, at the most: what nodes count together they forget
// within the hour.
const longestRefill = 50

// rate refuses what may come at once if nothing may, or if it is too much to be counted.
func rate(name string, perMinute, atOnce int) error {
	if err := between(name+"_PER_MINUTE", int64(perMinute), 0, 1<<20); err != nil {
		return err
	}
	if perMinute == 0 {
		return nil
	}
	return between(name+"_AT_ONCE", int64(atOnce), 1, int64(longestRefill)*int64(perMinute))
}

func within(name string, value, low, high time.Duration) error {
	if value < low || value > high {
		return fmt.Errorf("LETTERLOCK_%s is %v; it must be from %v to %v", name, value, low, high)
	}
	return nil
}
