package socket

import (
	"errors"
	"net"
	"strings"

	"github.com/gorilla/websocket"
)

// Close codes. Clients of graphql-ws come back after 1001, 1012, 1013, 4403 and 4408; the others are final.
const (
	CloseNormal       = websocket.CloseNormalClosure     // 1000
	CloseGone         = websocket.CloseGoingAway         // 1001: no sign of life
	CloseUnsupported  = websocket.CloseUnsupportedData   // 1003: a binary frame
	CloseTooBig       = websocket.CloseMessageTooBig     // 1009
	CloseDefect       = websocket.CloseInternalServerErr // 1011
	CloseRestart      = websocket.CloseServiceRestart    // 1012: the server is stopping
	CloseTryLater     = websocket.CloseTryAgainLater     // 1013: the token could not be checked now, or the client reads too slowly
	CloseBadRequest   = 4400                             // not a message of the protocol
	CloseUnauthorized = 4401                             // an operation before connection_init
	CloseForbidden    = 4403                             // a refused token, one that has ended, or a removed device
	CloseSubprotocol  = 4406                             // no subprotocol that we speak
	CloseInitTimeout  = 4408                             // no connection_init in time
	CloseDuplicate    = 4409                             // an operation id that is in use
	CloseTooManyInits = 4429                             // a second connection_init
)

// maxReason is what a close frame leaves for the reason: 125 bytes less the code.
const maxReason = 123

// closeFrame builds a close frame's payload.
func closeFrame(code int, reason string) []byte {
	if len(reason) > maxReason {
		reason = strings.ToValidUTF8(reason[:maxReason], "") // A client fails at half a character.
	}
	return websocket.FormatCloseMessage(code, reason)
}

func timedOut(err error) bool {
	var netErr net.Error
	return errors.As(err, &netErr) && netErr.Timeout()
}
