package check

import (
	"context"
	"net/url"
	"os"
	"time"

	"github.com/letterlock/letterlock/internal/certs"
	"github.com/letterlock/letterlock/internal/server"
)

// certificates looks the server's own certificate over, or asks who is to make it.
func (r *Report) certificates(ctx context.Context, config server.Config, origins []string) {
	about, o := "certificate", config.TLS
	switch {
	case o.Validate() != nil || !o.Wanted(): // The settings say so, or TLS is a proxy's.
	case o.Cert != "":
		r.pair(about, config, origins)
	default:
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		if err := certs.Reach(ctx, o); err != nil {
			r.add(about, Warn, "the authority that is to certify %v does not answer: %v. Look at LETTERLOCK_ACME_DIRECTORY and the way there", o.Domains, err)
			return
		}
		r.add(about, OK, "the authority that is to certify %v answers", o.Domains)
	}
}

func (r *Report) pair(about string, config server.Config, origins []string) {
	certificate, err := certs.Load(config.TLS.Cert, config.TLS.Key)
	if err != nil {
		r.add(about, Fail, "%v", err)
		return
	}
	now := time.Now
	if config.Now != nil {
		now = config.Now
	}
	leaf := certificate.Leaf
	until := leaf.NotAfter.UTC().Format(time.RFC3339)
	switch err := certs.Timely(leaf, now()); {
	case err != nil:
		r.add(about, Fail, "%v. Renew LETTERLOCK_TLS_CERT, or set the clock right", err)
	case certs.Late(leaf, now()):
		r.add(about, Warn, "it expires on %s: renew it, or see why it is not renewed", until)
	default:
		r.add(about, OK, "it fits its key, and is valid until %s", until)
	}
	for _, origin := range origins {
		if u, err := url.Parse(origin); len(config.PublicURLs) > 0 && err == nil && leaf.VerifyHostname(u.Hostname()) != nil {
			r.add(about, Warn, "it is not for %s, a name by which clients know this server: they refuse it", u.Hostname())
		}
	}
	if info, err := os.Stat(config.TLS.Key); err == nil && info.Mode().Perm()&0o007 != 0 {
		r.add(about, Warn, "everybody on this machine may read %s: chmod 600", config.TLS.Key)
	}
}
