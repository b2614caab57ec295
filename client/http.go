package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/Khan/genqlient/graphql"
)

const (
	// maxResponse bounds an answer: a page of a hundred of the longest messages is below 9 MiB.
	maxResponse = 12 << 20
	// maxValues bounds how many values an answer lists, by its commas: a page has a hundred of anything, with a dozen members each. Read
	// into what they are for, values of three bytes take a hundred times as many.
	maxValues = 50_000
	// requestTimeout bounds one request with its answer.
	requestTimeout = 20 * time.Second
	// maxMessage bounds what is kept of the server's text.
	maxMessage = 500
	// maxRetryAfter bounds how long the server may have us wait.
	maxRetryAfter = time.Minute
)

// transport is genqlient's Client over HTTP POST, for a server that is not trusted: bounded in time and size. token is
// nil for requests that carry none.
type transport struct {
	endpoint string
	http     *http.Client
	token    func(context.Context) (string, error)
}

var _ graphql.Client = (*transport)(nil)

// MakeRequest sends one operation. It fails with a ServerError, an unreachableError, ErrResponse or what token fails with.
func (t *transport) MakeRequest(ctx context.Context, operation *graphql.Request, response *graphql.Response) error {
	body, err := json.Marshal(operation)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, t.endpoint, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/graphql-response+json, application/json;q=0.9")
	if t.token != nil {
		token, err := t.token(ctx)
		if err != nil {
			return err
		}
		request.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := t.http.Do(request)
	if err != nil {
		return &unreachableError{withoutURL(err)}
	}
	defer func() { _ = answer.Body.Close() }() // Only read from.
	return readAnswer(answer, response.Data)
}

// withoutURL drops what net/http writes around the reason.
func withoutURL(err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		return inner
	}
	return err
}

func readAnswer(answer *http.Response, data any) error {
	if kind, _, err := mime.ParseMediaType(answer.Header.Get("Content-Type")); err != nil || !strings.HasSuffix(kind, "json") {
		return notOurs(answer, "it is not JSON")
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxResponse+1))
	if err != nil {
		return &unreachableError{err}
	}
	if len(body) > maxResponse {
		return fmt.Errorf("%w: it is longer than %d bytes", ErrResponse, maxResponse)
	}
	if bytes.Count(body, []byte{','}) > maxValues {
		return fmt.Errorf("%w: it lists more than %d values", ErrResponse, maxValues)
	}
	if !utf8.Valid(body) {
		return notOurs(answer, "it is not UTF-8")
	}
	return readPayload(body, data)
}

// notOurs is an answer of something else: a proxy whose server is away, or another program at this address.
func notOurs(answer *http.Response, why string) error {
	err := fmt.Errorf("%w: HTTP status %d, and %s", ErrResponse, answer.StatusCode, why)
	if answer.StatusCode >= http.StatusInternalServerError || answer.StatusCode == http.StatusTooManyRequests {
		return &unreachableError{err}
	}
	return err
}

// payload is a GraphQL response.
type payload struct {
	Data   json.RawMessage `json:"data"`
	Errors []struct {
		Message    string `json:"message"`
		Extensions struct {
			Code         string    `json:"code"`
			Stored       string    `json:"stored"`
			RetryAfterMs int64     `json:"retryAfterMs"`
			ServerTime   time.Time `json:"serverTime"`
		} `json:"extensions"`
	} `json:"errors"`
}

// readPayload reads a GraphQL response into data, or gives its first error.
func readPayload(body []byte, data any) error {
	var response payload
	if err := json.Unmarshal(body, &response); err != nil {
		return fmt.Errorf("%w: it is no GraphQL response", ErrResponse)
	}
	if len(response.Errors) > 0 {
		first := response.Errors[0]
		extensions := first.Extensions
		return &ServerError{
			Code: shorten(extensions.Code), Message: shorten(first.Message), Stored: shorten(extensions.Stored),
			RetryAfter: boundedMilliseconds(extensions.RetryAfterMs), serverTime: extensions.ServerTime,
		}
	}
	if len(response.Data) == 0 || string(response.Data) == "null" {
		return fmt.Errorf("%w: it has no data", ErrResponse)
	}
	if err := json.Unmarshal(response.Data, data); err != nil {
		return fmt.Errorf("%w: %s", ErrResponse, shorten(err.Error())) // it may quote a value as long as the answer
	}
	return nil
}

func shorten(text string) string {
	if len(text) <= maxMessage {
		return text
	}
	return strings.ToValidUTF8(text[:maxMessage], "")
}

func boundedMilliseconds(n int64) time.Duration {
	return min(max(0, time.Duration(min(n, maxRetryAfter.Milliseconds()))*time.Millisecond), maxRetryAfter)
}
