package certs

import (
	"context"
	"crypto/x509"
	"log/slog"
	"strings"
	"time"
)

// remindEvery is how often somebody is told of a certificate that was not renewed.
const remindEvery = 24 * time.Hour

// reminder tells of certificates that are about to expire.
type reminder struct {
	log  *slog.Logger
	now  func() time.Time
	last time.Time
}

// about says, if it is time, that a certificate needs somebody's attention.
func (r *reminder) about(ctx context.Context, leaf *x509.Certificate) {
	now := r.now()
	if !Late(leaf, now) || now.Sub(r.last) < remindEvery {
		return
	}
	r.last = now
	log := r.log.With("names", strings.Join(leaf.DNSNames, " "), "expires", leaf.NotAfter.UTC())
	if now.After(leaf.NotAfter) {
		log.ErrorContext(ctx, "the certificate has expired, and clients refuse it: renew it, or see why it is not renewed")
		return
	}
	log.WarnContext(ctx, "the certificate expires soon: renew it, or see why it is not renewed")
}
