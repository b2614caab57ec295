package load

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

// Node is a server, and a client for what is asked of it now and then.
type Node struct {
	URL    string // of the server, like http://127.0.0.1:8080
	origin string // what tokens name
	client *http.Client
}

// NewNode makes a Node. Close lets its connections go.
func NewNode(url string) (*Node, error) {
	origin, err := identity.Origin(url)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{MaxIdleConns: registering, MaxIdleConnsPerHost: registering}
	return &Node{URL: url, origin: origin, client: &http.Client{Transport: transport, Timeout: time.Minute}}, nil
}

// KnownAs gives the same server as one that tokens are to name otherwise: it is told the URL that clients know it by.
func (n *Node) KnownAs(origin string) *Node {
	return &Node{URL: n.URL, origin: origin, client: n.client}
}

// Close closes connections that nobody uses.
func (n *Node) Close() { n.client.CloseIdleConnections() }

type reply struct {
	Data   json.RawMessage `json:"data"`
	Errors []struct {
		Message    string         `json:"message"`
		Extensions map[string]any `json:"extensions"`
	} `json:"errors"`
}

// Query runs an operation and decodes its data; any GraphQL error is an error. p may be nil.
func (n *Node) Query(ctx context.Context, p *Person, query string, variables, into any) error {
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, n.URL+"/graphql", bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	if p != nil {
		token, err := p.token(n)
		if err != nil {
			return err
		}
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := n.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, longestMessage))
	if err != nil {
		return err
	}
	return parseReply(answer, into)
}

// CodeError is a GraphQL error.
type CodeError struct{ Code, Message string }

func (e *CodeError) Error() string { return fmt.Sprintf("%s (%s)", e.Message, e.Code) }

// Passing tells of an error after which the same call is made again.
func (e *CodeError) Passing() bool {
	switch e.Code {
	case "STORE_UNAVAILABLE", "OUTCOME_UNKNOWN", "OVERLOADED", "RATE_LIMITED":
		return true
	}
	return false
}

// parseReply decodes the data of an answer; any error in it is an error.
func parseReply(answer []byte, into any) error {
	var r reply
	if err := json.Unmarshal(answer, &r); err != nil {
		return fmt.Errorf("an answer that is no GraphQL: %q", answer[:min(len(answer), 200)])
	}
	if len(r.Errors) > 0 {
		code, _ := r.Errors[0].Extensions["code"].(string)
		return &CodeError{Code: code, Message: r.Errors[0].Message}
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(r.Data, into)
}

// Knows reports whether a node has a mutation.
func (n *Node) Knows(ctx context.Context, mutation string) (bool, error) {
	var schema struct {
		Type struct {
			Fields []struct{ Name string }
		} `json:"__type"`
	}
	if err := n.Query(ctx, nil, `{ __type(name: "Mutation") { fields { name } } }`, nil, &schema); err != nil {
		return false, err
	}
	for _, field := range schema.Type.Fields {
		if field.Name == mutation {
			return true, nil
		}
	}
	return false, nil
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
