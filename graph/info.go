package graph

import (
	"errors"
	"time"

	"github.com/letterlock/letterlock/graph/model"
	"github.com/letterlock/letterlock/internal/invites"
	"github.com/letterlock/letterlock/internal/limits"
	"github.com/letterlock/letterlock/internal/problem"
)

// protocolVersion is the version of docs/protocol.md that this server speaks.
const protocolVersion = 1

func (r *Resolver) serverInfo() *model.ServerInfo {
	l := r.Limits
	return &model.ServerInfo{
		Version: r.Version, ProtocolVersions: []int{protocolVersion}, Origins: r.Origins, Time: r.Now(),
		Registration: registrationModel(r.Registration),
		Limits: &model.Limits{
			MaxRequestBytes:             int(l.MaxRequestBytes),
			MaxCiphertextBytes:          l.MaxCiphertextBytes,
			MaxEnvelopesPerSend:         l.MaxEnvelopesPerSend,
			MaxDevicesPerUser:           l.MaxDevicesPerUser,
			MaxOneTimePrekeys:           l.MaxOneTimePrekeys,
			MaxBlockedUsers:             l.MaxBlockedUsers,
			MailboxMaxMessages:          l.MailboxMaxMessages,
			MailboxMaxBytes:             l.MailboxMaxBytes,
			MailboxMaxMessagesPerSender: l.MailboxMaxMessagesPerSender,
			MessageLifetimeSeconds:      int(l.MessageLifetime / time.Second),
			MaxTokenLifetimeSeconds:     int(limits.TokenLifetime / time.Second),
			MessageIDLifetimeSeconds:    int(limits.MessageIDLifetime / time.Second),
		},
	}
}

func registrationModel(who invites.Registration) model.Registration {
	switch who {
	case invites.Closed:
		return model.RegistrationClosed
	case invites.Invite:
		return model.RegistrationInvite
	default:
		return model.RegistrationOpen
	}
}

// stored marks the failure of something that came after the commit.
func stored(err error) error {
	var known *problem.Error
	if !errors.As(err, &known) {
		known = problem.Wrap(problem.Internal, "It was stored, but the answer could not be put together. Ask again.", err)
	}
	after := *known
	after.Stored = problem.Yes
	return &after
}
