// Package failure says how failures look from outside: a message for people, and in the extensions a code for programs and
// whether anything was stored. What is not meant for callers goes to the operator's log alone.
package failure

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/letterlock/letterlock/graph/scalar"
	"github.com/letterlock/letterlock/internal/problem"
)

// Presenter turns errors into what a response shows.
type Presenter struct {
	log       *slog.Logger
	complaint *complaint
	now       func() time.Time
	// told gets the code of each error.
	told func(code string)
	// silent leaves out what a document may have meant.
	silent bool
}

// NewPresenter makes a Presenter that logs to log what callers must not see.
func NewPresenter(log *slog.Logger, now func() time.Time) *Presenter {
	return &Presenter{log: log, complaint: newComplaint(log), now: now, told: func(string) {}}
}

// Telling gives a Presenter that also tells the code of each error that it presents. told is called by several goroutines.
func (p *Presenter) Telling(told func(code string)) *Presenter {
	return &Presenter{log: p.log, complaint: p.complaint, now: p.now, told: told, silent: p.silent}
}

// WithoutSuggestions gives a Presenter that does not tell of names like one that is wrong.
func (p *Presenter) WithoutSuggestions() *Presenter {
	return &Presenter{log: p.log, complaint: p.complaint, now: p.now, told: p.told, silent: true}
}

// Present is gqlgen's ErrorPresenterFunc: every error of a response passes it.
func (p *Presenter) Present(ctx context.Context, err error) *gqlerror.Error {
	shown := &gqlerror.Error{}
	var located *gqlerror.Error
	if errors.As(err, &located) {
		shown.Path, shown.Locations = located.Path, located.Locations
	}
	if shown.Path == nil {
		shown.Path = graphql.GetPath(ctx)
	}
	cause := p.problem(ctx, err, located)
	p.told(string(cause.Code))
	shown.Message = cause.Message
	p.placeInput(ctx, shown)
	shown.Extensions = p.extensions(cause)
	if cause.Code == problem.Internal {
		shown.Extensions["requestId"] = p.report(ctx, err)
	} else if cause.Cause != nil {
		p.complaint.of(ctx, cause)
	}
	return shown
}

// problem finds what to tell the caller about err.
func (p *Presenter) problem(ctx context.Context, err error, located *gqlerror.Error) *problem.Error {
	var known *problem.Error
	switch {
	case errors.As(err, &known) && known.Code != problem.Internal:
		return known
	case located != nil && located.Err == nil && located.Extensions["code"] != nil:
		return p.ofDocument(located)
	case known == nil && located != nil && beyondField(ctx, located.Path) > 0:
		return problem.New(problem.BadInput, "has a value that the schema does not allow there.") // of an enum, in the wrong case
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return unanswered(storedAfterDefect(ctx))
	}
	defect := &problem.Error{
		Code: problem.Internal, Stored: storedAfterDefect(ctx),
		Message: "The server has a defect here. Its operator finds the details in the log, under the request id.",
	}
	if known != nil {
		defect.Stored = known.Stored
	}
	return defect
}

// unanswered is an operation that its time ran out on.
func unanswered(stored problem.Stored) *problem.Error {
	e := &problem.Error{
		Code: problem.StoreUnavailable, Stored: stored, RetryAfter: time.Second,
		Message: "The request was not answered in time. Try again.",
	}
	if stored == problem.Unknown {
		e.Code = problem.OutcomeUnknown
		e.Message = "The request was not answered in time, but may have been carried out. Repeat it, with the same message id."
	}
	return e
}

// storedAfterDefect is what can be said of the store when an operation failed in a way that nobody foresaw.
func storedAfterDefect(ctx context.Context) problem.Stored {
	if !graphql.HasOperationContext(ctx) {
		return problem.No
	}
	if op := graphql.GetOperationContext(ctx).Operation; op != nil && op.Operation == ast.Mutation {
		return problem.Unknown
	}
	return problem.No
}

func (p *Presenter) extensions(e *problem.Error) map[string]any {
	ext := map[string]any{"code": string(e.Code), "stored": string(e.Stored)}
	if e.Stored == "" {
		ext["stored"] = string(problem.No)
	}
	if e.RetryAfter > 0 {
		ext["retryAfterMs"] = e.RetryAfter.Milliseconds()
	}
	if e.Code == problem.Unauthenticated {
		ext["serverTime"] = scalar.FormatTime(p.now())
	}
	return ext
}

// placeInput moves the place of a refused argument from the path, which is for the response's fields, into the message.
func (p *Presenter) placeInput(ctx context.Context, shown *gqlerror.Error) {
	if len(shown.Path) > 0 && shown.Path[0] == ast.PathName("variable") {
		shown.Message = "$" + shorten(shown.Path[1:].String()) + " " + shown.Message
		shown.Path = nil
		return
	}
	if own := beyondField(ctx, shown.Path); own > 0 {
		shown.Message = shorten(shown.Path[own:].String()) + " " + shown.Message
		shown.Path = shown.Path[:own:own]
	}
}

// beyondField gives where in a path the arguments of the field begin that is being resolved, 0 if the path is the field's.
func beyondField(ctx context.Context, path ast.Path) int {
	field := graphql.GetFieldContext(ctx)
	if field == nil {
		return 0
	}
	if own := len(field.Path()); len(path) > own {
		return own
	}
	return 0
}
