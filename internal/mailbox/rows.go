package mailbox

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/letterlock/letterlock/identity"
)

// scan reads the columns of a mailbox and what more was asked for. Both databases give them in the same order.
func (m *mailboxRow) scan(scan func(...any) error, more ...any) error {
	var device, user string
	fields := append([]any{
		&m.id, &device, &user, &m.listVersion, &m.closed, &m.blocking, &m.last, &m.acknowledged, &m.count, &m.bytes, &m.accepted,
	}, more...)
	if err := scan(fields...); err != nil {
		return err
	}
	var err error
	if m.device, err = identity.ParseDeviceID(device); err != nil {
		return fmt.Errorf("stored device id: %w", err)
	}
	if m.user, err = identity.ParseUserID(user); err != nil {
		return fmt.Errorf("stored user id: %w", err)
	}
	return nil
}

// messageRow is a row of messages as both databases give it.
type messageRow struct {
	id                       int64
	messageID                uuid.UUID
	senderUser, senderDevice string
	senderListVersion        uint32
	sentAt, expiresAt        int64
	kind                     Kind
	nonce, ciphertext        []byte
}

func (m *messageRow) fields() []any {
	return []any{
		&m.id, &m.messageID, &m.senderUser, &m.senderDevice, &m.senderListVersion, &m.sentAt, &m.expiresAt, &m.kind, &m.nonce,
		&m.ciphertext,
	}
}

func (m *messageRow) message(epoch int64) (Message, error) {
	user, err := identity.ParseUserID(m.senderUser)
	if err != nil {
		return Message{}, fmt.Errorf("stored user id: %w", err)
	}
	device, err := identity.ParseDeviceID(m.senderDevice)
	if err != nil {
		return Message{}, fmt.Errorf("stored device id: %w", err)
	}
	number := m.id & maxNumber
	return Message{
		ID: m.id, Number: number, Cursor: Cursor{epoch: epoch, mailbox: m.id >> numberBits, number: number},
		MessageID: m.messageID, SenderUser: user, SenderDevice: device, SenderListVersion: m.senderListVersion,
		SentAt: time.UnixMicro(m.sentAt).UTC(), ExpiresAt: time.UnixMicro(m.expiresAt).UTC(),
		Kind: m.kind, Ciphertext: m.ciphertext, Nonce: m.nonce,
	}, nil
}
