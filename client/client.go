package client

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/letterlock/letterlock/client/internal/store"
	"github.com/letterlock/letterlock/device"
	"github.com/letterlock/letterlock/identity"
)

//go:generate go run github.com/Khan/genqlient

// DefaultServer is the server of Options without one.
const DefaultServer = "http://localhost:8080"

// defaultPatience is how long Send tries before it leaves a message to the outbox.
const defaultPatience = 10 * time.Second

// Options say where a client lives and whom it talks to. Only Home is required.
type Options struct {
	// Home is the directory that holds the keys and the history of one device.
	Home string
	// Server is the server's URL, without a path; DefaultServer if empty.
	Server string
	// Boxes makes Init, or Join, create a device that takes boxes instead of sessions, for talking with clients that know nothing else.
	// It has no forward secrecy, can't be changed later, and reaches no device that takes sessions.
	Boxes bool
	// Invite is a code of the server's operator, for the first registration with a server that takes new users by invite. It is
	// not kept.
	Invite string
	// Passphrase is asked if the home is locked with one. In Init it decides: nil makes a key file without a passphrase.
	Passphrase func() ([]byte, error)
	// Patience is how long Send, Register, Flush and Inbox try again while the server can't be reached; 10 seconds if 0,
	// not at all if negative. Listen tries for ever.
	Patience time.Duration
	// OnWait is told about every wait: what was in the way, and when the next try is. It may be called by several goroutines.
	OnWait func(why error, next time.Duration)
	// TLS is how to talk to an https server; nil means the system's ways.
	TLS *tls.Config
	// Logger gets what goes on, without ids, texts or keys; nil means nowhere.
	Logger *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time

	// random is where keys come from; tests listen there.
	random io.Reader
	// pingEvery is pingEvery; tests do not wait for that.
	pingEvery time.Duration
}

// Client is one device of one user. Its methods may be called by several goroutines; several clients, also of several
// processes, may share a home.
type Client struct {
	options  Options
	origin   string
	endpoint string
	self     device.Self
	store    *store.Store
	http     *http.Client
	public   *transport // without a token
	private  *transport
	tokens   tokens
	chains   device.ChainCache
	sending  turns
	register turn
	tending  turn
	tended   time.Time       // when the prekeys were last looked after
	untended atomic.Bool     // they are to be looked after now
	queued   chan struct{}   // something was put into an outbox
	ctx      context.Context //nolint:containedctx // ends with Close
	cancel   context.CancelFunc
}

// Init makes the keys of a new user with a first device, in Options.Home, and opens a client on them. Nobody is asked for
// anything: Register, or whatever talks to the server first, makes them known. It fails with ErrHasKeys if there are keys,
// and with ErrNoPassphrase if a passphrase is given for a home whose key file has none.
func Init(ctx context.Context, options Options) (*Client, error) {
	c, err := create(ctx, options)
	if err != nil {
		return nil, err
	}
	_, err = c.step(ctx, func(h device.Host) (device.Step, error) {
		step, self, err := h.Create(c.options.protocols())
		c.self = self
		return step, err
	})
	if errors.Is(err, device.ErrHasKeys) {
		err = ErrHasKeys
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// create makes the store of a home, and a client that has no keys yet.
func create(ctx context.Context, options Options) (*Client, error) {
	c, err := newClient(options)
	if err != nil {
		return nil, err
	}
	var passphrase []byte
	if options.Passphrase != nil {
		if passphrase, err = options.Passphrase(); err != nil {
			return nil, err
		}
		defer clear(passphrase)
		if len(passphrase) == 0 {
			return nil, ErrPassphraseNeeded
		}
	}
	c.store, err = store.Create(ctx, options.Home, passphrase)
	return c, err
}

// Open opens a client on the keys that Init has made. It talks to nobody. It fails with ErrNoHome, ErrPassphraseNeeded,
// ErrPassphrase, ErrExposed, ErrNewerStore, ErrDamaged or ErrServerURL.
func Open(ctx context.Context, options Options) (*Client, error) {
	c, err := newClient(options)
	if err != nil {
		return nil, err
	}
	c.store, err = store.Open(ctx, options.Home, options.Passphrase)
	if errors.Is(err, store.ErrNotFound) {
		return nil, ErrNoHome
	}
	if err != nil {
		return nil, err
	}
	err = c.view(ctx, func(h device.Host) (err error) {
		c.self, err = h.Self()
		return err
	})
	if errors.Is(err, device.ErrNoKeys) {
		err = ErrNoHome
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func newClient(options Options) (*Client, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	origin, err := serverOrigin(options.Server)
	if err != nil {
		return nil, err
	}
	web, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		web = new(http.Transport)
	}
	web = web.Clone()
	web.TLSClientConfig = options.TLS.Clone()
	c := &Client{
		options: options, origin: origin, endpoint: origin + "/graphql", queued: make(chan struct{}, 1),
		register: make(turn, 1), tending: make(turn, 1),
	}
	// A redirect would carry the token to somebody else.
	c.http = &http.Client{Transport: web, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	c.public = &transport{endpoint: c.endpoint, http: c.http}
	c.private = &transport{endpoint: c.endpoint, http: c.http, token: c.Token}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c, nil
}

func (o Options) withDefaults() (Options, error) {
	if o.Home == "" {
		return o, errors.New("client: Options.Home is empty")
	}
	if o.Server == "" {
		o.Server = DefaultServer
	}
	if o.Patience == 0 {
		o.Patience = defaultPatience
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.random == nil {
		o.random = rand.Reader
	}
	if o.pingEvery == 0 {
		o.pingEvery = pingEvery
	}
	return o, nil
}

func (o Options) protocols() identity.Protocols {
	if o.Boxes {
		return identity.ProtocolBox
	}
	return identity.ProtocolSession
}

// serverOrigin refuses what is more than an origin: a path would be dropped silently.
func serverOrigin(server string) (string, error) {
	parsed, err := url.Parse(server)
	if err != nil || parsed.Path != "" && parsed.Path != "/" || parsed.RawQuery != "" || parsed.Fragment != "" {
		return "", ErrServerURL
	}
	origin, err := identity.Origin(server)
	if err != nil {
		return "", ErrServerURL
	}
	return origin, nil
}

// UserID gives the id of the user that this device belongs to: what others send to.
func (c *Client) UserID() UserID { return c.self.User }

// DeviceID gives the id of this device.
func (c *Client) DeviceID() DeviceID { return c.self.Device }

// Server gives the origin of the server.
func (c *Client) Server() string { return c.origin }

// Close ends what is under way, with ErrClosed, and closes the store.
func (c *Client) Close() error {
	c.cancel()
	c.http.CloseIdleConnections()
	return c.store.Close()
}

// while gives a context that ends with ctx and with the client.
func (c *Client) while(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(c.ctx, func() { cancel(ErrClosed) })
	return ctx, func() { stop(); cancel(nil) }
}

// host lends a step what it needs.
func (c *Client) host(records device.Records) device.Host {
	return device.Host{
		Records: records, Now: c.options.Now().UTC(), Rand: c.options.random, Server: c.origin, Chains: &c.chains,
	}
}

// step runs a step of the device and commits its writes: what it asks for may be done when this returns.
func (c *Client) step(ctx context.Context, do func(device.Host) (device.Step, error)) (step device.Step, err error) {
	err = c.store.Update(ctx, func(records device.Records) ([]device.Write, error) {
		step, err = do(c.host(records))
		return step.Writes, err
	})
	if err != nil {
		return device.Step{}, c.ended(err)
	}
	if step.Queued {
		select {
		case c.queued <- struct{}{}:
		default:
		}
	}
	return step, nil
}

// view reads from the device's records.
func (c *Client) view(ctx context.Context, do func(device.Host) error) error {
	return c.ended(c.store.View(ctx, func(records device.Records) error { return do(c.host(records)) }))
}

// ended says ErrClosed for whatever fails because the client was closed.
func (c *Client) ended(err error) error {
	if err != nil && c.ctx.Err() != nil {
		return fmt.Errorf("%w (%w)", ErrClosed, err)
	}
	return err
}

// turn is a mutex whose waiting ends with a context: who holds it may be talking to a server that takes its time. It has room for one.
type turn chan struct{}

func (t turn) take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (t turn) leave() { <-t }

// turns is a turn for each user.
type turns struct {
	mutex sync.Mutex
	held  map[UserID]*countedTurn
}

type countedTurn struct {
	turn
	users int
}

// take waits for the user's turn and gives what ends it.
func (k *turns) take(ctx context.Context, user UserID) (leave func(), err error) {
	k.mutex.Lock()
	if k.held == nil {
		k.held = make(map[UserID]*countedTurn)
	}
	t := k.held[user]
	if t == nil {
		t = &countedTurn{turn: make(turn, 1)}
		k.held[user] = t
	}
	t.users++
	k.mutex.Unlock()
	if err := t.take(ctx); err != nil {
		k.drop(user, t)
		return nil, err
	}
	return func() { t.leave(); k.drop(user, t) }, nil
}

func (k *turns) drop(user UserID, t *countedTurn) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	if t.users--; t.users == 0 {
		delete(k.held, user)
	}
}
