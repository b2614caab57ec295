package graphqlhttp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/99designs/gqlgen/graphql"

	"github.com/letterlock/letterlock/internal/guard"
	"github.com/letterlock/letterlock/internal/persisted"
	"github.com/letterlock/letterlock/internal/problem"
	"github.com/letterlock/letterlock/internal/requestjson"
)

// maxDrained bounds what is read of a body that is too long.
const maxDrained = 16 << 20

// refusal is a request that never becomes a GraphQL operation, with the status that it is answered by.
type refusal struct {
	status int
	err    error
}

func refused(status int, code problem.Code, message string) *refusal {
	return &refusal{status: status, err: problem.New(code, message)}
}

// readBody reads a request's body into buffer, up to limit bytes.
func readBody(buffer *bytes.Buffer, w http.ResponseWriter, r *http.Request, limit int64) *refusal {
	if r.ContentLength > limit {
		drain(r)
		return tooLarge(limit)
	}
	_, err := buffer.ReadFrom(http.MaxBytesReader(w, r.Body, limit))
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		drain(r)
		return tooLarge(limit)
	case err != nil:
		return refused(http.StatusBadRequest, problem.BadInput, "The request body did not arrive whole. Send it again.")
	default:
		return nil
	}
}

// drain throws away what is still coming, within reason: most clients look for an answer when they have sent all. Who asked
// before sending gets it at once.
func drain(r *http.Request) {
	if r.Header.Get("Expect") == "" {
		_, _ = io.CopyN(io.Discard, r.Body, maxDrained)
	}
}

func tooLarge(limit int64) *refusal {
	return refused(http.StatusRequestEntityTooLarge, problem.RequestTooLarge,
		fmt.Sprintf("The request body is longer than %d bytes. Send less at once; `server { limits { maxRequestBytes } }` tells the limit.", limit))
}

// decode reads the parameters of a GraphQL request. Nothing of the body comes back in a message or in a log.
func decode(body []byte, params *graphql.RawParams) *refusal {
	if trimmed := bytes.TrimLeft(body, " \t\r\n"); len(trimmed) == 0 || trimmed[0] != '{' {
		return badBody("The request body must be one JSON object with `query`, and where needed `variables` and `operationName`.")
	}
	if guard.Scattered(body) {
		return refused(http.StatusRequestEntityTooLarge, problem.RequestTooLarge,
			"The request body holds too many values. Send less at once.")
	}
	if fast := *params; requestjson.Request(body, &fast) && (fast.Query != "" || persisted.ID(&fast) != "") {
		*params = fast
		return nil
	}
	return explain(body, params)
}

// explain says what is wrong with a body in which requestjson finds no request. What encoding/json takes all the same, such as "Query"
// for "query", it takes as well.
func explain(body []byte, params *graphql.RawParams) *refusal {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(params); err != nil {
		return badBody(whyUndecodable(err))
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return badBody("The request body must be one JSON object and nothing behind it.")
	}
	if params.Query == "" && persisted.ID(params) == "" {
		return badBody("The request body has no `query`: put the GraphQL document there.")
	}
	return nil
}

func badBody(message string) *refusal {
	return refused(http.StatusBadRequest, problem.BadInput, message)
}

func whyUndecodable(err error) string {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Sprintf("The request body is not JSON: it breaks off or goes wrong at byte %d.", syntax.Offset)
	case errors.As(err, &kind):
		return "In the request body, `query` and `operationName` must be strings, `variables` and `extensions` objects."
	default:
		return "The request body is not complete JSON."
	}
}
