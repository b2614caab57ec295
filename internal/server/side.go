package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// side is an address beside the server's own. A nil side does nothing.
type side struct {
	listener net.Listener
	does     string // what it is there for
}

// listenSide listens on an address, if there is one, that a variable has set.
func listenSide(ctx context.Context, does, variable, address string) (*side, error) {
	if address == "" {
		return nil, nil //nolint:nilnil // a nil side does nothing
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", variable, err)
	}
	return &side{listener, does}, nil
}

// sideServer is what all of them have in common.
func (s *Server) sideServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      30 * time.Second, // a profile adds its own time to it
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(s.config.Log.Handler(), slog.LevelDebug),
	}
}

// serve answers until stop is called. That cuts off who is in the middle of something.
func (a *side) serve(server func() *http.Server, log *slog.Logger) (stop func()) {
	if a == nil {
		return func() {}
	}
	running := server()
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := running.Serve(a.listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("an address is not served any more", "for", a.does, "error", err)
		}
	}()
	return func() {
		_ = running.Close() // closes the listener, too
		<-done
	}
}

// bound has it accept no more connections than a listener does that is made of its own.
func (a *side) bound(by func(net.Listener) net.Listener) {
	if a != nil {
		a.listener = by(a.listener)
	}
}

func (a *side) close() {
	if a != nil {
		_ = a.listener.Close()
	}
}

// addr is where it listens; nil if it does not.
func (a *side) addr() net.Addr {
	if a == nil {
		return nil
	}
	return a.listener.Addr()
}
