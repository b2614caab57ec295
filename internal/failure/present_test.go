package failure_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql/handler"

	"github.com/letterlock/letterlock/graph"
	"github.com/letterlock/letterlock/graph/generated"
	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/directory"
	"github.com/letterlock/letterlock/internal/failure"
	"github.com/letterlock/letterlock/internal/graphqlhttp"
	"github.com/letterlock/letterlock/internal/guard"
	"github.com/letterlock/letterlock/internal/problem"
)

const secret = "hunter2"

// faulty is a directory that fails as its test says.
type faulty struct {
	graph.Directory
	fail func() error
}

func (f faulty) User(context.Context, identity.UserID, uint32) (*directory.User, error) {
	return nil, f.fail()
}

func (f faulty) Register(context.Context, []byte, []byte, string, string, []string) (*directory.User, directory.Device, error) {
	return nil, directory.Device{}, f.fail()
}

type shown struct {
	Errors []struct {
		Message    string
		Path       []any
		Extensions map[string]any
	}
}

// ask runs an operation against a directory that fails, and gives what the caller and the log see.
func ask(t *testing.T, query string, fail func() error) (shown, string) {
	t.Helper()
	var log bytes.Buffer
	present := failure.NewPresenter(slog.New(slog.NewTextHandler(&log, nil)), func() time.Time { return time.Unix(1_767_323_045, 0) })
	gql := handler.New(generated.NewExecutableSchema(generated.Config{Resolvers: &graph.Resolver{Directory: faulty{fail: fail}}}))
	gql.AddTransport(&graphqlhttp.Post{
		Guard:   guard.New(guard.Options{MaxBytes: 10_000, MaxDepth: 20, MaxCost: 1000}),
		Present: present, MaxBytes: 1 << 20, Timeout: time.Minute,
	})
	gql.SetErrorPresenter(present.Present)
	gql.SetRecoverFunc(failure.Recover)
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		t.Fatal(err)
	}
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", bytes.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	recorder := httptest.NewRecorder()
	gql.ServeHTTP(recorder, request)
	var answer shown
	if err := json.Unmarshal(recorder.Body.Bytes(), &answer); err != nil || len(answer.Errors) != 1 {
		t.Fatalf("answer %s: %v", recorder.Body, err)
	}
	if strings.Contains(recorder.Body.String(), secret) {
		t.Errorf("the answer holds what it must not: %s", recorder.Body)
	}
	return answer, log.String()
}

const (
	question = `{ user(id: "uaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa") { id } }`
	change   = `mutation { registerKey(input: {userKey: "", deviceList: ""}) { user { id } } }`
)

func TestDefectIsToldByRequestID(t *testing.T) {
	var nothing *directory.User
	for name, c := range map[string]struct {
		query  string
		fail   func() error
		stored string
	}{
		"error":             {question, func() error { return errors.New("connect as " + secret) }, "NO"},
		"error in mutation": {change, func() error { return errors.New("connect as " + secret) }, "UNKNOWN"},
		"panic":             {question, func() error { panic(secret) }, "NO"},
		"panic in mutation": {change, func() error { panic(errors.New(secret)) }, "UNKNOWN"},
		"nil pointer":       {change, func() error { return errors.New(nothing.ID.String()) }, "UNKNOWN"},
		"damaged":           {question, func() error { return problem.Wrap(problem.Internal, secret, errors.New(secret)) }, "NO"},
	} {
		t.Run(name, func(t *testing.T) {
			answer, log := ask(t, c.query, c.fail)
			e := answer.Errors[0].Extensions
			id, _ := e["requestId"].(string)
			if e["code"] != "INTERNAL" || e["stored"] != c.stored || len(id) < 10 || !strings.Contains(log, "requestId="+id) {
				t.Errorf("answer %+v, log %s", answer, log)
			}
			if strings.HasPrefix(name, "panic") && strings.Contains(log, secret) {
				t.Errorf("the log holds a panic's value: %s", log)
			}
			if strings.Contains(name, "panic") && !strings.Contains(log, "present_test.go") {
				t.Errorf("the log does not say where: %s", log)
			}
		})
	}
}

func TestProblemIsToldWhole(t *testing.T) {
	told := &problem.Error{
		Code: problem.OutcomeUnknown, Message: "Repeat it.", Stored: problem.Unknown, RetryAfter: 1500 * time.Millisecond,
		Cause: fmt.Errorf("the connection as %s is gone", secret),
	}
	answer, log := ask(t, change, func() error { return fmt.Errorf("wrapped: %w", told) })
	e := answer.Errors[0]
	if e.Message != "Repeat it." || e.Extensions["code"] != "OUTCOME_UNKNOWN" || e.Extensions["stored"] != "UNKNOWN" ||
		e.Extensions["retryAfterMs"] != 1500.0 || len(e.Path) != 1 || e.Path[0] != "registerKey" {
		t.Errorf("%+v", e)
	}
	if !strings.Contains(log, "the connection") {
		t.Errorf("the operator is not told: %s", log)
	}
	answer, _ = ask(t, question, func() error { return problem.New(problem.Unauthenticated, "No.") })
	if at := answer.Errors[0].Extensions["serverTime"]; at != "2026-01-02T03:04:05.000000Z" {
		t.Errorf("serverTime %v", at)
	}
}

func TestTimeoutCanBeTriedAgain(t *testing.T) {
	answer, _ := ask(t, change, func() error { return fmt.Errorf("%s: %w", secret, context.DeadlineExceeded) })
	e := answer.Errors[0].Extensions
	if e["code"] != "OUTCOME_UNKNOWN" || e["stored"] != "UNKNOWN" || e["retryAfterMs"] == nil {
		t.Errorf("%+v", e)
	}
	answer, _ = ask(t, question, func() error { return context.DeadlineExceeded })
	if e := answer.Errors[0].Extensions; e["code"] != "STORE_UNAVAILABLE" || e["stored"] != "NO" {
		t.Errorf("%+v", e)
	}
}

// Anybody can hang up as often as they like; what a store does to callers who wait is the operator's business.
func TestWhoHangsUpIsNotLogged(t *testing.T) {
	for cause, logged := range map[error]bool{context.Canceled: false, context.DeadlineExceeded: true} {
		told := problem.Wrap(problem.StoreUnavailable, "Try again.", fmt.Errorf("look up a device: %w", cause))
		if _, log := ask(t, question, func() error { return told }); (log != "") != logged {
			t.Errorf("%v is logged as %q", cause, log)
		}
	}
}

// While a store is away every request fails for the same reason: the operator reads it, how many were left out, and what else there is.
func TestFailuresDoNotFillTheLog(t *testing.T) {
	var log bytes.Buffer
	present := failure.NewPresenter(slog.New(slog.NewTextHandler(&log, nil)), time.Now)
	away := problem.Wrap(problem.StoreUnavailable, "Try again.", errors.New("the store is away"))
	for range 10_000 {
		_ = present.Telling(func(string) {}).Present(t.Context(), away)
	}
	if n := strings.Count(log.String(), "the store is away"); n < 1 || n > 1000 {
		t.Errorf("%d lines were logged", n)
	}
	began := len(log.String())
	for len(log.String()) == began { // until there is room for another line
		_ = present.Present(t.Context(), away)
	}
	if !strings.Contains(log.String()[began:], "untold=") {
		t.Errorf("nobody knows that there were more: %s", log.String()[began:])
	}
}
