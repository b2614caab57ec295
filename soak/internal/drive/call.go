package drive

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"
)

// The operations.
const (
	registerKey       = `mutation($input: RegisterKeyInput!) { registerKey(input: $input) { device { id } } }`
	publishDeviceList = `mutation($input: PublishDeviceListInput!) { publishDeviceList(input: $input) { user { listVersion } } }`
	sendMessage       = `mutation($input: SendMessageInput!) { sendMessage(input: $input) { acceptedAt deliveries { deviceId status } } }`
	acknowledge       = `mutation($upTo: Cursor!) { acknowledgeMessages(upTo: $upTo) { acknowledgedUpTo removedCount } }`
	messageFields     = `{ id cursor messageId senderDeviceId kind ciphertext nonce }`
	messageReceived   = `subscription($after: Cursor) { messageReceived(after: $after) ` + messageFields + ` }`
	mailbox           = `query($first: Int!, $after: Cursor) { mailbox(first: $first, after: $after) { nodes ` + messageFields + ` pageInfo { hasNextPage } expiredCount } }`
)

// longestAnswer bounds what is read of one.
const longestAnswer = 16 << 20

// refusal is a GraphQL error.
type refusal struct {
	Message    string
	Extensions struct {
		Code         string
		Stored       string
		RetryAfterMs int64
		ServerTime   time.Time
	}
	// again says that what was wrong is mended: the same call may be made again.
	again bool
}

func (r *refusal) Error() string { return r.Extensions.Code + ": " + r.Message }

func (r *refusal) code() string { return r.Extensions.Code }

// passing are the codes after which the same call is made again.
func (r *refusal) passing() bool {
	if r.again {
		return true
	}
	switch r.code() {
	case "STOPPING", "STORE_UNAVAILABLE", "OUTCOME_UNKNOWN", "OVERLOADED", "RATE_LIMITED":
		return true
	}
	return false
}

// gone tells that the calling device is no longer on its list.
func (r *refusal) gone() bool { return r.code() == "DEVICE_REMOVED" }

// errUnanswered is all that leaves open whether a call had an effect.
var errUnanswered = errors.New("no answer")

// once calls a node a single time. The error is a *refusal, or errUnanswered whatever has happened.
func (d *device) once(ctx context.Context, patience time.Duration, query string, variables map[string]any, into any) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+d.node()+"/graphql", bytes.NewReader(body))
	if err != nil {
		return err
	}
	token, err := d.token()
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := d.world.http.Do(request)
	if err != nil {
		return errUnanswered
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(io.LimitReader(response.Body, longestAnswer))
	if err != nil {
		return errUnanswered
	}
	return d.heed(parse(content, into))
}

// parse reads an answer; into may be nil. What is no GraphQL comes from a node that was cut off.
func parse(content []byte, into any) error {
	var answer struct {
		Data   json.RawMessage
		Errors []*refusal
	}
	if json.Unmarshal(content, &answer) != nil {
		return errUnanswered
	}
	if len(answer.Errors) > 0 {
		return answer.Errors[0]
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer.Data, into)
}

// until calls, the same each time, until there is an answer that another try would not change.
func (d *device) until(ctx context.Context, query string, variables map[string]any, into any) error {
	for {
		err := d.once(ctx, d.world.CallTimeout, query, variables, into)
		var r *refusal
		refused := errors.As(err, &r)
		if refused && d.world.Certain && r.code() == "OUTCOME_UNKNOWN" {
			d.world.problem("a call of %s was refused, and whether it had an effect was left open: %v", d.id, r)
		}
		again := errors.Is(err, errUnanswered) || refused && r.passing()
		if !again || !d.pause(ctx) {
			return err
		}
	}
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
