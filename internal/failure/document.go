package failure

import (
	"regexp"
	"strings"

	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/letterlock/letterlock/internal/problem"
)

// maxMessage bounds what of a request's own text comes back in a message.
const maxMessage = 240

// ofDocument names what gqlgen and gqlparser found wrong with a document or its variables.
func (p *Presenter) ofDocument(e *gqlerror.Error) *problem.Error {
	if p.silent {
		// gqlgen's own switch knows only of some of the rules that suggest.
		bare := *e
		bare.Message, _, _ = strings.Cut(e.Message, " Did you mean")
		e = &bare
	}
	switch {
	case strings.HasPrefix(e.Message, "exceeded token limit"):
		return problem.New(problem.RequestTooLarge, "The GraphQL document has too many tokens. Split it, and pass values as variables.")
	case len(e.Path) > 0 && e.Path[0] == ast.PathName("variable"):
		return problem.New(problem.BadInput, withoutValue(e.Message))
	case e.Extensions["code"] == errcode.ParseFailed:
		return problem.New(problem.ParseFailed, shorten(e.Message))
	default:
		return problem.New(problem.ValidationFailed, shorten(e.Message))
	}
}

// invalidEnum is the one message about a variable that repeats its value.
var invalidEnum = regexp.MustCompile(`(?s)^.* is not a valid (\w+)$`)

func withoutValue(message string) string {
	if m := invalidEnum.FindStringSubmatch(message); m != nil {
		return "is not a valid " + m[1]
	}
	return shorten(message)
}

// shorten cuts a message that quotes the request to a bounded length.
func shorten(message string) string {
	if len(message) <= maxMessage {
		return message
	}
	return strings.ToValidUTF8(message[:maxMessage], "") + "…"
}
