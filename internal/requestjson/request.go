// Package requestjson reads GraphQL requests, and what wraps them, faster than encoding/json and to the same values.
package requestjson

import (
	"encoding/json"

	"github.com/99designs/gqlgen/graphql"

	"github.com/letterlock/letterlock/internal/persisted"
)

// maxNesting is how deep the variables of a request may nest, as in encoding/json.
const maxNesting = 10_000

// Request decodes a GraphQL request. It is false unless the payload has the shape of one: a query, or a persisted one's id. Members that it does not know are
// passed by, once they are found to be JSON.
//
// For a short message encoding/json takes four times as long, and longer than all that a transport does besides: it reads
// everything twice and asks for the type of each value. What is rare, such as escapes in strings, is left to it.
func Request(payload []byte, params *graphql.RawParams) (ok bool) {
	d := decoder{Scan(payload)}
	asks := false
	ok = d.Object(func(name []byte) (ok bool) {
		if name, ok = Unescaped(name); !ok {
			return false
		}
		switch string(name) {
		case `"query"`:
			asks = !d.ahead('n')
			params.Query, ok = d.text()
		case `"operationName"`:
			params.OperationName, ok = d.text()
		case `"variables"`:
			params.Variables, ok = d.values()
		case `"extensions"`:
			params.Extensions, ok = d.values()
		default:
			_, ok = d.any(1)
		}
		return ok
	})
	return ok && (asks || byID(params)) && d.Over()
}

// byID reports whether a request names a persisted query in place of one that it holds.
func byID(params *graphql.RawParams) bool { return persisted.ID(params) != "" }

// decoder decodes JSON as encoding/json does into an any, with json.Number for numbers. It takes nothing that is no JSON.
type decoder struct{ Scanner }

// text decodes a string or null.
func (d *decoder) text() (string, bool) {
	value := d.Value()
	if len(value) == 0 || value[0] != '"' && string(value) != "null" {
		return "", false
	}
	return Text(value)
}

// values decodes an object or null.
func (d *decoder) values() (map[string]any, bool) {
	if !d.ahead('{') {
		return nil, string(d.Value()) == "null"
	}
	return d.members(1)
}

func (d *decoder) any(depth int) (any, bool) {
	switch next := d.next(); {
	case depth > maxNesting:
		return nil, false
	case next == '{':
		return d.members(depth)
	case next == '[':
		return d.list(depth)
	case next == '"':
		return d.text()
	case next == '-', '0' <= next && next <= '9':
		number := d.Value()
		return json.Number(number), json.Valid(number)
	default:
		return d.word()
	}
}

func (d *decoder) members(depth int) (map[string]any, bool) {
	all := map[string]any{}
	ok := d.Object(func(name []byte) bool {
		decoded, ok := Text(name)
		if !ok {
			return false
		}
		all[decoded], ok = d.any(depth + 1)
		return ok
	})
	return all, ok
}

func (d *decoder) list(depth int) ([]any, bool) {
	all := []any{}
	d.at++
	for more := !d.take(']'); more; more = !d.take(']') {
		value, ok := d.any(depth + 1)
		if !ok {
			return nil, false
		}
		all = append(all, value)
		if d.take(',') == d.ahead(']') { // one of both, and no comma before the end
			return nil, false
		}
	}
	return all, true
}

// word decodes true, false or null.
func (d *decoder) word() (any, bool) {
	switch string(d.Value()) {
	case "true":
		return true, true
	case "false":
		return false, true
	case "null":
		return nil, true
	default:
		return nil, false
	}
}
