package guard

import (
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

func TestNesting(t *testing.T) {
	for document, want := range map[string]int{
		``:                                 0,
		`{ a }`:                            1,
		`{ a(x: [{y: 1}]) { b } }`:         4,
		`{ a(x: "{{{") }`:                  2,
		`{ a(x: "\"{{{") }`:                2,
		`{ a(x: """ {{{ " \""" {{{ """) }`: 2,
		`{ a(x: """\n""") { b { c } } }`:   3,
		`{ a(x: """ x """") { b { c } } }`: 3,
		`{ a(x: """ "\"""" """) { b } }`:   2,
		"{ a # {{{{\n}":                    1,
		"{ a # {{{{\r{":                    2,
		`}}}} {`:                           0, // for the parser to refuse
		`{ "`:                              1,
		`{ """`:                            1,
		`{ "\`:                             1,
	} {
		if got := nesting(document); got != want {
			t.Errorf("%s: %d, want %d", document, got, want)
		}
	}
}

// Whatever the parser accepts nests at least as deep for us as its selections do: nothing slips below the limit.
func FuzzNestingCountsWhatTheParserSees(f *testing.F) {
	for _, seed := range []string{
		`{ a { b { c } } }`, `query q($x: [I!] = [{a: "}"}]) { a(x: """}}""") { ...f } } fragment f on T { b }`,
		`{ a(x: """\n""") { b { c } } }`, `{ a(x: """ x """") { b { c } } }`,
		"{ a #}\n{ b } }", `{ a(s: "\"}") { b } }`, `{a{b{c(x:{y:{z:[1,[2]]}})}}}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, document string) {
		got := nesting(document)
		parsed, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: document}, 2000)
		if err != nil {
			return
		}
		deepest := 0
		for _, op := range parsed.Operations {
			deepest = max(deepest, depthOf(op.SelectionSet))
		}
		for _, fragment := range parsed.Fragments {
			deepest = max(deepest, depthOf(fragment.SelectionSet))
		}
		if got < deepest {
			t.Fatalf("%q nests %d deep, counted %d", document, deepest, got)
		}
	})
}

func depthOf(set ast.SelectionSet) int {
	deepest := 0
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			deepest = max(deepest, depthOf(s.SelectionSet))
		case *ast.InlineFragment:
			deepest = max(deepest, depthOf(s.SelectionSet))
		}
	}
	if len(set) == 0 {
		return 0
	}
	return deepest + 1
}

func BenchmarkNesting(b *testing.B) {
	document := `mutation($input: SendMessageInput!) { sendMessage(input: $input) { messageId acceptedAt deliveries { deviceId status } } }` + strings.Repeat(" ", 100)
	for b.Loop() {
		nesting(document)
	}
}
