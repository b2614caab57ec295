package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/letterlock/letterlock/internal/testserver"
)

// Each case goes beyond one bound alone, and is told which.
func TestBadInputTooLarge(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		repeat := func(format string, n int) string {
			var b strings.Builder
			for i := range n {
				_, _ = fmt.Fprintf(&b, format, i)
			}
			return b.String()
		}
		deepList := strings.Repeat("[", 100) + strings.Repeat("]", 100)
		for name, c := range map[string]struct{ query, code, says string }{
			"thousands of aliases":     {"{" + repeat("a%d: __typename ", 400) + "}", "REQUEST_TOO_LARGE", "too many tokens"},
			"many aliases":             {"{" + repeat("a%d: __typename ", 300) + "}", "GRAPHQL_OK", ""},
			"many questions":           {"{" + repeat("a%d: viewer { id } ", 60) + "}", "REQUEST_TOO_LARGE", "too many fields"},
			"many mutations":           {"mutation {" + repeat(`a%d: acknowledgeMessages(upTo: "x") { removedCount } `, 60) + "}", "REQUEST_TOO_LARGE", "too many fields"},
			"many uploads of prekeys":  {"mutation {" + repeat(`a%d: uploadPrekeys(input: {}) { count { oneTime } } `, 12) + "}", "REQUEST_TOO_LARGE", "too many fields"},
			"many claims of prekeys":   {"mutation {" + repeat(`a%d: claimPrekeys(userId: "`+w.alice.ID.String()+`") { userId } `, 12) + "}", "REQUEST_TOO_LARGE", "too many fields"},
			"one set of prekeys again": {`mutation { claimPrekeys(userId: "` + w.alice.ID.String() + `") { sets {` + repeat("a%d: kem ", 240) + "} } }", "REQUEST_TOO_LARGE", "too many fields"},
			"one ciphertext as many":   {"{ mailbox(first: 8) { nodes {" + repeat("a%d: ciphertext ", 60) + "} } }", "REQUEST_TOO_LARGE", "too many fields"},
			"device lists again":       {"{" + repeat(`a%d: user(id: "`+w.alice.ID.String()+`") { deviceLists { statement } } `, 50) + "}", "REQUEST_TOO_LARGE", "too many fields"},
			"one field again":          {"{ server {" + strings.Repeat("time ", 1200) + "} }", "REQUEST_TOO_LARGE", "too many tokens"},
			"a long comment":           {"{ server { version } } #" + strings.Repeat("x", 1<<20), "REQUEST_TOO_LARGE", "longer than 65536 bytes"},
			"long names":               {"{" + strings.Repeat(strings.Repeat("x", 3900)+" ", 20) + "}", "REQUEST_TOO_LARGE", "longer than 65536 bytes"},
			"costly aliases":           {"{" + repeat("a%d: mailbox { nodes { id cursor ciphertext } } ", 50) + "}", "REQUEST_TOO_LARGE", "too many fields"},
			"introspection repeated":   {"{" + repeat("a%d: __schema { types { fields { args { type { fields { args { name } } } } } } } ", 20) + "}", "REQUEST_TOO_LARGE", "too many fields"},
			"many directives":          {"{ server { version " + strings.Repeat("@include(if: true) ", 200) + "} }", "REQUEST_TOO_LARGE", "too many tokens"},
			"a directive again":        {"{ server { version " + strings.Repeat("@include(if: true) ", 100) + "} }", "GRAPHQL_VALIDATION_FAILED", "include"},
			"unknown directives":       {"{ server { version " + repeat("@x%d ", 400) + "} }", "GRAPHQL_VALIDATION_FAILED", "x0"},
			"directives of fields":     {"{" + repeat("a%d: __typename @include(if: true) @skip(if: false) ", 50) + "}", "GRAPHQL_OK", ""},
			"deep nesting":             {strings.Repeat("{ a ", 100) + strings.Repeat("}", 100), "REQUEST_TOO_LARGE", "nests more than 24 levels"},
			"deep list":                {`{ user(id: ` + deepList + `) { id } }`, "REQUEST_TOO_LARGE", "nests more than 24 levels"},
			"deep introspection":       {`{ __schema { types ` + strings.Repeat("{ ofType ", 40) + "{ name }" + strings.Repeat("}", 40) + "}}", "REQUEST_TOO_LARGE", "nests more than 24 levels"},
			"fragments that double":    {doubling(60), "REQUEST_TOO_LARGE", "too many fields"},
			"fragments in a circle":    {`{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }`, "GRAPHQL_VALIDATION_FAILED", ""},
			"many unknown names":       {"{" + repeat("x%d ", 900) + "}", "GRAPHQL_VALIDATION_FAILED", ""},
			"a string that never ends": {`{ user(id: "` + strings.Repeat("x", 50_000), "GRAPHQL_PARSE_FAILED", ""},
		} {
			t.Run(name, func(t *testing.T) {
				start := time.Now()
				answer := w.Query(t, "", c.query, nil)
				if took := time.Since(start); took > 5*time.Second {
					t.Errorf("took %v", took)
				}
				if c.code == "GRAPHQL_OK" {
					if answer.Code() != "" {
						t.Errorf("%.300s", answer.Body)
					}
					return
				}
				wrong(t, answer, c.code, c.says)
				if len(answer.Body) > 10_000 {
					t.Errorf("the answer has %d bytes", len(answer.Body))
				}
			})
		}
		t.Run("huge variables", func(t *testing.T) {
			answer := w.Query(t, w.token(), `query($id: ID!) { user(id: $id) { id } }`, map[string]any{"id": strings.Repeat("x", 5<<20)})
			if answer.Status != http.StatusRequestEntityTooLarge {
				t.Errorf("status %d", answer.Status)
			}
			wrong(t, answer, "REQUEST_TOO_LARGE", "maxRequestBytes")
		})
		t.Run("large variables", func(t *testing.T) {
			wrong(t, w.Query(t, w.token(), `query($id: ID!) { user(id: $id) { id } }`, map[string]any{"id": strings.Repeat("x", 1<<20)}),
				"BAD_INPUT", "too long")
		})
		t.Run("a million variables", func(t *testing.T) {
			body := `{"query":"{server{version}}","variables":{"a":[` + strings.Repeat("[],", 1_000_000) + `1]}}`
			answer := w.Post(t, http.Header{"Content-Type": {plain}}, []byte(body))
			if answer.Status != http.StatusRequestEntityTooLarge {
				t.Errorf("status %d", answer.Status)
			}
			wrong(t, answer, "REQUEST_TOO_LARGE", "too many values")
		})
		t.Run("deep JSON", func(t *testing.T) {
			body := `{"query":"{server{version}}","variables":{"a":` + strings.Repeat("[", 50_000) + strings.Repeat("]", 50_000) + `}}`
			wrong(t, w.Post(t, http.Header{"Content-Type": {plain}}, []byte(body)), "BAD_INPUT", "")
		})
	})
}

// doubling is a document in which each fragment spreads the next one twice.
func doubling(n int) string {
	var b strings.Builder
	b.WriteString("{ ...f0 }")
	for i := range n {
		_, _ = fmt.Fprintf(&b, " fragment f%d on Query { ...f%d ...f%d }", i, i+1, i+1)
	}
	_, _ = fmt.Fprintf(&b, " fragment f%d on Query { server { version } }", n)
	return b.String()
}

// What GraphiQL asks first must pass, though it is the largest query that anyone means.
func TestIntrospectionPasses(t *testing.T) {
	server := testserver.Start(t, testserver.Options{})
	var data struct {
		Schema struct{ Types []struct{ Name string } } `json:"__schema"`
	}
	server.Query(t, "", introspection, nil).Into(t, &data)
	if len(data.Schema.Types) < 20 {
		t.Errorf("%d types", len(data.Schema.Types))
	}
}

// All that there is to know of a full page, with the chains of a few users, is no abuse.
func TestFullPagePasses(t *testing.T) {
	server := testserver.Start(t, testserver.Options{})
	alice := server.Register(t)
	users := ""
	for i := range 5 {
		users += fmt.Sprintf(` u%d: user(id: "%s", sinceVersion: 0) { id listVersion deviceLists { version statement } }`, i, alice.ID)
	}
	server.Query(t, alice.Devices[0].Token(server.URL), `{ server { time limits { maxRequestBytes } } viewer { id acceptedCount }
		mailbox(first: 100) { expiredCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
			edges { cursor node { id cursor messageId senderUserId senderDeviceId senderListVersion sentAt kind ciphertext nonce } } }
		`+users+`}`, nil).Into(t, &struct{}{})
}

const introspection = `query IntrospectionQuery { __schema { description queryType { name kind } mutationType { name kind } subscriptionType { name kind }
  types { ...FullType } directives { name description isRepeatable locations args(includeDeprecated: true) { ...InputValue } } } }
fragment FullType on __Type { kind name description specifiedByURL isOneOf
  fields(includeDeprecated: true) { name description args(includeDeprecated: true) { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason }
  inputFields(includeDeprecated: true) { ...InputValue } interfaces { ...TypeRef }
  enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } possibleTypes { ...TypeRef } }
fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue isDeprecated deprecationReason }
fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
  ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } } }`
