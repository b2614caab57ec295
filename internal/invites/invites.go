// Package invites decides who may register: everybody, who has an invite of the operator's, or nobody.
package invites

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"
	"time"

	"github.com/letterlock/letterlock/ent"
	"github.com/letterlock/letterlock/ent/invite"
	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/problem"
)

// Registration says who may register.
type Registration string

// The values. The schema's enum Registration lists the same in capitals.
const (
	Open   Registration = "open"
	Invite Registration = "invite"
	Closed Registration = "closed"
)

const (
	// prefix is what codes begin with, so that people tell them from ids.
	prefix = "i"
	// codeSize is the length of the random part, in bytes: nobody guesses one.
	codeSize = 16
	// MaxLifetime is how long an invite may be good for.
	MaxLifetime = 10 * 365 * 24 * time.Hour
)

var encoding = base32.StdEncoding.WithPadding(base32.NoPadding)

// Invites are those of one store.
type Invites struct {
	db           *database.DB
	registration Registration
	now          func() time.Time
}

// New makes Invites over a store. The empty Registration is Open.
func New(db *database.DB, registration Registration, now func() time.Time) *Invites {
	if registration == "" {
		registration = Open
	}
	return &Invites{db: db, registration: registration, now: now}
}

// Registration says who may register.
func (i *Invites) Registration() Registration { return i.registration }

// Issue makes an invite that is good once, for this long. The code is given here and never again: a hash of it is stored.
func (i *Invites) Issue(ctx context.Context, lifetime time.Duration) (code string, err error) {
	if lifetime < time.Second || lifetime > MaxLifetime {
		return "", fmt.Errorf("an invite is good for a second at least and %v at most", MaxLifetime)
	}
	secret := make([]byte, codeSize)
	_, _ = rand.Read(secret) // never fails, by its contract
	err = i.db.Write(ctx, "issue an invite", func(ctx context.Context, tx *ent.Tx) error {
		return tx.Invite.Create().SetHash(hash(secret)).SetExpiresAt(i.now().Add(lifetime).UnixMicro()).Exec(ctx)
	})
	return prefix + strings.ToLower(encoding.EncodeToString(secret)), err
}

// Admit lets a new user in, or fails with REGISTRATION_CLOSED or INVITE_REQUIRED. It uses the invite up, if tx is committed.
//
// Codes are looked up by their hashes, so that how long it takes tells nothing of how much of a code was right.
func (i *Invites) Admit(ctx context.Context, tx *ent.Tx, code string) error {
	switch i.registration {
	case Open:
		return nil
	case Invite:
	case Closed:
		return problem.New(problem.RegistrationClosed, "This server takes no new users. Ask its operator.")
	}
	if code == "" {
		return problem.New(problem.InviteRequired, "This server takes new users by invite alone. Ask its operator for one.")
	}
	secret, ok := parse(code)
	if !ok {
		return refused()
	}
	used, err := tx.Invite.Delete().Where(invite.Hash(hash(secret)), invite.ExpiresAtGT(i.now().UnixMicro())).Exec(ctx)
	if err == nil && used == 0 {
		err = refused()
	}
	return err
}

// Sweep deletes invites that have expired.
func (i *Invites) Sweep(ctx context.Context) error {
	return i.db.Write(ctx, "sweep invites", func(ctx context.Context, tx *ent.Tx) error {
		_, err := tx.Invite.Delete().Where(invite.ExpiresAtLTE(i.now().UnixMicro())).Exec(ctx)
		return err
	})
}

// refused does not say whether there was ever such an invite.
func refused() *problem.Error {
	return problem.New(problem.InviteRequired, "This invite is not good: mistyped, used already, or expired. Ask the operator for another one.")
}

// parse takes codes as people type them.
func parse(code string) (secret []byte, ok bool) {
	if len(code) > 64 {
		return nil, false
	}
	text, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(code)), prefix)
	if !ok {
		return nil, false
	}
	secret, err := encoding.DecodeString(strings.ToUpper(text))
	return secret, err == nil && len(secret) == codeSize
}

func hash(secret []byte) []byte {
	h := sha256.New()
	h.Write([]byte("letterlock/invite/v1"))
	h.Write(secret)
	return h.Sum(nil)
}
