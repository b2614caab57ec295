package graph

import (
	"context"
	"encoding/json"

	"github.com/99designs/gqlgen/graphql"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/letterlock/letterlock/internal/caller"
	"github.com/letterlock/letterlock/internal/shortcut"
)

const (
	// cachedPlans is how many documents are known. Clients send the same few again and again.
	cachedPlans = 250
	// maxLearnt bounds the text of a document that is kept.
	maxLearnt = 4 << 10
)

// Answers answers sendMessage, sendMessages and acknowledgeMessages, which are most of what a server is asked, without the
// executor. It learns a document from the executor's side, once that has been found valid; from then on it reads the variable
// and writes the payload by itself. Input that is not plainly good it leaves to the executor, so that all refusals of input
// come from one place.
type Answers struct {
	resolver *Resolver
	recover  graphql.RecoverFunc
	plans    *lru.Cache[request, *mutationPlan]
}

var _ shortcut.Answerer = (*Answers)(nil)

// request is what a plan is found by.
type request struct{ document, operation string }

// NewAnswers makes Answers that know no document yet.
func NewAnswers(resolver *Resolver, recovering graphql.RecoverFunc) *Answers {
	plans, err := lru.New[request, *mutationPlan](cachedPlans)
	if err != nil {
		panic(err) // the size is positive
	}
	return &Answers{resolver: resolver, recover: recovering, plans: plans}
}

// Learn remembers how to answer an operation that is valid and may run, if that can be done here.
func (a *Answers) Learn(op *graphql.OperationContext) {
	if op.Operation.Operation != ast.Mutation || len(op.RawQuery) > maxLearnt {
		return
	}
	key := request{op.RawQuery, op.OperationName}
	if a.plans.Contains(key) {
		return
	}
	if plan, ok := mutationPlanOf(op); ok {
		a.plans.Add(key, plan)
	}
}

// Answer answers a request whose document is known, of a caller who is: all others count against their address before anything is done
// for them, which the executor's side sees to.
func (a *Answers) Answer(ctx context.Context, params *graphql.RawParams, buf []byte) (out []byte, refused *gqlerror.Error, ok bool) {
	plan, known := a.plans.Get(request{params.Query, params.OperationName})
	if !known || len(params.Variables) != 1 || ctx.Err() != nil || !caller.From(ctx).Known() {
		return buf, nil, false
	}
	defer func() {
		if fault := recover(); fault != nil {
			ctx := plan.context(ctx, a)
			out, refused = a.refuse(ctx, a.recover(ctx, fault), buf)
			ok = true
		}
	}()
	out, ok, err := plan.answer(ctx, a.resolver, params.Variables[plan.variable], buf)
	if err != nil {
		ctx := plan.context(ctx, a)
		out, refused = a.refuse(ctx, graphql.AddFieldLocationToError(ctx, err), buf)
	}
	return out, refused, ok
}

// refuse appends the response of a mutation that has failed. ctx is the field's.
func (a *Answers) refuse(ctx context.Context, err error, buf []byte) ([]byte, *gqlerror.Error) {
	graphql.AddError(ctx, err)
	response := graphql.Response{Errors: graphql.GetErrors(ctx), Data: json.RawMessage("null")}
	text, err := json.Marshal(response)
	if err != nil {
		panic(err) // Errors are strings, numbers and paths: this cannot happen.
	}
	return append(buf, text...), response.Errors[0]
}

// context is ctx with what presenting an error of the field asks for. It is made for those that fail alone.
func (p *mutationPlan) context(ctx context.Context, a *Answers) context.Context {
	ctx = graphql.WithOperationContext(ctx, &graphql.OperationContext{
		Operation: &ast.OperationDefinition{Operation: ast.Mutation}, RecoverFunc: a.recover,
	})
	ctx = graphql.WithResponseContext(ctx, a.resolver.Present, a.recover)
	return graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: "Mutation", Field: graphql.CollectedField{Field: &p.field}})
}
