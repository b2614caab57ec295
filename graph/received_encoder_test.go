package graph

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"pgregory.net/rapid"

	"github.com/letterlock/letterlock/graph/generated"
	"github.com/letterlock/letterlock/graph/model"
	"github.com/letterlock/letterlock/internal/mailbox"
)

// oracle is gqlgen's executor over a subscription that delivers one message.
type oracle struct {
	*Resolver
	*executor.Executor
	deliver *mailbox.Message
	after   *string // what the resolver was called with
}

func newOracle() *oracle {
	o := &oracle{Resolver: &Resolver{}}
	o.Executor = executor.New(generated.NewExecutableSchema(generated.Config{Resolvers: o}))
	o.SetParserTokenLimit(2000)
	return o
}

// Subscription gives the resolver.
func (o *oracle) Subscription() generated.SubscriptionResolver { return o }

// MessageReceived delivers the message.
func (o *oracle) MessageReceived(_ context.Context, after *string) (<-chan *model.Message, error) {
	o.after = after
	messages := make(chan *model.Message, 1)
	messages <- messageModel(o.deliver)
	close(messages)
	return messages, nil
}

// prepare parses and validates an operation.
func (o *oracle) prepare(document string, variables map[string]any) (*graphql.OperationContext, gqlerror.List) {
	ctx := graphql.StartOperationTrace(context.Background())
	return o.CreateOperationContext(ctx, &graphql.RawParams{Query: document, Variables: variables})
}

// response is what a transport sends for m.
func (o *oracle) response(op *graphql.OperationContext, m *mailbox.Message) ([]byte, error) {
	o.deliver = m
	next, ctx := o.DispatchOperation(graphql.WithOperationContext(context.Background(), op), op)
	return json.Marshal(next(ctx))
}

// compare has both write messages and reports whether the operation could be compiled.
func (o *oracle) compare(t interface{ Fatalf(string, ...any) }, op *graphql.OperationContext, messages ...mailbox.Message) bool {
	p, ok := planOf(op)
	if !ok {
		return false
	}
	for i := range messages {
		want, err := o.response(op, &messages[i])
		if err != nil {
			t.Fatalf("%v", err)
		}
		if got := p.encoder.Value().append([]byte("> "), &messages[i]); string(got) != "> "+string(want) {
			t.Fatalf("%s\nencoder:  %s\nexecutor: %s", op.RawQuery, got, want)
		}
		if (p.after == nil) != (o.after == nil) || p.after != nil && *p.after != *o.after {
			t.Fatalf("%s\n`after` is read as %v, by the executor as %v", op.RawQuery, p.after, o.after)
		}
	}
	return true
}

// everything selects every field of Message.
func (o *oracle) everything() []string {
	fields := []string{"__typename"}
	for _, field := range generated.NewExecutableSchema(generated.Config{Resolvers: o}).Schema().Types["Message"].Fields {
		if !strings.HasPrefix(field.Name, "__") {
			fields = append(fields, field.Name)
		}
	}
	return fields
}

func TestEncoderWritesWhatTheExecutorWrites(t *testing.T) {
	o := newOracle()
	fields := o.everything()
	for range 25 { // times what one Check does
		rapid.Check(t, func(t *rapid.T) {
			d := newDocument(t, fields)
			document := d.write()
			op, errs := o.prepare(document, d.variables)
			if len(errs) > 0 {
				t.Fatalf("%s\nis not valid: %v", document, errs)
			}
			messages := rapid.SliceOfN(rapid.Custom(anyMessage), 1, 3).Draw(t, "messages")
			if !o.compare(t, op, messages...) {
				t.Fatalf("%s\nis left to the executor", document)
			}
		})
	}
}

// What validates is compiled to the same bytes, or left to the executor.
func FuzzEncoderWritesWhatTheExecutorWrites(f *testing.F) {
	for _, seed := range [][2]string{
		{`subscription { messageReceived { ` + strings.Join(newOracle().everything(), " ") + ` } }`, `{}`},
		{`subscription S($after: Cursor = "x", $no: Boolean = true) { m: messageReceived(after: $after) { a: id ... @skip(if: $no) { nonce } ...F } }
			fragment F on Message { a: id kind ... on Message @include(if: $no) { ciphertext } }`, `{"after": null, "no": false}`},
		{`subscription { ... on Subscription { messageReceived(after: null) { __typename } } messageReceived(after: null) { id } }`, `null`},
		{`subscription($no: Boolean = true) { messageReceived @skip(if: $no) { id } }`, `{"no": null}`},
		{`subscription { messageReceived { ... @defer(label: "x") { id } nonce } }`, ``},
		{`subscription { __typename messageReceived { id } }`, ``},
		{`subscription { messageReceived(after: 7) { id } }`, ``},
		{`subscription { messageReceived(after: {a: [1]}) { id } }`, ``},
	} {
		f.Add(seed[0], seed[1])
	}
	messages := []mailbox.Message{rapid.Custom(anyMessage).Example(1), rapid.Custom(anyMessage).Example(2)}
	f.Fuzz(func(t *testing.T, document, variables string) {
		var values map[string]any
		decoder := json.NewDecoder(strings.NewReader(variables))
		decoder.UseNumber()
		if variables != "" && decoder.Decode(&values) != nil {
			return
		}
		o := newOracle()
		if op, errs := o.prepare(document, values); len(errs) == 0 {
			o.compare(t, op, messages...)
		}
	})
}

// What the executor refuses, answers with an error or sends in parts is left to it.
func TestWhatIsLeftToTheExecutor(t *testing.T) {
	o := newOracle()
	for _, c := range []struct {
		document  string
		variables map[string]any
	}{
		{`{ server { version } }`, nil},
		{`mutation { acknowledgeMessages(upTo: "x") { removedCount } }`, nil},
		{`subscription { messageReceived @skip(if: true) { id } }`, nil},
		{`subscription { messageReceived { ... @defer { id } } }`, nil},
		{`subscription { ... @defer { messageReceived { id } } }`, nil},
		{`subscription { messageReceived(after: 7) { id } }`, nil},
		{`subscription { messageReceived(after: "` + strings.Repeat("x", 300) + `") { id } }`, nil},
		{`subscription($after: Cursor) { messageReceived(after: $after) { id } }`, map[string]any{"after": json.Number("7")}},
		{`subscription($no: Boolean = true) { messageReceived { id @skip(if: $no) } }`, map[string]any{"no": nil}},
		{`subscription { messageReceived { ` + many(3000) + ` } }`, nil},
	} {
		o.SetParserTokenLimit(20_000)
		op, errs := o.prepare(c.document, c.variables)
		if len(errs) > 0 {
			t.Errorf("%.100s\nis not valid: %v", c.document, errs)
		} else if _, ok := planOf(op); ok {
			t.Errorf("%.100s\nis compiled", c.document)
		}
	}
}

// many selects n long names.
func many(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "a_rather_long_alias_%d: id ", i)
	}
	return b.String()
}

// document is a random subscription that is valid.
type document struct {
	t *rapid.T
	// names are the keys that a response may have, each with the field behind it: a key means one field everywhere.
	names     map[string]string
	variables map[string]any
	declared  []string
	fragments []string
	depth     int
}

func newDocument(t *rapid.T, fields []string) *document {
	d := &document{t: t, names: make(map[string]string), variables: make(map[string]any)}
	for _, name := range append([]string{"a", "b", "_c9", "Z"}, fields...) {
		d.names[name] = rapid.SampledFrom(fields).Draw(t, "field")
		if slices.Contains(fields, name) && (rapid.IntRange(0, 4).Draw(t, "other") > 0 || name == "__typename") {
			d.names[name] = name
		}
	}
	return d
}

func (d *document) write() string {
	alias := d.pick("", "", "received: ", "id: ")
	after := d.after()
	roots := []string{"messageReceived"}
	root := func() string {
		return alias + d.pick(roots...) + after + d.condition(false) + d.selection()
	}
	body := root()
	for range d.number(0, 2) {
		switch d.number(0, 2) {
		case 0:
			body += " " + root()
		case 1:
			body = d.pick("... ", "... on Subscription ") + d.condition(false) + "{ " + body + " }"
		default:
			body = d.fragment("Subscription", body)
		}
	}
	head := "subscription"
	if len(d.declared) > 0 {
		head += " Op(" + strings.Join(d.declared, ", ") + ")"
	}
	return head + " { " + body + " } " + strings.Join(d.fragments, " ")
}

// selection is a selection set on Message.
func (d *document) selection() string { return " {" + d.selections() + " }" }

func (d *document) selections() string {
	d.depth++
	defer func() { d.depth-- }()
	var b strings.Builder
	for range d.number(1, 5) {
		b.WriteByte(' ')
		kind := d.number(0, 5)
		if d.depth > 4 {
			kind = 0
		}
		switch kind {
		case 3:
			b.WriteString(d.pick("...", "... on Message") + d.condition(true) + d.selection())
		case 4:
			b.WriteString(d.fragment("Message", d.selections()))
		case 5:
			b.WriteString(d.again())
		default:
			b.WriteString(d.field() + d.condition(true))
		}
	}
	return b.String()
}

func (d *document) field() string {
	name := rapid.SampledFrom(slices.Sorted(maps.Keys(d.names))).Draw(d.t, "name")
	if field := d.names[name]; field != name {
		return name + ": " + field
	}
	return name
}

// fragment defines a fragment and spreads it.
func (d *document) fragment(on, body string) string {
	name := fmt.Sprintf("%s%d", on, len(d.fragments))
	d.fragments = append(d.fragments, fmt.Sprintf("fragment %s on %s { %s }", name, on, body))
	return "..." + name + d.condition(on == "Message")
}

// again spreads a fragment that is spread somewhere else, too.
func (d *document) again() string {
	if n := len(d.fragments); n > 0 && strings.HasPrefix(d.fragments[n-1], "fragment Message") {
		return fmt.Sprintf("...Message%d", n-1) + d.condition(true)
	}
	return d.field()
}

// condition is @skip, @include, both or mostly nothing. Outside of Message it always lets pass.
func (d *document) condition(may bool) string {
	switch d.number(0, 7) {
	case 0:
		return " @skip(if: " + d.boolean(may, false) + ") "
	case 1:
		return " @include(if: " + d.boolean(may, true) + ") "
	case 2:
		return " @include(if: " + d.boolean(may, true) + ") @skip(if: " + d.boolean(may, false) + ") "
	default:
		return " "
	}
}

// boolean is a literal or a variable. It has the given value unless it may have any.
func (d *document) boolean(may, value bool) string {
	if may {
		value = rapid.Bool().Draw(d.t, "condition")
	}
	text := fmt.Sprint(value)
	name := fmt.Sprintf("v%d", len(d.declared))
	switch d.number(0, 2) {
	case 0:
		d.declared = append(d.declared, "$"+name+": Boolean!")
		d.variables[name] = value
		return "$" + name
	case 1:
		d.declared = append(d.declared, "$"+name+": Boolean = "+text)
		return "$" + name
	default:
		return text
	}
}

func (d *document) after() string {
	switch d.number(0, 5) {
	case 0:
		return `(after: "a cursor")`
	case 1:
		return `(after: null)`
	case 2:
		d.declared = append(d.declared, "$after: Cursor")
		if rapid.Bool().Draw(d.t, "given") {
			d.variables["after"] = rapid.SampledFrom([]any{"another", nil}).Draw(d.t, "after")
		}
		return "(after: $after)"
	case 3:
		d.declared = append(d.declared, `$after: Cursor = "by default"`)
		return "(after: $after)"
	default:
		return ""
	}
}

func (d *document) pick(from ...string) string { return rapid.SampledFrom(from).Draw(d.t, "choice") }

func (d *document) number(from, to int) int { return rapid.IntRange(from, to).Draw(d.t, "number") }

// anyMessage is a message that a mailbox may hold, and some that it may not.
func anyMessage(t *rapid.T) (m mailbox.Message) {
	m.ID = rapid.OneOf(rapid.Just(int64(math.MaxInt64)), rapid.Int64Range(1, math.MaxInt64)).Draw(t, "id")
	m.Number = m.ID & math.MaxUint32
	m.Cursor = anyCursor(t)
	copy(m.MessageID[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "message id"))
	copy(m.SenderUser[:], rapid.SliceOfN(rapid.Byte(), 20, 20).Draw(t, "user"))
	copy(m.SenderDevice[:], rapid.SliceOfN(rapid.Byte(), 20, 20).Draw(t, "device"))
	m.SenderListVersion = rapid.Uint32().Draw(t, "list version")
	m.SentAt = time.Unix(rapid.Int64Range(0, 1<<35).Draw(t, "second"), rapid.Int64Range(0, 999_999_999).Draw(t, "fraction"))
	switch rapid.IntRange(0, 2).Draw(t, "time") {
	case 0:
		m.SentAt = m.SentAt.Truncate(time.Second)
	case 1:
		m.SentAt = m.SentAt.In(time.FixedZone("elsewhere", 5*60*60))
	}
	m.Kind = rapid.SampledFrom([]mailbox.Kind{mailbox.Box, mailbox.Session, mailbox.SessionStart}).Draw(t, "kind")
	m.Ciphertext = rapid.SliceOfN(rapid.Byte(), 0, 80).Draw(t, "ciphertext")
	if m.Ciphertext == nil {
		m.Ciphertext = []byte{}
	}
	if rapid.Bool().Draw(t, "with a nonce") {
		m.Nonce = append([]byte{}, rapid.SliceOfN(rapid.Byte(), 0, 24).Draw(t, "nonce")...)
	}
	return m
}

// anyCursor is made from text: its fields are the mailbox's own.
func anyCursor(t *rapid.T) mailbox.Cursor {
	for {
		text := rapid.StringMatching(`[A-Za-z0-9_-]{21}[AQgw]`).Draw(t, "cursor")
		if cursor, err := mailbox.ParseCursor(text); err == nil {
			return cursor
		}
	}
}

const allFields = `subscription { messageReceived {
	id cursor messageId senderUserId senderDeviceId senderListVersion sentAt expiresAt kind ciphertext nonce } }`

func BenchmarkEncoder(b *testing.B) {
	o := newOracle()
	op, errs := o.prepare(allFields, nil)
	if len(errs) > 0 {
		b.Fatal(errs)
	}
	m := rapid.Custom(anyMessage).Example(1)
	m.Ciphertext = bytes.Repeat([]byte{7}, 256)
	b.Run("compiled", func(b *testing.B) {
		p, ok := planOf(op)
		if !ok {
			b.Fatal("left to the executor")
		}
		var buf []byte
		b.ReportAllocs()
		for b.Loop() {
			buf = p.encoder.Value().append(buf[:0], &m)
		}
	})
	b.Run("executor", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := o.response(op, &m); err != nil {
				b.Fatal(err)
			}
		}
	})
}
