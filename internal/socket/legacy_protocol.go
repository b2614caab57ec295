package socket

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/letterlock/letterlock/internal/guard"
)

// verdict is what the protocol makes of a message from the client: pass it on, drop it, answer it, or close.
type verdict struct {
	drop   bool
	answer *answer // to send instead
	data   []byte  // to pass on instead
	code   int     // to close with, 0 to stay open
	reason string
}

// answer is a message to the client that does not come from gqlgen.
type answer struct {
	ID      string `json:"id,omitempty"`
	Type    string `json:"type"`
	Payload any    `json:"payload,omitempty"`
	problem error  // what the payload is made of
}

// legacyProtocol is the state of one socket by the rules of the legacy subprotocol.
//
// gqlgen knows each operation by a name of our own, which is never used again: it says that an operation is complete before it
// forgets its name, and would forget a new one that the client has given the same name in the meantime. An operation that
// the client completes is kept as ending until gqlgen has let go of it. What still comes out of it is dropped.
type legacyProtocol struct {
	maxOperations int

	mu         sync.Mutex
	inited     bool
	named      uint64
	active     map[string]string // by the client's name: ours
	running    map[string]clientName
	ending     map[string]struct{}
	subscribed int // how many of those that run or end are subscriptions, as far as they have begun
}

// clientName is what the client calls an operation, as it is and as JSON.
type clientName struct {
	text   string
	quoted []byte
}

func newLegacyProtocol(maxOperations int) *legacyProtocol {
	return &legacyProtocol{
		maxOperations: maxOperations,
		active:        map[string]string{}, running: map[string]clientName{}, ending: map[string]struct{}{},
	}
}

type frame struct {
	ID      string          `json:"id"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// incoming judges a message from the client.
func (p *legacyProtocol) incoming(data []byte) verdict {
	var f frame
	if guard.Scattered(data) {
		return refuse(CloseTooBig, "a message holds too many values")
	}
	if err := json.Unmarshal(data, &f); err != nil {
		return refuse(CloseBadRequest, "a message must be a JSON object with a type")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch f.Type {
	case "connection_init":
		return p.init(f)
	case "start":
		return p.start(f)
	case "stop":
		return p.stop(f)
	case "connection_terminate":
		return verdict{}
	default:
		return refuse(CloseBadRequest, "unknown message type for "+legacy)
	}
}

func (p *legacyProtocol) init(f frame) verdict {
	if p.inited {
		return refuse(CloseTooManyInits, "Too many initialisation requests")
	}
	if payload := bytes.TrimSpace(f.Payload); len(payload) > 0 && payload[0] != '{' && !bytes.Equal(payload, []byte("null")) {
		return refuse(CloseBadRequest, "the payload of connection_init must be an object")
	}
	p.inited = true
	return verdict{}
}

func (p *legacyProtocol) start(f frame) verdict {
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
	quoted, err := json.Marshal(f.ID)
	if err != nil {
		return refuse(CloseBadRequest, "an operation needs an id of at most 128 characters")
	}
	p.named++
	ours := strconv.FormatUint(p.named, 10)
	p.active[f.ID], p.running[ours] = ours, clientName{f.ID, quoted}
	return rename(f, ours)
}

// rename passes a message on under our name of its operation.
func rename(f frame, ours string) verdict {
	f.ID = ours
	data, err := json.Marshal(f)
	if err != nil {
		return refuse(CloseBadRequest, "a message must be a JSON object with a type")
	}
	return verdict{data: data}
}

func (p *legacyProtocol) stop(f frame) verdict {
	if !p.inited {
		return refuse(CloseUnauthorized, "Unauthorized: send connection_init first")
	}
	ours, running := p.active[f.ID]
	if !running {
		return verdict{drop: true}
	}
	delete(p.active, f.ID)
	delete(p.running, ours)
	p.ending[ours] = struct{}{}
	return rename(f, ours)
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

// outgoing gives what a message of gqlgen's is to the client, nil if it is not for it, and whether it is the last word of an
// operation.
func (p *legacyProtocol) outgoing(data []byte) (out []byte, last bool) {
	head, ours, tail, ok := cutName(data)
	if !ok {
		return data, false
	}
	last = tail == `,"type":"complete"}` || tail == `,"type":"error"}`
	p.mu.Lock()
	defer p.mu.Unlock()
	theirs, running := p.running[ours]
	if last {
		delete(p.ending, ours)
		delete(p.running, ours)
		delete(p.active, theirs.text)
	}
	if !running {
		return nil, false
	}
	return slices.Concat(head, theirs.quoted, []byte(tail)), last
}

// cutName takes the name of its operation out of a message as gqlgen writes it: the name and the type come last.
func cutName(data []byte) (head []byte, name, tail string, ok bool) {
	const before, after = `"id":`, `,"type":"`
	data = bytes.TrimRight(data, "\n")
	at := bytes.LastIndex(data, []byte(before+`"`))
	if at < 0 {
		return nil, "", "", false
	}
	head, rest := data[:at+len(before)], string(data[at+len(before)+1:])
	name, tail, ok = strings.Cut(rest, `"`)
	return head, name, tail, ok && strings.HasPrefix(tail, after) && strings.Count(tail, `"`) == 4 && strings.HasSuffix(tail, `"}`)
}

func (p *legacyProtocol) initialised() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.inited
}

func refuse(code int, reason string) verdict { return verdict{code: code, reason: reason} }
