package socket

import (
	"testing"

	"github.com/99designs/gqlgen/graphql/handler/transport"
)

// No message makes the protocol panic, start more than it may, or pass before connection_init.
func FuzzIncoming(f *testing.F) {
	for _, seed := range []string{
		`{"type":"connection_init"}`, `{"type":"connection_init","payload":{"Authorization":"Bearer x"}}`,
		`{"type":"subscribe","id":"1","payload":{"query":"{a}"}}`, `{"type":"start","id":"1","payload":{"query":"{a}"}}`,
		`{"type":"complete","id":"1"}`, `{"type":"stop","id":"1"}`, `{"type":"ping"}`, `{"type":"pong","payload":null}`,
		`{"type":7}`, `[`, `{"type":"subscribe","id":7,"payload":{}}`, `{"type":"connection_terminate"}`,
	} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, message string, old bool) {
		name := modern
		if old {
			name = legacy
		}
		p := newProtocol(name, 2)
		for _, first := range []string{"", `{"type":"connection_init"}`} {
			if first != "" && !p.initialised() {
				p.incoming([]byte(first))
			}
			before := p.initialised()
			for range 4 {
				v := p.incoming([]byte(message))
				if v.code == 0 && !v.drop && !before && !p.initialised() && p.kind("connection_terminate") != kindTerminate {
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
