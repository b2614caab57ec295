package web

import (
	"strings"
	"testing"
)

// One exception is enough to undo the policy: an inline script that reads a pasted token.
func TestThePlaygroundsPolicyAllowsNothingButTheServerItself(t *testing.T) {
	for directive := range strings.SplitSeq(PlaygroundCSP, ";") {
		name, sources, _ := strings.Cut(strings.TrimSpace(directive), " ")
		if sources != "'self'" && sources != "'none'" {
			t.Errorf("%s allows %s", name, sources)
		}
	}
	if !strings.HasPrefix(PlaygroundCSP, "default-src 'none'") {
		t.Error("what the policy does not name is allowed")
	}
}
