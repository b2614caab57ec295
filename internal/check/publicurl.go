package check

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/server"
)

// maxAnswer bounds what is read of an answer.
const maxAnswer = 64 << 10

// question is what is asked of the server behind a public URL.
const question = `{ server { version origins time } }`

type serverInfo struct {
	Version string
	Origins []string
	Time    time.Time
}

// publicURL asks the server by the name that clients use. Nobody there is no failure: it may not have been started yet.
func (r *Report) publicURL(ctx context.Context, client *http.Client, text string, config server.Config) {
	about := "public URL"
	origin, err := identity.Origin(text)
	if err != nil {
		return // the settings say so
	}
	info, err := ask(ctx, client, origin)
	switch {
	case err != nil:
		r.add(about, Warn, "%s does not answer as a Letterlock server: %v. If the server runs: look at the name's address, the proxy and its certificate", origin, err)
	case !slices.Contains(info.Origins, origin):
		r.add(about, Fail, "%s leads to a server that goes by %s: tokens for it are refused. Set LETTERLOCK_PUBLIC_URL there and here to the same",
			origin, strings.Join(info.Origins, ", "))
	default:
		r.add(about, OK, "%s answers, release %s", origin, info.Version)
		now := time.Now
		if config.Now != nil {
			now = config.Now
		}
		r.apart("clock", "that of "+origin, info.Time, now())
	}
}

func ask(ctx context.Context, client *http.Client, origin string) (info serverInfo, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	body, err := json.Marshal(map[string]string{"query": question})
	if err != nil {
		return info, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, origin+"/graphql", bytes.NewReader(body))
	if err != nil {
		return info, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	var failed *url.Error
	if errors.As(err, &failed) {
		err = failed.Err
	}
	if err != nil {
		return info, err
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	if response.StatusCode != http.StatusOK {
		return info, fmt.Errorf("HTTP status %d", response.StatusCode)
	}
	var answer struct{ Data struct{ Server serverInfo } }
	if json.NewDecoder(io.LimitReader(response.Body, maxAnswer)).Decode(&answer) != nil || len(answer.Data.Server.Origins) == 0 {
		return info, errors.New("the answer is not one of a Letterlock server, or its operator allows other operations alone")
	}
	return answer.Data.Server, nil
}
