package graph

import (
	"context"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// mutationPlan is how to answer one document. It holds nothing of the parsed document, which is larger.
type mutationPlan struct {
	field    ast.Field // its name, its alias and where it stands: what errors tell
	variable string
	prefix   string // of the response, before the payload
	payload  *selection
}

// mutationPlanOf makes the plan of a mutation whose document is valid. ok is false for what only the executor can serve.
func mutationPlanOf(op *graphql.OperationContext) (p *mutationPlan, ok bool) {
	// gqlgen panics over a condition that has no value. No variable can be one here, and none is given.
	defer func() {
		if recover() != nil {
			p, ok = nil, false
		}
	}()
	bare := &graphql.OperationContext{Doc: op.Doc, Operation: op.Operation}
	fields := graphql.CollectFields(bare, op.Operation.SelectionSet, []string{"Mutation"})
	if len(fields) != 1 || len(fields[0].Deferrables) > 0 || fields[0].Position == nil || len(op.Operation.Directives) > 0 {
		return nil, false
	}
	field := fields[0]
	input, output := typesOf(field.Name)
	variable, ok := onlyVariable(op.Operation, field, input)
	if !ok {
		return nil, false
	}
	payload, ok := compileSelection(bare, field.Selections, output)
	if !ok {
		return nil, false
	}
	alias := strings.Clone(field.Alias) // It is a part of the document's text.
	return &mutationPlan{
		field: ast.Field{
			Alias: alias, Name: strings.Clone(field.Name),
			Position: &ast.Position{Line: field.Position.Line, Column: field.Position.Column},
		},
		variable: strings.Clone(variable), prefix: `{"data":{"` + alias + `":`, payload: payload,
	}, true
}

// typesOf gives the types of a mutation's argument and of its payload; none if it is not answered here.
func typesOf(mutation string) (input, output string) {
	switch mutation {
	case "sendMessage":
		return "SendMessageInput!", "SendMessagePayload"
	case "sendMessages":
		return "SendMessagesInput!", "SendMessagesPayload"
	case "acknowledgeMessages":
		return "Cursor!", "AcknowledgeMessagesPayload"
	default:
		return "", ""
	}
}

// onlyVariable gives the variable that is all of the field's input, if the operation has just that one.
func onlyVariable(op *ast.OperationDefinition, field graphql.CollectedField, input string) (string, bool) {
	if len(op.VariableDefinitions) != 1 || len(field.Arguments) != 1 {
		return "", false
	}
	variable, value := op.VariableDefinitions[0], field.Arguments[0].Value
	plain := variable.DefaultValue == nil && len(variable.Directives) == 0 && variable.Type.String() == input
	return variable.Variable, plain && value.Kind == ast.Variable && value.Raw == variable.Variable
}

// answer carries the mutation out. ok is false if value is not plainly good: nothing was done then.
func (p *mutationPlan) answer(ctx context.Context, r *Resolver, value any, buf []byte) (out []byte, ok bool, err error) {
	switch p.field.Name {
	case "sendMessage":
		return p.send(ctx, r, value, buf)
	case "sendMessages":
		return p.sendAll(ctx, r, value, buf)
	case "acknowledgeMessages":
		return p.acknowledge(ctx, r, value, buf)
	default:
		return buf, false, nil
	}
}

func (p *mutationPlan) send(ctx context.Context, r *Resolver, value any, buf []byte) (out []byte, ok bool, err error) {
	send, ok := readSend(value)
	if !ok {
		return buf, false, nil
	}
	device, err := calling(ctx)
	if err != nil {
		return buf, true, err
	}
	send.SenderUser, send.SenderDevice = device.User, device.ID
	receipt, err := r.Mailboxes.Send(ctx, send)
	if err != nil {
		return buf, true, err
	}
	return p.end(p.payload.appendReceipt(p.begin(buf), &receipt)), true, nil
}

func (p *mutationPlan) sendAll(ctx context.Context, r *Resolver, value any, buf []byte) (out []byte, ok bool, err error) {
	call, ok := readCall(value)
	if !ok {
		return buf, false, nil
	}
	device, err := calling(ctx)
	if err != nil {
		return buf, true, err
	}
	call.SenderUser, call.SenderDevice = device.User, device.ID
	receipts, err := r.Mailboxes.SendAll(ctx, call)
	if err != nil {
		return buf, true, err
	}
	return p.end(p.payload.appendCall(p.begin(buf), call.CallID, receipts[0].AcceptedAt, receipts)), true, nil
}

func (p *mutationPlan) acknowledge(ctx context.Context, r *Resolver, value any, buf []byte) (out []byte, ok bool, err error) {
	upTo, ok := readCursor(value)
	if !ok {
		return buf, false, nil
	}
	device, err := calling(ctx)
	if err != nil {
		return buf, true, err
	}
	done, err := r.Mailboxes.Acknowledge(ctx, device.ID, upTo)
	if err != nil {
		return buf, true, err
	}
	return p.end(p.payload.appendAcknowledgement(p.begin(buf), done)), true, nil
}

func (p *mutationPlan) begin(b []byte) []byte { return append(b, p.prefix...) }

func (p *mutationPlan) end(b []byte) []byte { return append(b, `}}`...) }
