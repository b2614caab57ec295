package cluster_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"github.com/letterlock/letterlock/internal/testserver"
)

// callTimeout is how long a client waits for an answer before it asks another node.
const callTimeout = 10 * time.Second

// client is one device, as a product has it: it knows several nodes and goes on with another one when one fails.
type client struct {
	cluster *cluster
	device  *testserver.Device
	random  *rand.Rand
	http    *http.Client
}

func (c *cluster) newClient(device *testserver.Device, n uint64) *client {
	return &client{
		cluster: c, device: device, random: rand.New(rand.NewPCG(c.seed, n)),
		http: &http.Client{Timeout: callTimeout},
	}
}

// node gives the address of some node that seems to run.
func (c *client) node(ctx context.Context) (string, error) {
	for ctx.Err() == nil {
		for _, i := range c.random.Perm(len(c.cluster.nodes)) {
			if address := c.cluster.nodes[i].at(); address != "" {
				return address, nil
			}
		}
		pause(ctx)
	}
	return "", ctx.Err()
}

// comeBack are the codes after which a client tries again, elsewhere.
var comeBack = []string{"STOPPING", "STORE_UNAVAILABLE", "OUTCOME_UNKNOWN", "OVERLOADED", "RATE_LIMITED"}

// call asks until it gets an answer, with the same words each time, and wherever a node runs. It fails only with an answer
// that another try would not change.
func (c *client) call(ctx context.Context, query string, variables map[string]any, into any) error {
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		return err
	}
	for {
		address, err := c.node(ctx)
		if err != nil {
			return err
		}
		answer, err := c.post(ctx, address, body)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil && len(answer.Errors) == 0:
			return json.Unmarshal(answer.Data, into)
		case err == nil && !slices.Contains(comeBack, answer.Code()):
			return fmt.Errorf("answered %s: %s", answer.Code(), answer.Errors[0].Message)
		}
		pause(ctx)
	}
}

func (c *client) post(ctx context.Context, address string, body []byte) (*testserver.Answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/graphql", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+c.device.Token(origin))
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	answer := &testserver.Answer{}
	return answer, json.Unmarshal(content, answer)
}

// pause keeps clients from asking in circles.
func pause(ctx context.Context) {
	select {
	case <-time.After(20 * time.Millisecond):
	case <-ctx.Done():
	}
}
