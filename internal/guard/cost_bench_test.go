package guard

import (
	"os"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// BenchmarkAffordable weighs what clients ask most.
func BenchmarkAffordable(b *testing.B) {
	text, err := os.ReadFile("../../graph/schema.graphqls")
	if err != nil {
		b.Fatal(err)
	}
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: "schema.graphqls", Input: string(text)})
	if err != nil {
		b.Fatal(err)
	}
	for name, document := range map[string]string{
		"send":    `mutation($input: SendMessageInput!) { sendMessage(input: $input) { messageId acceptedAt deliveries { deviceId status } } }`,
		"mailbox": `{ mailbox(first: 100) { nodes { id cursor messageId senderUserId senderDeviceId sentAt kind ciphertext nonce } pageInfo { hasNextPage } } }`,
	} {
		parsed, errs := gqlparser.LoadQueryWithRules(schema, document, rules.NewDefaultRules())
		if errs != nil {
			b.Fatal(errs)
		}
		op := parsed.Operations[0]
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !affordable(op, nil, 5000) {
					b.Fatal("it is too costly")
				}
			}
		})
	}
}
