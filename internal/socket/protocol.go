package socket

import (
	"bytes"
	"encoding/json"
	"sync"
	"time"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/letterlock/letterlock/internal/guard"
	"github.com/letterlock/letterlock/internal/problem"
)

// The subprotocols.
const (
	modern = "graphql-transport-ws"
	legacy = "graphql-ws"
)

// maxOperationID bounds what a client may call an operation.
const maxOperationID = 128

// verdict is what the protocol makes of a message from the client: pass it on, drop it, answer it, or close.
type verdict struct {
	drop   bool
	answer *answer // to send instead
	code   int     // to close with, 0 to stay open
	reason string
	await  <-chan struct{} // to wait for before passing on
}

// answer is a message to the client that does not come from gqlgen.
type answer struct {
	ID      string `json:"id,omitempty"`
	Type    string `json:"type"`
	Payload any    `json:"payload,omitempty"`
	problem error  // what the payload is made of
}

// protocol is the state of one socket by the rules of its subprotocol.
//
// An operation that the client completes is kept as ending until gqlgen has let go of it. What still comes out of it in the
// meantime is dropped: the client may have given its id to a new operation.
type protocol struct {
	name          string
	maxOperations int

	mu     sync.Mutex
	inited bool
	active map[string]struct{}
	ending map[string]chan struct{}
}

func newProtocol(name string, maxOperations int) *protocol {
	return &protocol{name: name, maxOperations: maxOperations, active: map[string]struct{}{}, ending: map[string]chan struct{}{}}
}

type frame struct {
	ID      string          `json:"id"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload"`
}

// incoming judges a message from the client.
func (p *protocol) incoming(data []byte) verdict {
	var f frame
	if guard.Scattered(data) {
		return refuse(CloseTooBig, "a message holds too many values")
	}
	if err := json.Unmarshal(data, &f); err != nil {
		return refuse(CloseBadRequest, "a message must be a JSON object with a type")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch p.kind(f.Type) {
	case kindInit:
		return p.init(f)
	case kindStart:
		return p.start(f)
	case kindStop:
		return p.stop(f)
	case kindPing:
		if p.inited {
			return verdict{}
		}
		return verdict{drop: true, answer: &answer{Type: "pong"}}
	case kindPong:
		return verdict{drop: true}
	case kindTerminate:
		return verdict{}
	default:
		return refuse(CloseBadRequest, "unknown message type for "+p.name)
	}
}

type kind int

const (
	kindUnknown kind = iota
	kindInit
	kindStart
	kindStop
	kindPing
	kindPong
	kindTerminate
)

func (p *protocol) kind(name string) kind {
	if name == "connection_init" {
		return kindInit
	}
	if p.name == legacy {
		return map[string]kind{"start": kindStart, "stop": kindStop, "connection_terminate": kindTerminate}[name]
	}
	return map[string]kind{"subscribe": kindStart, "complete": kindStop, "ping": kindPing, "pong": kindPong}[name]
}

func (p *protocol) init(f frame) verdict {
	if p.inited {
		return refuse(CloseTooManyInits, "Too many initialisation requests")
	}
	if payload := bytes.TrimSpace(f.Payload); len(payload) > 0 && payload[0] != '{' && !bytes.Equal(payload, []byte("null")) {
		return refuse(CloseBadRequest, "the payload of connection_init must be an object")
	}
	p.inited = true
	return verdict{}
}

func (p *protocol) start(f frame) verdict {
	switch {
	case !p.inited:
		return refuse(CloseUnauthorized, "Unauthorized: send connection_init first")
	case f.ID == "" || len(f.ID) > maxOperationID:
		return refuse(CloseBadRequest, "an operation needs an id of at most 128 characters")
	case !isRequest(f.Payload):
		return refuse(CloseBadRequest, "the payload of an operation must be an object with a query")
	}
	if _, taken := p.active[f.ID]; taken {
		return refuse(CloseDuplicate, "Subscriber for "+f.ID+" already exists")
	}
	if len(p.active)+len(p.ending) >= p.maxOperations {
		return verdict{drop: true, answer: &answer{ID: f.ID, Type: "error", problem: tooMany()}}
	}
	p.active[f.ID] = struct{}{}
	if ended, ok := p.ending[f.ID]; ok {
		return verdict{await: ended}
	}
	return verdict{}
}

func (p *protocol) stop(f frame) verdict {
	if !p.inited {
		return refuse(CloseUnauthorized, "Unauthorized: send connection_init first")
	}
	if _, running := p.active[f.ID]; !running {
		return verdict{drop: true}
	}
	delete(p.active, f.ID)
	p.ending[f.ID] = make(chan struct{})
	return verdict{}
}

func tooMany() error {
	return &problem.Error{
		Code: problem.Overloaded, Stored: problem.No, RetryAfter: time.Second,
		Message: "Too many operations run on this socket at once. Wait until some have ended.",
	}
}

// errorPayload gives the payload of an error message: a list, in the legacy protocol a single error.
func (p *protocol) errorPayload(err *gqlerror.Error) any {
	if p.name == legacy {
		return err
	}
	return gqlerror.List{err}
}

// isRequest reports whether a payload has the shape of a GraphQL request.
func isRequest(payload json.RawMessage) bool {
	var request struct {
		Query         *string                    `json:"query"`
		OperationName *string                    `json:"operationName"`
		Variables     map[string]json.RawMessage `json:"variables"`
		Extensions    map[string]json.RawMessage `json:"extensions"`
	}
	return json.Unmarshal(payload, &request) == nil && request.Query != nil
}

// outgoing reports whether a message to the client is to be sent, and whether it is the last word of an operation.
func (p *protocol) outgoing(data []byte) (send, last bool) {
	last = hasType(data, "complete") || hasType(data, "error")
	p.mu.Lock()
	defer p.mu.Unlock()
	if !last && len(p.ending) == 0 {
		return true, false
	}
	var f frame
	if json.Unmarshal(data, &f) != nil || f.ID == "" {
		return true, false
	}
	if ended, ok := p.ending[f.ID]; ok {
		if last {
			close(ended)
			delete(p.ending, f.ID)
		}
		return false, false
	}
	if !last {
		return true, false
	}
	_, running := p.active[f.ID]
	delete(p.active, f.ID)
	return running, running
}

// hasType looks at the end of a message as gqlgen writes it: the type comes last.
func hasType(data []byte, name string) bool {
	return bytes.HasSuffix(bytes.TrimRight(data, "\n"), []byte(`"type":"`+name+`"}`))
}

func (p *protocol) initialised() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.inited
}

func refuse(code int, reason string) verdict { return verdict{code: code, reason: reason} }
