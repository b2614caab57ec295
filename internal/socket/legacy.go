package socket

import (
	"context"
	"errors"
	"net"
	"net/http"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/gorilla/websocket"

	"github.com/letterlock/letterlock/internal/stream"
)

// serveLegacy serves a socket of the legacy subprotocol by gqlgen's own transport, until it ends.
func (s *Sockets) serveLegacy(c *legacyConn, r *http.Request, exec graphql.GraphExecutor) {
	defer c.finish()
	if !s.add(c) {
		c.end(CloseRestart, "the server is stopping")
		return
	}
	c.start()
	transport.Websocket{
		Implementation:        accepted{c},
		InitFunc:              s.initLegacy,
		KeepAlivePingInterval: s.options.PingInterval, // what legacy clients know a live server by
	}.Do(nil, r.WithContext(context.WithValue(r.Context(), key{}, member(c))), s.options.Guard.Over(legacyExecutor{gated{exec, s, subscribing}, c.protocol}, true))
}

// initLegacy tells gqlgen how Init has decided.
func (s *Sockets) initLegacy(ctx context.Context, payload transport.InitPayload) (context.Context, *transport.InitPayload, error) {
	inner, err := s.init(ctx, payload)
	if err == nil {
		return inner, nil, nil
	}
	code, reason := s.refusal(ctx, err)
	ctx = transport.AppendCloseReason(transport.WithWebsocketCloseCode(ctx, code), reason)
	return ctx, nil, errors.New(reason)
}

// accepted hands gqlgen a connection that has been accepted before.
type accepted struct{ conn *legacyConn }

// Accept gives the connection.
func (a accepted) Accept(http.ResponseWriter, *http.Request, transport.WebsocketAcceptOptions) (transport.WebsocketConn, error) {
	return a.conn, nil
}

// closeCode maps what gqlgen closes with. Its 1002 is final for clients and stands for a message that is none of the
// protocol's, for which the protocol has a code of its own.
func closeCode(code int) int {
	if code == transport.WebsocketCloseProtocolError {
		return CloseBadRequest
	}
	return code
}

// readEnd is how a failed read is told to gqlgen, which reports all but orderly ends.
func readEnd(err error) error {
	var closed *websocket.CloseError
	if errors.As(err, &closed) || errors.Is(err, net.ErrClosed) {
		return transport.ErrWebsocketClosed
	}
	return err
}

// tellGqlgen has gqlgen say the error that a subscription ended with. gqlgen reads it without a lock, in the goroutine that asks for
// responses and calls this: a resolver cannot set it by itself, as the client may end the subscription meanwhile.
func tellGqlgen(ctx context.Context, end *stream.End) {
	if err := end.Err(); err != nil {
		transport.AddSubscriptionError(ctx, err)
	}
}
