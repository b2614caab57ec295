package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/letterlock/letterlock/identity"
)

// api is the server's HTTP side.
type api struct {
	url    string // of /graphql
	origin string
	http   *http.Client
}

func newAPI(server string, connections int) (*api, error) {
	origin, err := identity.Origin(server)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{MaxIdleConns: connections, MaxIdleConnsPerHost: connections}
	return &api{url: origin + "/graphql", origin: origin, http: &http.Client{Transport: transport, Timeout: 30 * time.Second}}, nil
}

type reply struct {
	Data   json.RawMessage `json:"data"`
	Errors []struct {
		Message    string         `json:"message"`
		Extensions map[string]any `json:"extensions"`
	} `json:"errors"`
}

// call runs one operation; any GraphQL error is an error.
func (a *api) call(ctx context.Context, token, query string, variables, into any) error {
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		return err
	}
	header := http.Header{"Authorization": {"Bearer " + token}}
	return a.post(ctx, header, body, into)
}

// post sends a finished request body.
func (a *api) post(ctx context.Context, header http.Header, body []byte, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, a.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header = header
	request.Header.Set("Content-Type", "application/json")
	response, err := a.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return err
	}
	var r reply
	if err := json.Unmarshal(answer, &r); err != nil {
		return fmt.Errorf("HTTP %d: %w", response.StatusCode, err)
	}
	if len(r.Errors) > 0 {
		return fmt.Errorf("%s (%v)", r.Errors[0].Message, r.Errors[0].Extensions["code"])
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(r.Data, into)
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
