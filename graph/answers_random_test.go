package graph

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/mailbox"
)

// mutation is a request that is valid and can be answered without the executor.
type mutation struct {
	document, operation string
	variables           map[string]any
}

func anyMutation(t *rapid.T) (m mutation) {
	d := &payloads{t: t}
	field := d.pick("sendMessage", "sendMessages", "acknowledgeMessages")
	input, output := typesOf(field)
	m.variables = map[string]any{}
	argument := "input"
	switch field {
	case "sendMessage":
		m.variables["x"] = anySend(t)
	case "sendMessages":
		m.variables["x"] = anyCall(t)
	default:
		argument = "upTo"
		m.variables["x"] = anyCursor(t).String()
	}
	alias := d.pick("", "a: ", "data: ")
	root := func() string {
		return d.wrap("Mutation", fmt.Sprintf("%s%s(%s: $x)%s", alias, field, argument, d.pick("", " @skip(if: false) "))+d.selection(output, 0))
	}
	body := root()
	if rapid.Bool().Draw(t, "twice") {
		body += " " + root()
	}
	m.operation = d.pick("", "Op")
	m.document = fmt.Sprintf("mutation %s($x: %s) { %s }\n%s", m.operation, input, body, strings.Join(d.fragments, "\n"))
	if m.operation != "" && rapid.Bool().Draw(t, "one of several") {
		m.document += "\nquery Other { server { version } }"
	}
	return m
}

// payloads writes random selections of payloads.
type payloads struct {
	t         *rapid.T
	fragments []string
}

func (d *payloads) pick(from ...string) string { return rapid.SampledFrom(from).Draw(d.t, "choice") }

// wrap puts a selection into a fragment, or leaves it as it is.
func (d *payloads) wrap(object, body string) string {
	switch d.pick("", "", "typed", "untyped", "named") {
	case "typed":
		return "... on " + object + " { " + body + " }"
	case "untyped":
		return "... @include(if: true) { " + body + " }"
	case "named":
		name := fmt.Sprintf("F%d", len(d.fragments))
		d.fragments = append(d.fragments, fmt.Sprintf("fragment %s on %s { %s }", name, object, body))
		return "..." + name
	default:
		return body
	}
}

func (d *payloads) selection(object string, depth int) string {
	fields := map[string][]string{
		"SendMessagePayload":         {"messageId", "acceptedAt", "deliveries", "__typename"},
		"SendMessagesPayload":        {"callId", "acceptedAt", "messages", "__typename"},
		"AcknowledgeMessagesPayload": {"acknowledgedUpTo", "removedCount", "__typename"},
		"Delivery":                   {"deviceId", "status", "__typename"},
	}[object]
	var parts []string
	for range rapid.IntRange(1, 4).Draw(d.t, "fields") {
		name := d.pick(fields...)
		part := d.pick("", "", "a_"+name+": ") + name + d.pick("", "", "", " @skip(if: true)", " @include(if: true)")
		switch name {
		case "deliveries":
			part += d.selection("Delivery", depth+1)
		case "messages":
			part += d.selection("SendMessagePayload", depth+1)
		}
		parts = append(parts, d.wrap(object, part))
	}
	return " { " + strings.Join(parts, " ") + " }"
}

func anySend(t *rapid.T) map[string]any {
	input := map[string]any{"messageId": anyUUID(t).String(), "recipients": listOf(t, anyRecipient)}
	optional(t, input, "expiresIn", json.Number(fmt.Sprint(rapid.IntRange(1, 1<<31-1).Draw(t, "seconds"))))
	return input
}

func anyCall(t *rapid.T) map[string]any {
	return map[string]any{"callId": anyUUID(t).String(), "messages": listOf(t, anySend)}
}

func anyRecipient(t *rapid.T) map[string]any {
	user := identity.UserID(rapid.SliceOfN(rapid.Byte(), 20, 20).Draw(t, "user"))
	return map[string]any{
		"userId": user.String(), "listVersion": json.Number(fmt.Sprint(rapid.IntRange(0, 1<<31-1).Draw(t, "version"))),
		"envelopes": listOf(t, anyEnvelope),
	}
}

func anyEnvelope(t *rapid.T) map[string]any {
	device := identity.DeviceID(rapid.SliceOfN(rapid.Byte(), 20, 20).Draw(t, "device"))
	input := map[string]any{
		"deviceId": device.String(), "kind": rapid.SampledFrom([]string{"BOX", "SESSION", "SESSION_START"}).Draw(t, "kind"),
		"ciphertext": anyBytes(t),
	}
	optional(t, input, "nonce", anyBytes(t))
	return input
}

func anyBytes(t *rapid.T) string {
	return base64.RawURLEncoding.EncodeToString(rapid.SliceOfN(rapid.Byte(), 0, 30).Draw(t, "bytes"))
}

func anyUUID(t *rapid.T) uuid.UUID {
	return uuid.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "uuid"))
}

// listOf is a JSON list of a few.
func listOf(t *rapid.T, one func(*rapid.T) map[string]any) []any {
	all := []any{}
	for range rapid.IntRange(0, 2).Draw(t, "length") {
		all = append(all, one(t))
	}
	return all
}

// optional gives a member, gives null, or leaves it out.
func optional(t *rapid.T, input map[string]any, name string, value any) {
	switch rapid.IntRange(0, 2).Draw(t, "given") {
	case 0:
		input[name] = value
	case 1:
		input[name] = nil
	}
}

func anyReceipt(t *rapid.T) mailbox.Receipt {
	r := mailbox.Receipt{
		MessageID:  anyUUID(t),
		AcceptedAt: time.Unix(rapid.Int64Range(0, 1<<35).Draw(t, "second"), rapid.Int64Range(0, 999_999_999).Draw(t, "fraction")),
	}
	for range rapid.IntRange(0, 3).Draw(t, "deliveries") {
		r.Deliveries = append(r.Deliveries, mailbox.Delivery{
			Device: identity.DeviceID(rapid.SliceOfN(rapid.Byte(), 20, 20).Draw(t, "device")), Stored: rapid.Bool().Draw(t, "stored"),
		})
	}
	return r
}

// spoil gives variables with something at some place that is mostly not to be there.
func spoil(t *rapid.T, value map[string]any) map[string]any {
	spoiled := maps.Clone(value)
	if rapid.IntRange(0, 5).Draw(t, "here") == 0 {
		spoiled[rapid.SampledFrom([]string{"x", "__typename", "more", "messageId", "nonce"}).Draw(t, "name")] = odd(t)
		return spoiled
	}
	name := rapid.SampledFrom(slices.Sorted(maps.Keys(value))).Draw(t, "member")
	switch inner := spoiled[name].(type) {
	case map[string]any:
		spoiled[name] = spoil(t, inner)
	case []any:
		list := slices.Clone(inner)
		if len(list) == 0 || rapid.IntRange(0, 4).Draw(t, "element") == 0 {
			spoiled[name] = append(list, odd(t))
			break
		}
		i := rapid.IntRange(0, len(list)-1).Draw(t, "index")
		if o, ok := list[i].(map[string]any); ok {
			list[i] = spoil(t, o)
		}
		spoiled[name] = list
		if len(list) == 1 && rapid.IntRange(0, 9).Draw(t, "bare") == 0 {
			spoiled[name] = list[0]
		}
	case string:
		spoiled[name] = rapid.SampledFrom([]any{
			odd(t), nil, inner + " ", inner + "\n", inner + "=", strings.ToLower(inner), strings.ToUpper(inner), "{" + inner + "}", inner[:len(inner)/2], "", inner + "A",
		}).Draw(t, "spelling")
	default:
		spoiled[name] = odd(t)
	}
	if rapid.IntRange(0, 9).Draw(t, "gone") == 0 {
		delete(spoiled, name)
	}
	return spoiled
}

func odd(t *rapid.T) any {
	return rapid.SampledFrom([]any{
		nil, true, "", "1", "x", "BOX", "A", json.Number("0"), json.Number("-0"), json.Number("1"), json.Number("-1"), json.Number("1.0"), json.Number("1e2"),
		json.Number("2147483647"), json.Number("2147483648"), json.Number("99999999999999999999"), []any{}, []any{nil}, []any{"x"}, map[string]any{},
		map[string]any{"messageId": "x"}, "\x00", "é", strings.Repeat("A", 300),
	}).Draw(t, "odd")
}
