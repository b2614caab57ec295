package graphqlhttp

import (
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
)

// BenchmarkDecode reads the body of a sendMessage with 256 bytes of ciphertext.
func BenchmarkDecode(b *testing.B) {
	body := []byte(`{"query":"mutation($input: SendMessageInput!) { sendMessage(input: $input) { messageId acceptedAt deliveries { deviceId status } } }",` +
		`"variables":{"input":{"messageId":"019a0000-0000-7000-8000-000000000000","recipients":[{"userId":"u` + strings.Repeat("a", 32) +
		`","listVersion":1,"envelopes":[{"deviceId":"d` + strings.Repeat("a", 32) + `","kind":"SESSION","ciphertext":"` +
		strings.Repeat("A", 342) + `"}]}]}}}`)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		var params graphql.RawParams
		if no := decode(body, &params); no != nil {
			b.Fatal(no.err)
		}
	}
}
