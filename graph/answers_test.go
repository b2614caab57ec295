package graph

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"
	"pgregory.net/rapid"

	"github.com/letterlock/letterlock/graph/generated"
	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/caller"
	"github.com/letterlock/letterlock/internal/directory"
	"github.com/letterlock/letterlock/internal/failure"
	"github.com/letterlock/letterlock/internal/mailbox"
	"github.com/letterlock/letterlock/internal/problem"
)

// scripted is mailboxes and a directory that say what the test says, and note what they were asked.
type scripted struct {
	Mailboxes
	caller.Directory
	asked    []any
	receipts []mailbox.Receipt
	done     mailbox.Acknowledgement
	refuse   error // of the directory
	fail     func() error
}

func (s *scripted) Send(_ context.Context, send mailbox.Send) (mailbox.Receipt, error) {
	s.asked = append(s.asked, send)
	if err := s.fail(); err != nil {
		return mailbox.Receipt{}, err
	}
	return s.receipts[0], nil
}

func (s *scripted) SendAll(_ context.Context, call mailbox.Call) ([]mailbox.Receipt, error) {
	s.asked = append(s.asked, call)
	if err := s.fail(); err != nil {
		return nil, err
	}
	return s.receipts, nil
}

func (s *scripted) Acknowledge(_ context.Context, device identity.DeviceID, upTo mailbox.Cursor) (mailbox.Acknowledgement, error) {
	s.asked = append(s.asked, device, upTo)
	return s.done, s.fail()
}

func (s *scripted) Remembered(string, []string) (identity.DeviceID, bool) {
	return identity.DeviceID{}, false
}

func (s *scripted) Listed(_ context.Context, id identity.DeviceID) (directory.Device, error) {
	s.asked = append(s.asked, id)
	return directory.Device{ID: id, User: identity.UserID{7}}, s.refuse
}

// duel has Answers and the executor do the same.
type duel struct {
	*scripted
	exec    *executor.Executor
	answers *Answers
	ctx     context.Context
}

// fataler is a test of either kind.
type fataler interface {
	Fatalf(format string, args ...any)
}

func newDuel() *duel {
	now := func() time.Time { return time.Unix(1_767_323_045, 0) }
	present := failure.NewPresenter(slog.New(slog.DiscardHandler), now).Present
	s := &scripted{receipts: make([]mailbox.Receipt, 1), fail: func() error { return nil }}
	resolver := &Resolver{Mailboxes: s, Present: present}
	d := &duel{
		scripted: s, answers: NewAnswers(resolver, failure.Recover),
		exec: executor.New(generated.NewExecutableSchema(generated.Config{Resolvers: resolver})),
		ctx:  caller.NewAuthenticator(s, nil, nil).WithDevice(context.Background(), identity.DeviceID{1, 2, 3}, netip.Addr{}),
	}
	d.exec.SetErrorPresenter(present)
	d.exec.SetRecoverFunc(failure.Recover)
	return d
}

// params are as a transport decodes them.
func (d *duel) params(document, operation string, variables map[string]any) *graphql.RawParams {
	text, err := json.Marshal(variables)
	if err != nil {
		panic(err)
	}
	p := &graphql.RawParams{Query: document, OperationName: operation}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&p.Variables); err != nil {
		panic(err)
	}
	return p
}

// learn has the executor take the document, and tells Answers. It reports whether the executor has taken it.
func (d *duel) learn(params *graphql.RawParams) error {
	op, errs := d.exec.CreateOperationContext(graphql.StartOperationTrace(d.ctx), params)
	if len(errs) > 0 {
		return errs
	}
	d.answers.Learn(op)
	return nil
}

// requestID is the one thing that two answers differ in.
var requestID = regexp.MustCompile(`"requestId":"[A-Z2-7]{16}"`)

// run gives what the executor answers.
func (d *duel) run(t fataler, params *graphql.RawParams) []byte {
	ctx := graphql.StartOperationTrace(d.ctx)
	op, errs := d.exec.CreateOperationContext(ctx, params)
	if len(errs) > 0 {
		t.Fatalf("the executor refuses what was answered: %v", errs)
	}
	next, ctx := d.exec.DispatchOperation(graphql.WithOperationContext(ctx, op), op)
	text, err := json.Marshal(next(ctx))
	if err != nil {
		t.Fatalf("%v", err)
	}
	return text
}

// compare has both answer and reports whether the executor was not needed.
func (d *duel) compare(t fataler, document, operation string, variables map[string]any) bool {
	d.asked = nil
	out, refused, ok := d.answers.Answer(d.ctx, d.params(document, operation, variables), []byte("> "))
	asked := d.asked
	d.asked = nil
	if !ok {
		if string(out) != "> " || refused != nil || asked != nil {
			t.Fatalf("what is left to the executor gave %s, %v, and asked %v", out, refused, asked)
		}
		return false
	}
	want := d.run(t, d.params(document, operation, variables))
	got := requestID.ReplaceAll(out, nil)
	if string(got) != "> "+string(requestID.ReplaceAll(want, nil)) {
		t.Fatalf("%s\n%v\nanswered: %s\nexecutor: %s", document, variables, got, want)
	}
	if !reflect.DeepEqual(asked, d.asked) {
		t.Fatalf("%s\n%v\nasked:    %+v\nexecutor: %+v", document, variables, asked, d.asked)
	}
	var told struct {
		Errors []struct{ Extensions map[string]any }
	}
	if err := json.Unmarshal(want, &told); err != nil {
		t.Fatalf("%s: %v", want, err)
	}
	if (refused != nil) != (len(told.Errors) > 0) || refused != nil && refused.Extensions["code"] != told.Errors[0].Extensions["code"] {
		t.Fatalf("refused is %v, told is %s", refused, want)
	}
	return true
}

// What the SDK, the playground and the benchmark send does not need the executor.
func TestUsualMutationsNeedNoExecutor(t *testing.T) {
	sdk, err := os.ReadFile("../client/operations.graphql")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		document, operation string
		variables           map[string]any
	}{
		{string(sdk), "SendMessage", map[string]any{"input": rapid.Custom(anySend).Example(1)}},
		{string(sdk), "AcknowledgeMessages", map[string]any{"upTo": "AAAAAAAAAAEAAAABAAAAAQ"}},
		{`mutation($input: SendMessageInput!) { sendMessage(input: $input) { messageId deliveries { status } } }`, "",
			map[string]any{"input": rapid.Custom(anySend).Example(2)}},
		{`mutation($input: SendMessagesInput!) { sendMessages(input: $input) { callId messages { messageId deliveries { status } } } }`, "",
			map[string]any{"input": rapid.Custom(anyCall).Example(3)}},
		{`mutation($upTo: Cursor!) { acknowledgeMessages(upTo: $upTo) { removedCount } }`, "", map[string]any{"upTo": "AAAAAAAAAAEAAAABAAAAAQ"}},
	} {
		d := newDuel()
		if d.compare(t, c.document, c.operation, c.variables) {
			t.Errorf("%s is answered before it is known to be valid", c.document)
		}
		if err := d.learn(d.params(c.document, c.operation, c.variables)); err != nil {
			t.Fatal(err)
		}
		if !d.compare(t, c.document, c.operation, c.variables) {
			t.Errorf("%s\n%s is left to the executor", c.document, c.operation)
		}
	}
}

func TestAnswersAreWhatTheExecutorAnswers(t *testing.T) {
	for range 10 { // times what one Check does
		rapid.Check(t, func(rt *rapid.T) {
			d := newDuel()
			m := anyMutation(rt)
			d.receipts = rapid.SliceOfN(rapid.Custom(anyReceipt), 1, 3).Draw(rt, "receipts")
			d.done = mailbox.Acknowledgement{UpTo: anyCursor(rt), Removed: rapid.IntRange(0, 1<<20).Draw(rt, "removed")}
			if err := d.learn(d.params(m.document, m.operation, m.variables)); err != nil {
				rt.Fatalf("%s\nis not valid: %v", m.document, err)
			}
			if !d.compare(rt, m.document, m.operation, m.variables) {
				rt.Fatalf("%s\nis left to the executor: %v", m.document, m.variables)
			}
			for range 5 {
				d.compare(rt, m.document, m.operation, spoil(rt, m.variables))
			}
		})
	}
}

// Whatever goes wrong once the mailboxes have been asked is told as the executor tells it.
func TestFailuresAreToldAsTheExecutorTellsThem(t *testing.T) {
	failures := map[string]func() error{
		"plain":    func() error { return errors.New("secret") },
		"panic":    func() error { panic("secret") },
		"runtime":  func() error { return []error{}[len(os.Args)] },
		"canceled": func() error { return fmt.Errorf("reading: %w", context.Canceled) },
		"deadline": func() error { return context.DeadlineExceeded },
		"wrapped":  func() error { return fmt.Errorf("so: %w", problem.New(problem.BadInput, "`x` is <bad> & \"odd\".")) },
		"unknown": func() error {
			return &problem.Error{Code: problem.OutcomeUnknown, Stored: problem.Unknown, RetryAfter: time.Second, Message: "?", Cause: errors.New("x")}
		},
	}
	for _, code := range generated.NewExecutableSchema(generated.Config{}).Schema().Types["ErrorCode"].EnumValues {
		failures[code.Name] = func() error { return problem.New(problem.Code(code.Name), "It is so.") }
	}
	rapid.Check(t, func(rt *rapid.T) {
		d := newDuel()
		m := anyMutation(rt)
		name := rapid.SampledFrom(slices.Sorted(maps.Keys(failures))).Draw(rt, "failure")
		switch {
		case rapid.Bool().Draw(rt, "the mailboxes fail"):
			d.fail = failures[name]
		case name == "panic" || name == "runtime":
			d.receipts = nil
		default:
			d.refuse = failures[name]()
		}
		if err := d.learn(d.params(m.document, m.operation, m.variables)); err != nil {
			rt.Fatal(err)
		}
		if !d.compare(rt, m.document, m.operation, m.variables) {
			rt.Fatalf("%s is left to the executor", m.document)
		}
	})
}

// The executor's side counts them against their address first.
func TestCallersWithoutATokenAreLeftToTheExecutor(t *testing.T) {
	d := newDuel()
	d.ctx = context.Background()
	document := `mutation($upTo: Cursor!) { acknowledgeMessages(upTo: $upTo) { removedCount } }`
	variables := map[string]any{"upTo": "AAAAAAAAAAEAAAABAAAAAQ"}
	if err := d.learn(d.params(document, "", variables)); err != nil {
		t.Fatal(err)
	}
	if d.compare(t, document, "", variables) {
		t.Error("it is answered")
	}
}

// A caller who has gone is not answered, and nothing is done.
func TestNothingIsDoneForACallerWhoHasGone(t *testing.T) {
	d := newDuel()
	document := `mutation($upTo: Cursor!) { acknowledgeMessages(upTo: $upTo) { removedCount } }`
	variables := map[string]any{"upTo": "AAAAAAAAAAEAAAABAAAAAQ"}
	if err := d.learn(d.params(document, "", variables)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(d.ctx)
	cancel()
	d.ctx = ctx
	if d.compare(t, document, "", variables) {
		t.Error("it is answered")
	}
}

func TestMutationsThatAreLeftToTheExecutor(t *testing.T) {
	cursor := map[string]any{"x": "AAAAAAAAAAEAAAABAAAAAQ"}
	for document, variables := range map[string]map[string]any{
		`{ server { version } }`: nil,
		`mutation { acknowledgeMessages(upTo: "AAAAAAAAAAEAAAABAAAAAQ") { removedCount } }`:                                          nil,
		`mutation($x: Cursor! = "a") { acknowledgeMessages(upTo: $x) { removedCount } }`:                                             cursor,
		`mutation($x: Cursor = "a") { acknowledgeMessages(upTo: $x) { removedCount } }`:                                              cursor,
		`mutation($x: Cursor!) { __typename acknowledgeMessages(upTo: $x) { removedCount } }`:                                        cursor,
		`mutation($x: Cursor!) { acknowledgeMessages(upTo: $x) { removedCount } a: acknowledgeMessages(upTo: $x) { removedCount } }`: cursor,
		`mutation($x: Cursor!) { acknowledgeMessages(upTo: $x) { ... @defer { removedCount } } }`:                                    cursor,
		`mutation($x: Cursor!) { ... @defer { acknowledgeMessages(upTo: $x) { removedCount } } }`:                                    cursor,
		`mutation($x: Cursor!) { acknowledgeMessages(upTo: $x) @skip(if: true) { removedCount } }`:                                   cursor,
		`mutation($x: Cursor!, $b: Boolean!) { acknowledgeMessages(upTo: $x) { removedCount @skip(if: $b) } }`:                       {"x": "", "b": true},
		`mutation($x: ID!) { claimPrekeys(userId: $x) { userId } }`:                                                                  {"x": "u"},
		`mutation($x: Cursor!) { acknowledgeMessages(upTo: $x) { ` + manyCounts(300) + ` } }`:                                        cursor,
		`mutation($x: Cursor!) { acknowledgeMessages(upTo: $x) { removedCount } } #` + strings.Repeat("x", maxLearnt):                cursor,
		`mutation($x: [RecipientInput!]!) { sendMessage(input: {messageId: "", recipients: $x}) { messageId } }`:                     {"x": []any{}},
	} {
		d := newDuel()
		if err := d.learn(d.params(document, "", variables)); err != nil {
			t.Errorf("%.200s\nis not valid: %v", document, err)
		}
		if d.answers.plans.Len() > 0 {
			t.Errorf("%.200s\nis answered", document)
		}
	}
}

func manyCounts(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "a%d:removedCount ", i)
	}
	return b.String()
}

// What validates and is answered is answered as the executor does it.
func FuzzAnswersAreWhatTheExecutorAnswers(f *testing.F) {
	for i, document := range []string{
		`mutation($x: SendMessageInput!) { sendMessage(input: $x) { messageId acceptedAt deliveries { deviceId status } } }`,
		`mutation M($x: SendMessageInput!) { a: sendMessage(input: $x) { ...F ... { deliveries { __typename } } } }
			fragment F on SendMessagePayload { id: messageId deliveries @include(if: true) { status } }`,
		`mutation($x: SendMessageInput!) { ... on Mutation { sendMessage(input: $x) { messageId @skip(if: true) } } }`,
	} {
		f.Add(document, asInput(rapid.Custom(anySend).Example(i)))
	}
	f.Add(`mutation($x: SendMessagesInput!) { sendMessages(input: $x) { callId acceptedAt messages { deliveries { status } } } }`, asInput(rapid.Custom(anyCall).Example(4)))
	f.Add(`mutation($x: Cursor!) { acknowledgeMessages(upTo: $x) { removedCount acknowledgedUpTo } }`, `{"x": "AAAAAAAAAAEAAAABAAAAAQ"}`)
	f.Fuzz(func(t *testing.T, document, text string) {
		var variables map[string]any
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.UseNumber()
		if decoder.Decode(&variables) != nil {
			return
		}
		d := newDuel()
		d.exec.SetParserTokenLimit(1000)
		d.receipts = []mailbox.Receipt{rapid.Custom(anyReceipt).Example(1), rapid.Custom(anyReceipt).Example(2)}
		if d.learn(d.params(document, "", variables)) == nil {
			d.compare(t, document, "", variables)
		}
	})
}

func asInput(input map[string]any) string {
	text, err := json.Marshal(map[string]any{"x": input})
	if err != nil {
		panic(err)
	}
	return string(text)
}

func BenchmarkAnswers(b *testing.B) {
	d := newDuel()
	d.receipts = []mailbox.Receipt{{MessageID: uuid.UUID{1}, AcceptedAt: time.Unix(1, 0), Deliveries: []mailbox.Delivery{{Stored: true}}}}
	params := d.params(`mutation($input: SendMessageInput!) { sendMessage(input: $input) { messageId deliveries { status } } }`, "", map[string]any{
		"input": map[string]any{"messageId": uuid.UUID{1}.String(), "recipients": []any{map[string]any{
			"userId": identity.UserID{1}.String(), "listVersion": 1, "envelopes": []any{map[string]any{
				"deviceId": identity.DeviceID{1}.String(), "kind": "SESSION", "ciphertext": strings.Repeat("A", 340),
			}},
		}}},
	})
	d.exec.SetQueryCache(graphql.MapCache[*ast.QueryDocument]{})
	if err := d.learn(params); err != nil {
		b.Fatal(err)
	}
	b.Run("answers", func(b *testing.B) {
		var buf []byte
		b.ReportAllocs()
		for b.Loop() {
			d.asked = d.asked[:0]
			out, _, ok := d.answers.Answer(d.ctx, params, buf[:0])
			if buf = out; !ok {
				b.Fatal("left to the executor")
			}
		}
	})
	b.Run("executor", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			d.asked = d.asked[:0]
			d.run(b, params)
		}
	})
}
