// Package server wires the whole server: store, directory, mailboxes, GraphQL over its transports, and an orderly end.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/letterlock/letterlock/graph"
	"github.com/letterlock/letterlock/internal/caller"
	"github.com/letterlock/letterlock/internal/certs"
	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/directory"
	"github.com/letterlock/letterlock/internal/failure"
	"github.com/letterlock/letterlock/internal/graphqlhttp"
	"github.com/letterlock/letterlock/internal/guard"
	"github.com/letterlock/letterlock/internal/invites"
	"github.com/letterlock/letterlock/internal/links"
	"github.com/letterlock/letterlock/internal/mailbox"
	"github.com/letterlock/letterlock/internal/origins"
	"github.com/letterlock/letterlock/internal/peer"
	"github.com/letterlock/letterlock/internal/persisted"
	"github.com/letterlock/letterlock/internal/places"
	"github.com/letterlock/letterlock/internal/shortcut"
	"github.com/letterlock/letterlock/internal/socket"
	"github.com/letterlock/letterlock/internal/tally"
	"github.com/letterlock/letterlock/internal/telemetry"
	"github.com/letterlock/letterlock/internal/wakeup"
)

// Server is one node. New makes it, Serve runs it.
type Server struct {
	config     Config
	listener   net.Listener
	origins    *origins.Policy
	proxies    peer.Proxies
	overlooked sync.Once // whether a proxy that is not among them was reported
	db         *database.DB
	release    func() error // lets another server have the database; nil until it is claimed

	hub       wakeup.Node[mailbox.Message]
	directory *directory.Directory
	mailboxes *mailbox.Service
	links     *links.Slots
	invites   *invites.Invites
	callers   *caller.Authenticator
	rates     *caller.Rates
	tally     *tally.Tally
	present   *failure.Presenter
	guard     *guard.Guard
	persisted *persisted.Operations // nil if all are allowed
	places    *places.Places        // of sockets and event streams
	sockets   *socket.Sockets
	resolver  *graph.Resolver
	answers   shortcut.Answerer
	http      *http.Server
	unused    unused
	metrics   *telemetry.Metrics
	exporter  *side // nil without an address of its own

	certificates certs.Source // nil if TLS is a proxy's
	redirect     *side        // nil without an address of its own

	stopping atomic.Bool
	stopped  chan struct{} // closed when no new work is taken
	streams  *graphqlhttp.Streams
	stopOnce sync.Once
	stopErr  error
}

// New opens the store and the listening socket. The server answers from Serve on; until then connections wait. ctx bounds
// opening the store.
func New(ctx context.Context, config Config) (_ *Server, err error) {
	if err := config.validate(); err != nil {
		return nil, err
	}
	s := &Server{config: config, stopped: make(chan struct{}), streams: graphqlhttp.NewStreams()}
	defer func() {
		if err != nil {
			s.abandon()
		}
	}()
	if s.certificates, err = certs.Open(s.config.TLS, s.config.Log, s.config.Now); err != nil {
		return nil, err
	}
	if s.listener, err = new(net.ListenConfig).Listen(ctx, "tcp", config.Addr); err != nil {
		return nil, fmt.Errorf("LETTERLOCK_ADDR: %w", err)
	}
	if s.exporter, err = listenSide(ctx, "metrics", "LETTERLOCK_METRICS_ADDR", config.MetricsAddr); err != nil {
		return nil, err
	}
	if s.redirect, err = listenSide(ctx, "the way from http to https", "LETTERLOCK_HTTP_REDIRECT", config.HTTPRedirect); err != nil {
		return nil, err
	}
	if s.origins, err = config.policy(s.listener.Addr()); err != nil {
		return nil, err
	}
	if s.proxies, err = peer.ParseProxies(config.TrustedProxies); err != nil {
		return nil, err
	}
	if len(config.PersistedOnly) > 0 {
		if s.persisted, err = persisted.Load(config.PersistedOnly, config.App); err != nil {
			return nil, err
		}
	}
	if err := s.openStore(ctx); err != nil {
		return nil, err
	}
	if err := s.wire(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// openStore claims the database before it migrates it: a newer release is not to do that under an older one that runs.
func (s *Server) openStore(ctx context.Context) (err error) {
	if s.db = s.config.Open; s.db != nil {
		return nil
	}
	if s.release, err = database.Claim(ctx, s.config.Database, s.config.Log); err != nil {
		return err
	}
	s.db, err = database.Open(ctx, s.config.Database, s.config.Log)
	return err
}

// closeStore closes what openStore has opened, as far as it has come.
func (s *Server) closeStore() (err error) {
	if s.db != nil && s.config.Open == nil {
		err = s.db.Close()
	}
	if s.release != nil {
		err = errors.Join(err, s.release())
	}
	return err
}

// wire connects the parts.
func (s *Server) wire(ctx context.Context) (err error) {
	c, l := s.config, s.config.Limits
	s.metrics = newMetrics(c.Version)
	s.present = failure.NewPresenter(c.Log, c.Now).Telling(s.metrics.Refusals.Refused)
	if c.NoIntrospection {
		s.present = s.present.WithoutSuggestions()
	}
	s.resolver = new(graph.Resolver) // It is filled below: the sockets and the guard come before the directory that it asks.
	answers := graph.NewAnswers(s.resolver, failure.Recover)
	s.answers = s.metrics.Operations.Answers(answers)
	s.guard = guard.New(guard.Options{
		MaxBytes: l.MaxQueryBytes, MaxDepth: l.MaxQueryDepth, MaxCost: l.MaxQueryCost, Stopped: s.stopped,
		NoIntrospection: c.NoIntrospection, Persisted: s.persisted,
		Admit: func(ctx context.Context) error { return s.callers.Admit(ctx) }, Accepted: answers.Learn,
	})
	if s.hub, err = newHub(ctx, s.db, c); err != nil {
		return err
	}
	s.mailboxes, err = mailbox.New(ctx, s.db, mailbox.Options{
		Limits: mailbox.Limits{
			MaxMessages: int64(l.MailboxMaxMessages), MaxBytes: l.MailboxMaxBytes,
			MaxMessagesPerSender: int64(l.MailboxMaxMessagesPerSender), MaxCiphertextBytes: l.MaxCiphertextBytes,
			MaxEnvelopesPerSend: l.MaxEnvelopesPerSend, MessageLifetime: l.MessageLifetime,
		},
		Hub: telemetry.CountWakeups(s.metrics, s.hub), Observer: s.metrics.Mailboxes,
		Now: c.Now, Logger: c.Log, LookAgain: l.LookAgain,
	})
	if err != nil {
		return err
	}
	s.places = places.New(places.Options{
		Most: l.MaxSockets, MostOfAddress: l.MaxSocketsPerAddress, Limited: s.metrics.Directory.Limited,
	})
	s.sockets = socket.New(socket.Options{
		AllowOrigin: s.origins.Allow, Init: s.openSocket, Renew: s.renewSocket, Carry: s.carry, Guard: s.guard, Present: s.present,
		Places: s.places, Address: address, MaxOpening: l.MaxOpeningSockets, Crowded: s.crowded, MaxOperations: l.MaxOperationsPerSocket, MaxBytes: l.MaxRequestBytes,
		Timeout: l.RequestTimeout, InitTimeout: l.InitTimeout, IdleTimeout: l.IdleTimeout, PingInterval: l.PingInterval, WriteTimeout: l.WriteTimeout, Now: c.Now,
		Live: s.metrics.Operations.Streams(graph.Streams{Resolver: s.resolver}), Answers: s.answers,
	})
	s.tally = tally.New(s.db, c.Now)
	s.invites = invites.New(s.db, c.Registration, c.Now)
	s.directory = directory.New(s.db, s.mailboxes, directory.Options{
		MaxDevices: l.MaxDevicesPerUser, MaxOneTimePrekeys: l.MaxOneTimePrekeys, MaxBlocked: l.MaxBlockedUsers, LookAgain: l.LookAgain,
		Claims: claimLimits(l),
		Now:    c.Now, Admit: s.admit, Tally: s.tally, Observer: s.metrics.Directory,
	})
	s.hub.ListenRemoved(s.endDevice)
	s.links = links.New(s.db, links.Options{MaxSlots: l.MaxLinkSlots, Now: c.Now})
	s.rates = caller.NewRates(caller.RateOptions{
		Limits: caller.PerMinute{
			Operations: l.AddressOperationsPerMinute, Sockets: l.AddressSocketsPerMinute,
			Registrations: l.AddressRegistrationsPerMinute, DeviceOperations: l.DeviceOperationsPerMinute,
		},
		Tally: s.tally, Limited: s.metrics.Directory.Limited, Now: c.Now,
	})
	s.callers = caller.NewAuthenticator(s.directory, s.origins.Own(), s.rates)
	*s.resolver = graph.Resolver{
		Directory: s.directory, Mailboxes: s.mailboxes, Links: s.links, Limits: l, Version: c.Version, Registration: s.invites.Registration(),
		Origins: s.origins.Own(), Now: c.Now, Present: s.present.Present,
	}
	s.watch()
	routes, err := s.routes()
	if err != nil {
		return err
	}
	s.http = &http.Server{
		Handler:           routes,
		ReadHeaderTimeout: min(10*time.Second, l.RequestTimeout),
		ReadTimeout:       l.RequestTimeout,
		// Event streams set a deadline for each event instead; sockets leave this server behind.
		WriteTimeout:   l.RequestTimeout + l.WriteTimeout,
		IdleTimeout:    2 * time.Minute,
		MaxHeaderBytes: 16 << 10,
		ConnState:      s.unused.note,
		ErrorLog:       slog.NewLogLogger(c.Log.Handler(), slog.LevelDebug),
	}
	if s.certificates != nil {
		secure(s.http, s.certificates, l)
		s.redirect.bound(func(l net.Listener) net.Listener { return s.bounded(l, c.Limits.MaxConnections) })
	}
	return nil
}

// Addr is where the server listens.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Origins are the canonical origins that the server goes by.
func (s *Server) Origins() []string { return s.origins.Own() }

// Store names the database for people.
func (s *Server) Store() string { return s.db.Name }

// Sockets gives how many WebSockets are open.
func (s *Server) Sockets() int { return s.sockets.Open() }

// Serve answers requests until ctx ends, and then stops in order: no new work, committed work answered, sockets closed with
// 1012, all within the stop timeout.
func (s *Server) Serve(ctx context.Context) error {
	looking, stopLooking := context.WithCancel(ctx)
	defer stopLooking()
	var looks sync.WaitGroup
	looks.Go(func() { s.lookAgain(looking) })
	looks.Go(func() { s.sweep(looking) })
	defer s.exporter.serve(s.exporting, s.config.Log)()
	defer s.redirect.serve(s.redirecting, s.config.Log)()
	if s.certificates != nil {
		looks.Go(func() { s.certificates.Keep(looking) })
	}
	failed := make(chan error, 1)
	go func() { failed <- s.serve() }()
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	stopLooking()
	looks.Wait()
	return errors.Join(err, s.stop())
}

func (s *Server) stop() error {
	s.stopOnce.Do(func() {
		s.stopping.Store(true)
		s.drain()
		close(s.stopped)
		ctx, cancel := context.WithTimeout(context.Background(), s.config.Limits.StopTimeout)
		defer cancel()
		s.stopErr = s.end(ctx)
	})
	return s.stopErr
}

// end lets what has begun come to its end, for as long as ctx holds.
func (s *Server) end(ctx context.Context) error {
	requests := make(chan error, 1)
	go func() { requests <- s.http.Shutdown(ctx) }()
	s.unused.close()
	s.guard.Idle(ctx)
	s.streams.Cut()
	s.sockets.Stop(ctx)
	err := <-requests
	if err != nil {
		err = errors.Join(fmt.Errorf("requests that did not end in time were cut off: %w", err), s.http.Close())
	}
	err = errors.Join(err, s.mailboxes.Close(ctx))
	s.hub.Close(ctx)
	// Shutdown has closed the listener already, if Serve was called.
	if closeErr := s.listener.Close(); !errors.Is(closeErr, net.ErrClosed) {
		err = errors.Join(err, closeErr)
	}
	return errors.Join(err, s.closeStore())
}

// abandon undoes what New has done before it failed. There is nobody to tell that undoing failed as well.
func (s *Server) abandon() {
	if s.listener != nil {
		_ = s.listener.Close()
	}
	s.exporter.close()
	s.redirect.close()
	if s.mailboxes != nil {
		_ = s.mailboxes.Close(context.Background())
	}
	if s.hub != nil {
		s.hub.Close(context.Background())
	}
	_ = s.closeStore()
}
