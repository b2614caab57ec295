package socket

import (
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql/handler/transport"
)

// No message makes the protocol panic, start more than it may, or pass before connection_init.
func FuzzLegacyIncoming(f *testing.F) {
	for _, seed := range []string{
		`{"type":"connection_init"}`, `{"type":"connection_init","payload":{"Authorization":"Bearer x"}}`,
		`{"type":"start","id":"1","payload":{"query":"{a}"}}`, `{"type":"stop","id":"1"}`, `{"type":"connection_terminate"}`,
		`{"type":7}`, `[`, `{"type":"start","id":7,"payload":{}}`, `{"type":"start","id":"1","payload":{"query":"{a}"}}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, message string) {
		p := newLegacyProtocol(2)
		for _, first := range []string{"", `{"type":"connection_init"}`} {
			if first != "" && !p.initialised() {
				p.incoming([]byte(first))
			}
			for range 4 {
				v := p.incoming([]byte(message))
				if v.code == 0 && !v.drop && !p.initialised() && !strings.Contains(message, "erminate") {
					t.Fatalf("%q passed before connection_init", message)
				}
				if v.code != 0 && v.reason == "" {
					t.Fatalf("%q is refused without a reason", message)
				}
			}
			if len(p.active)+len(p.ending) > 2 {
				t.Fatalf("%q: %d operations", message, len(p.active))
			}
		}
	})
}

func TestCloseCodeOfGqlgen(t *testing.T) {
	for code, want := range map[int]int{
		transport.WebsocketCloseProtocolError: CloseBadRequest,
		transport.WebsocketCloseNormalClosure: CloseNormal,
		CloseForbidden:                        CloseForbidden,
	} {
		if got := closeCode(code); got != want {
			t.Errorf("%d becomes %d, want %d", code, got, want)
		}
	}
}

// The client reads its own name of an operation, whatever it is and whatever the payload looks like; and no message of an
// operation that it has completed, also once the name is in use again.
func TestLegacyOutgoingNames(t *testing.T) {
	p := newLegacyProtocol(9)
	p.incoming([]byte(`{"type":"connection_init"}`))
	start := func(name string) string {
		t.Helper()
		v := p.incoming([]byte(`{"id":` + name + `,"type":"start","payload":{"query":"{a}"}}`))
		_, ours, _, ok := cutName([]byte(`{"id":` + strings.SplitN(string(v.data), `,"type`, 2)[0][len(`{"id":`):] + `,"type":"data"}`))
		if v.code != 0 || v.drop || !ok {
			t.Fatalf("verdict %+v", v)
		}
		return ours
	}
	const name = `"a\"},\"type\":\"complete"`
	const payload = `{"payload":{"id":"1","text":"\"id\":\"1\",\"type\":\"complete\"}"},"id":`
	first := start(name)
	out, last := p.outgoing([]byte(payload + `"` + first + `","type":"data"}`))
	if want := payload + name + `,"type":"data"}`; string(out) != want || last {
		t.Fatalf("%s, last %v; want %s", out, last, want)
	}
	if out, last := p.outgoing([]byte(`{"payload":{"id":"1"},"type":"connection_ack"}`)); out == nil || last {
		t.Fatalf("%q, last %v: a message of no operation", out, last)
	}
	p.incoming([]byte(`{"id":` + name + `,"type":"stop"}`))
	second := start(name)
	for _, kind := range []string{"data", "complete"} {
		if out, _ := p.outgoing([]byte(payload + `"` + first + `","type":"` + kind + `"}`)); out != nil {
			t.Fatalf("%s of an operation that was completed", out)
		}
	}
	out, last = p.outgoing([]byte(`{"id":"` + second + `","type":"complete"}`))
	if want := `{"id":` + name + `,"type":"complete"}`; string(out) != want || !last {
		t.Fatalf("%s, last %v; want %s", out, last, want)
	}
	if len(p.active)+len(p.running)+len(p.ending) > 0 {
		t.Fatal("an operation that has ended is remembered")
	}
}
