package server

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/rs/cors"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/letterlock/letterlock/graph/generated"
	"github.com/letterlock/letterlock/internal/caller"
	"github.com/letterlock/letterlock/internal/failure"
	"github.com/letterlock/letterlock/internal/graphqlhttp"
	"github.com/letterlock/letterlock/internal/problem"
	"github.com/letterlock/letterlock/internal/socket"
)

// cachedQueries is how many parsed documents are kept. Clients send the same few again and again; who sends others on
// purpose fills it with documents as long as the limits of bytes and tokens allow, some half a megabyte each once parsed.
const cachedQueries = 250

// readyTimeout bounds how long /readyz waits for the store.
const readyTimeout = 2 * time.Second

func (s *Server) routes() (http.Handler, error) {
	app, err := appPages(s.config.App)
	if err != nil {
		return nil, err
	}
	playground, err := playgroundPages(s.config.Playground)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/graphql", s.cors(graphqlhttp.Front(s.authorize(s.graphQL()), s.present)))
	mux.Handle("GET /playground/", http.StripPrefix("/playground", playground))
	mux.Handle("GET /playground", http.RedirectHandler("/playground/", http.StatusPermanentRedirect))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { text(w, http.StatusOK, "ok\n") })
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.Handle("/", reading(app))
	return s.measuring(s.recovering(s.logging(secured(s.overTLSAlone(framed(mux)))))), nil
}

func (s *Server) graphQL() *handler.Server {
	l := s.config.Limits
	gql := handler.New(generated.NewExecutableSchema(generated.Config{Resolvers: s.resolver}))
	gql.AddTransport(s.sockets)
	gql.AddTransport(&graphqlhttp.Events{
		Guard: s.guard, Present: s.present, MaxBytes: l.MaxRequestBytes,
		PingInterval: l.PingInterval, WriteTimeout: l.WriteTimeout, Now: s.config.Now,
		Open: s.streams, Places: s.places, Address: address, Gated: s.sockets.Gated,
	})
	gql.AddTransport(&graphqlhttp.Post{
		Guard: s.guard, Present: s.present, Answers: s.answers, MaxBytes: l.MaxRequestBytes, Timeout: l.RequestTimeout,
	})
	gql.SetQueryCache(lru.New[*ast.QueryDocument](cachedQueries))
	gql.SetParserTokenLimit(l.MaxQueryTokens)
	gql.SetErrorPresenter(s.present.Present)
	gql.SetRecoverFunc(failure.Recover)
	if !s.config.NoIntrospection {
		gql.Use(extension.Introspection{})
	}
	gql.Use(s.metrics.Operations)
	return gql
}

// authorize puts the caller into the context. Nobody looks at the token until a field needs it.
func (s *Server) authorize(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from := s.locate(r)
		if s.sockets.Supports(r) {
			if err := s.rates.Socket(from); err != nil {
				s.present.Write(r.Context(), w, http.StatusTooManyRequests, "application/json; charset=utf-8", err)
				return
			}
		}
		ctx := s.callers.WithAuthorization(r.Context(), r.Header.Get("Authorization"), from)
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// locate gives the address that a request comes from. A proxy that the operator may have forgotten it reports once.
func (s *Server) locate(r *http.Request) netip.Addr {
	if s.proxies.Overlooked(r) {
		s.overlooked.Do(func() {
			s.config.Log.WarnContext(r.Context(), "requests come with X-Forwarded-For from an address that is not in LETTERLOCK_TRUSTED_PROXIES: "+
				"if that is your proxy, its clients are limited together, or not at all, until you name it")
		})
	}
	return s.proxies.Client(r)
}

// address gives where the request of a context comes from.
func address(ctx context.Context) netip.Addr { return caller.From(ctx).Address() }

// carry gives the context of a socket where its request came from. The rest of the request is not kept.
func (s *Server) carry(to, from context.Context) context.Context {
	return s.callers.WithAuthorization(to, "", caller.From(from).Address())
}

// openSocket checks the token of connection_init. A socket without one may ask what needs none.
func (s *Server) openSocket(ctx context.Context, payload transport.InitPayload) (context.Context, error) {
	authorization, from := payload.Authorization(), caller.From(ctx).Address()
	if authorization == "" && !claimsToken(payload) {
		return s.callers.WithAuthorization(ctx, "", from), nil
	}
	device, until, err := s.callers.Authenticate(ctx, authorization, from)
	if err != nil {
		return nil, err
	}
	socket.Own(ctx, device.ID.String())
	socket.Until(ctx, until)
	ctx = s.callers.WithDevice(ctx, device.ID, from)
	_, err = caller.From(ctx).Device(ctx) // A removal since then did not find the socket among the device's own.
	return ctx, err
}

// renewSocket checks the token of a ping, of which the socket's device is to have signed one more. It counts as an operation
// before it is looked at.
func (s *Server) renewSocket(ctx context.Context, payload transport.InitPayload) (found bool, err error) {
	if !claimsToken(payload) {
		return false, nil
	}
	from := caller.From(ctx)
	if from.Anonymous() {
		return true, problem.New(problem.Unauthenticated, "This socket was opened without a token. Connect again with one.")
	}
	owner, err := from.Device(ctx)
	if err != nil {
		return true, err
	}
	device, until, err := s.callers.Authenticate(ctx, payload.Authorization(), from.Address())
	if err != nil {
		return true, err
	}
	if device.ID != owner.ID {
		return true, problem.New(problem.Unauthenticated, "The token is of another device than the socket. Connect again with it.")
	}
	socket.Until(ctx, until)
	return true, nil
}

// claimsToken reports whether a payload has an Authorization that is not empty, though it may not be a string.
func claimsToken(payload transport.InitPayload) bool {
	for _, name := range []string{"Authorization", "authorization"} {
		if value, ok := payload[name]; ok && value != nil && value != "" {
			return true
		}
	}
	return false
}

func (s *Server) cors(next http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowOriginFunc: s.origins.Allow,
		AllowedMethods:  []string{http.MethodPost, http.MethodGet},
		AllowedHeaders:  []string{"*"}, // products add their own; none has a meaning here but Authorization
		ExposedHeaders:  []string{"Retry-After"},
		MaxAge:          int((2 * time.Hour).Seconds()),
	}).Handler(next)
}

// readyz says whether work can be sent here: the store answers and the server is not stopping.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	switch {
	case s.stopping.Load():
		text(w, http.StatusServiceUnavailable, "stopping\n")
	case s.db.Ping(ctx) != nil:
		text(w, http.StatusServiceUnavailable, "the store does not answer\n")
	case s.mailboxes.Failing():
		text(w, http.StatusServiceUnavailable, "the store takes no messages\n")
	default:
		text(w, http.StatusOK, "ready\n")
	}
}

func text(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body)) // A caller who is gone needs no answer.
}

var _ graphql.Transport = (*socket.Sockets)(nil)
