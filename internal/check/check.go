// Package check looks a configuration and its database over before, or while, a server runs, and says in words for
// operators what is wrong. It changes nothing.
package check

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/server"
)

// Level says how bad a finding is.
type Level string

// The levels.
const (
	OK   Level = "ok"
	Warn Level = "warn" // the server runs with it, but somebody should look
	Fail Level = "FAIL" // the server does not start, or breaks its promises
)

const (
	// patience bounds each look at something elsewhere.
	patience = 10 * time.Second
	// slowSync is a disk that makes every message wait.
	slowSync = 50 * time.Millisecond
	// clockWarn and clockFail are how far two clocks may be apart. Tokens allow for a minute.
	clockWarn, clockFail = 5 * time.Second, 60 * time.Second
)

// Finding is what was found about one thing.
type Finding struct {
	About string
	Level Level
	Says  string
}

// Report is all that was found.
type Report []Finding

// Failed reports whether anything has to be put right.
func (r Report) Failed() bool {
	for _, f := range r {
		if f.Level == Fail {
			return true
		}
	}
	return false
}

// Write writes a line for each finding.
func (r Report) Write(w io.Writer) error {
	for _, f := range r {
		if _, err := fmt.Fprintf(w, "%-4s  %-13s %s\n", f.Level, f.About, strings.Join(strings.Fields(f.Says), " ")); err != nil {
			return err
		}
	}
	return nil
}

func (r *Report) add(about string, level Level, format string, args ...any) {
	*r = append(*r, Finding{about, level, fmt.Sprintf(format, args...)})
}

// Run looks everything over. client asks the public URLs.
func Run(ctx context.Context, config server.Config, client *http.Client) Report {
	var report Report
	origins, err := server.CheckConfig(config)
	if err != nil {
		report.add("settings", Fail, "%v", err)
	} else {
		report.add("settings", OK, "clients know this server as %s", strings.Join(origins, ", "))
	}
	report.address(ctx, "LETTERLOCK_ADDR", config.Addr)
	if config.HTTPRedirect != "" {
		report.address(ctx, "LETTERLOCK_HTTP_REDIRECT", config.HTTPRedirect)
	}
	report.certificates(ctx, config, origins)
	report.database(ctx, config)
	report.nats(ctx, config.NATS.URL)
	if err == nil {
		public := config.PublicURLs
		if len(public) == 0 && len(config.TLS.Domains) > 0 {
			public = origins // made of the names that are certified
		}
		for _, origin := range public {
			report.publicURL(ctx, client, origin, config)
		}
	}
	return report
}

func (r *Report) address(ctx context.Context, variable, address string) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		r.add("address", Warn, "%v. That is as it should be if this server runs already; else set %s to a free address", err, variable)
		return
	}
	_ = listener.Close() // nothing came in
	r.add("address", OK, "%s is free to listen on", address)
}

func (r *Report) database(ctx context.Context, config server.Config) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	found, err := database.Inspect(ctx, config.Database)
	if err != nil {
		r.add("database", Fail, "%v. Is it running, and is LETTERLOCK_DATABASE or LETTERLOCK_DATA_DIR right?", err)
		return
	}
	r.schema(found)
	r.writing(found)
	r.durability(found)
	r.clock(found, config.Now)
}

func (r *Report) schema(found database.Inspection) {
	switch {
	case found.Missing:
		r.add("database", OK, "%s is empty or not there yet; the first start makes it", found.Name)
	case found.Found > found.Known:
		r.add("database", Fail, "%s has schema version %d, and this release knows %d at the most: run the release that migrated it, or a newer one",
			found.Name, found.Found, found.Known)
	case found.Found < found.Known:
		r.add("database", Warn, "%s has schema version %d; the next start migrates it to %d, which older releases then refuse. Make a backup first",
			found.Name, found.Found, found.Known)
	default:
		r.add("database", OK, "%s answers, schema version %d", found.Name, found.Found)
	}
}

func (r *Report) writing(found database.Inspection) {
	if found.Unwritable != nil {
		r.add("writing", Fail, "nothing can be stored: %v. Look at permissions and free space", found.Unwritable)
		return
	}
	r.add("writing", OK, "a write was tried and taken back")
}

func (r *Report) durability(found database.Inspection) {
	switch {
	case len(found.Unsafe) > 0:
		r.add("durability", Fail, "PostgreSQL has %s off: messages that were confirmed can be lost in a crash. Switch it on", strings.Join(found.Unsafe, ", "))
	case found.Sync > slowSync:
		r.add("durability", Warn, "the disk took %v to confirm a write, and every message waits for that. Use a faster one", found.Sync.Round(time.Millisecond))
	case found.Sync > 0:
		r.add("durability", OK, "the disk confirmed a write in %v", found.Sync.Round(10*time.Microsecond))
	default:
		r.add("durability", OK, "PostgreSQL keeps what it confirms")
	}
}

func (r *Report) clock(found database.Inspection, now func() time.Time) {
	if now == nil {
		now = time.Now
	}
	if found.Clock.IsZero() {
		r.add("clock", OK, "it is %s here; tokens and expiry go by this, so keep it synchronised", now().UTC().Format(time.RFC3339))
		return
	}
	r.apart("clock", "the database's", found.Clock, now())
}

func (r *Report) apart(about, whose string, theirs, ours time.Time) {
	switch apart := ours.Sub(theirs).Abs(); {
	case apart > clockFail:
		r.add(about, Fail, "this clock and %s are %v apart: device tokens are refused. Synchronise them (NTP)", whose, apart.Round(time.Second))
	case apart > clockWarn:
		r.add(about, Warn, "this clock and %s are %v apart. Synchronise them (NTP)", whose, apart.Round(time.Second))
	default:
		r.add(about, OK, "this clock agrees with %s", whose)
	}
}

func (r *Report) nats(ctx context.Context, urls string) {
	for text := range strings.SplitSeq(urls, ",") {
		u, err := url.Parse(strings.TrimSpace(text))
		if err != nil || u.Host == "" {
			continue // None, or the settings say what is wrong: a URL with a password is not repeated.
		}
		host := u.Host
		if u.Port() == "" {
			host = net.JoinHostPort(u.Hostname(), "4222")
		}
		dialer := net.Dialer{Timeout: patience}
		conn, err := dialer.DialContext(ctx, "tcp", host)
		if err != nil {
			r.add("NATS", Warn, "%s can't be reached: %v. Nodes then hear of each other's messages late (LETTERLOCK_LOOK_AGAIN)", host, err)
			continue
		}
		_ = conn.Close() // nothing was said
		r.add("NATS", OK, "%s takes connections", host)
	}
}
