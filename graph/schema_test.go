package graph_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	graphql "github.com/vektah/gqlparser/v2/ast"

	"github.com/letterlock/letterlock/graph"
	"github.com/letterlock/letterlock/graph/generated"
)

func schema() *graphql.Schema {
	return generated.NewExecutableSchema(generated.Config{Resolvers: &graph.Resolver{}}).Schema()
}

// Everything that the schema offers says what it is.
func TestSchemaIsDescribed(t *testing.T) {
	described := func(what, description string) {
		if len(strings.TrimSpace(description)) < 8 {
			t.Errorf("%s has no description", what)
		}
	}
	seen := 0
	for name, definition := range schema().Types {
		if definition.BuiltIn || strings.HasPrefix(name, "__") {
			continue
		}
		seen++
		described(name, definition.Description)
		for _, value := range definition.EnumValues {
			described(name+"."+value.Name, value.Description)
		}
		for _, field := range definition.Fields {
			if strings.HasPrefix(field.Name, "__") {
				continue
			}
			described(name+"."+field.Name, field.Description)
			for _, argument := range field.Arguments {
				described(name+"."+field.Name+"("+argument.Name+")", argument.Description)
			}
		}
	}
	if seen < 20 {
		t.Errorf("only %d types were looked at", seen)
	}
}

// The enums of the contract are the constants of internal/problem, in the same order.
func TestSchemaEnumsAreTheProblems(t *testing.T) {
	constants := map[string][]string{}
	file, err := parser.ParseFile(token.NewFileSet(), "../internal/problem/problem.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		kind, ok := spec.Type.(*ast.Ident)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		if literal, ok := spec.Values[0].(*ast.BasicLit); ok {
			value, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			constants[kind.Name] = append(constants[kind.Name], value)
		}
		return true
	})
	for kind, enum := range map[string]string{"Code": "ErrorCode", "Stored": "Stored"} {
		var values []string
		for _, value := range schema().Types[enum].EnumValues {
			values = append(values, value.Name)
		}
		if len(values) == 0 || !slices.Equal(values, constants[kind]) {
			t.Errorf("%s is %v, the constants are %v", enum, values, constants[kind])
		}
	}
}
