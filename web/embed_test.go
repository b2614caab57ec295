package web

import (
	"slices"
	"strings"
	"testing"
)

// One exception is enough to undo a policy: an inline script that reads a pasted token, a picture whose address tells it.
func TestThePoliciesAllowNothingButTheServerItself(t *testing.T) {
	for name, page := range map[string]struct {
		policy  string
		scripts []string
	}{
		"client":     {AppCSP, []string{"'self'", "'wasm-unsafe-eval'"}},
		"playground": {PlaygroundCSP, []string{"'self'"}},
	} {
		given := directives(t, page.policy)
		for directive, sources := range given {
			allowed := []string{"'self'"}
			if directive == "script-src" {
				allowed = page.scripts
			}
			for _, source := range sources {
				if isFetch(directive) && source != "'none'" && !slices.Contains(allowed, source) {
					t.Errorf("%s: %s allows %s", name, directive, source)
				}
			}
		}
		for _, directive := range []string{"default-src", "base-uri", "form-action", "frame-ancestors"} {
			if !slices.Equal(given[directive], []string{"'none'"}) {
				t.Errorf("%s: %s is %q", name, directive, given[directive])
			}
		}
	}
}

// Text that got into the client must not become a script by any of the page's own functions.
func TestTheClientMakesScriptsOfOnePolicyAlone(t *testing.T) {
	given := directives(t, AppCSP)
	if !slices.Equal(given["require-trusted-types-for"], []string{"'script'"}) {
		t.Errorf("require-trusted-types-for %q", given["require-trusted-types-for"])
	}
	if types := given["trusted-types"]; len(types) != 1 || strings.ContainsAny(types[0], "*'") {
		t.Errorf("trusted-types %q", types)
	}
}

// isFetch says whether a directive's values are places, as those of all but Trusted Types are.
func isFetch(directive string) bool {
	return directive != "require-trusted-types-for" && directive != "trusted-types"
}

// directives reads a policy. Of a directive that stands twice browsers take the first: nobody should mean the second.
func directives(t *testing.T, policy string) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for directive := range strings.SplitSeq(policy, ";") {
		words := strings.Fields(directive)
		if len(words) < 2 {
			t.Fatalf("%q says nothing", directive)
		}
		if _, twice := all[words[0]]; twice {
			t.Errorf("%s stands twice", words[0])
		}
		all[words[0]] = words[1:]
	}
	return all
}
