package guard

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/letterlock/letterlock/internal/limits"
)

// maxIntrospection is what introspection may cost in one operation, counted apart: the queries of GraphiQL and of the
// code generators come to about a third of it.
const maxIntrospection = 200_000

// Most fields cost 1, which stands for at most some 6 kB of an answer, as the statement of a long device list has.
const (
	ciphertextCost = 16  // is that much longer
	storeCost      = 100 // of what asks the store: aliases would make many questions of a small request
	prekeysCost    = 500 // of what verifies or takes the prekeys of several devices: hundreds of signatures or statements of SQL
)

// Fields that give lists, with how many elements are reckoned with. `first` of mailbox is read from the request.
var listLengths = map[string]int{
	"User.deviceLists":              100,
	"SendMessagePayload.deliveries": 10,
	"SendMessagesPayload.messages":  50,
	"ClaimPrekeysPayload.sets":      20,
	"UserExport.deviceLists":        100,
	"UserExport.devices":            4,
	"ExportedDevice.prekeys":        202, // that limits.Default allows
	"__Schema.types":                50,
	"__Schema.directives":           6,
	"__Type.fields":                 6,
	"__Type.inputFields":            3,
	"__Type.enumValues":             3,
	"__Type.interfaces":             1,
	"__Type.possibleTypes":          1,
	"__Field.args":                  2,
	"__Directive.args":              2,
	"__Directive.locations":         3,
}

// affordable reports whether the answer to an operation, as it is written, holds few enough fields. It stops counting at
// the limit, so that fragments which double again and again are as cheap to refuse as anything else.
func affordable(op *ast.OperationDefinition, variables map[string]any, limit int) bool {
	m := meter{variables: variables, left: limit, leftForSchema: maxIntrospection}
	return m.selections(op.SelectionSet, 1, 1)
}

// introspects reports whether an operation that is affordable asks about the schema. Its fields are on the root alone.
func introspects(set ast.SelectionSet) bool {
	return slices.ContainsFunc(set, func(selection ast.Selection) bool {
		switch s := selection.(type) {
		case *ast.Field:
			return s.Name == "__schema" || s.Name == "__type"
		case *ast.InlineFragment:
			return introspects(s.SelectionSet)
		case *ast.FragmentSpread:
			return introspects(s.Definition.SelectionSet)
		default:
			return false
		}
	})
}

type meter struct {
	variables     map[string]any
	left          int
	leftForSchema int
}

// selections counts what each of `times` objects shows. page is how many messages the connection around them holds.
func (m *meter) selections(set ast.SelectionSet, times, page int) bool {
	for _, selection := range set {
		var fits bool
		switch s := selection.(type) {
		case *ast.Field:
			fits = m.field(s, times, page)
		case *ast.InlineFragment:
			fits = m.spend(s.ObjectDefinition, 1) && m.selections(s.SelectionSet, times, page)
		case *ast.FragmentSpread:
			fits = m.spend(s.ObjectDefinition, 1) && m.selections(s.Definition.SelectionSet, times, page)
		}
		if !fits {
			return false
		}
	}
	return true
}

func (m *meter) field(f *ast.Field, times, page int) bool {
	if !m.spend(f.ObjectDefinition, times*weight(f)) {
		return false
	}
	if len(f.SelectionSet) == 0 {
		return true
	}
	switch owner := f.ObjectDefinition.Name; {
	case owner == "Query" && f.Name == "mailbox":
		page = m.first(f)
	case owner == "MessageConnection" && (f.Name == "edges" || f.Name == "nodes"):
		times *= page
	default:
		if n, ok := listLengths[owner+"."+f.Name]; ok {
			times *= n
		}
	}
	return m.selections(f.SelectionSet, times, page)
}

// weight is what one field costs on one object, without what is below it.
func weight(f *ast.Field) int {
	switch owner := f.ObjectDefinition.Name; {
	case owner == "Message" && f.Name == "ciphertext":
		return ciphertextCost
	case owner == "Mutation" && (f.Name == "uploadPrekeys" || f.Name == "claimPrekeys"):
		return prekeysCost
	case owner == "Mutation", owner == "Query" && f.Name != "server" && !strings.HasPrefix(f.Name, "__"):
		return storeCost
	default:
		return 1
	}
}

func (m *meter) spend(owner *ast.Definition, n int) bool {
	if owner != nil && strings.HasPrefix(owner.Name, "__") {
		m.leftForSchema -= n
		return m.leftForSchema >= 0
	}
	m.left -= n
	return m.left >= 0
}

// first is the page size that a mailbox field asks for. What is out of bounds the resolver refuses.
func (m *meter) first(f *ast.Field) int {
	argument := f.Arguments.ForName("first")
	if argument == nil {
		return limits.PageSize
	}
	value, err := argument.Value.Value(m.variables)
	if n, whole := value.(int64); whole && err == nil {
		return int(min(max(n, 1), limits.PageSize))
	}
	return limits.PageSize
}
