// Package persisted knows the operations that an operator allows, by the manifests that client builds write.
package persisted

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/99designs/gqlgen/graphql"
)

// maxManifest bounds a file, in bytes.
const maxManifest = 16 << 20

// Operations are those that are allowed.
type Operations struct {
	documents map[string]struct{}
	byID      map[string]string
}

const (
	// web stands in a list of files for no file: the operations of the server's own web client are allowed in any case.
	web = "web"
	// ownManifest is the file in which a build of the web client says what it asks.
	ownManifest = "operations.json"
)

// Load reads manifests: Apollo's persisted query manifests, and what genqlient exports. The web client that the server itself
// serves brings its own; app are its files, nil if there is none.
func Load(files []string, app fs.FS) (*Operations, error) {
	all := none()
	for _, file := range files {
		if err := all.load(file, app); err != nil {
			return nil, fmt.Errorf("LETTERLOCK_PERSISTED_ONLY: %s: %w", file, err)
		}
	}
	if app == nil {
		return all, nil
	}
	if err := all.loadOwn(app); err != nil {
		return nil, fmt.Errorf("LETTERLOCK_PERSISTED_ONLY: the server's own web client: %w; build it again (make build)", err)
	}
	return all, nil
}

func none() *Operations {
	return &Operations{documents: map[string]struct{}{}, byID: map[string]string{}}
}

// manifest is what the two formats say of operations: id and body are Apollo's, query is genqlient's.
type manifest struct {
	Format     string `json:"format"`
	Version    int    `json:"version"`
	Operations []struct {
		ID    string `json:"id"`
		Body  string `json:"body"`
		Query string `json:"query"`
	} `json:"operations"`
}

func (o *Operations) load(file string, app fs.FS) error {
	if file == web {
		if app == nil {
			return errors.New("this server has no web client (make build makes one)")
		}
		return nil
	}
	text, err := read(file)
	if err != nil {
		return err
	}
	return o.add(text)
}

func (o *Operations) loadOwn(app fs.FS) error {
	text, err := fs.ReadFile(app, ownManifest)
	if err != nil {
		return err
	}
	return o.add(text)
}

// add takes the operations of one manifest.
func (o *Operations) add(text []byte) error {
	var m manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return errors.New("it is no JSON of the form that a persisted query manifest has")
	}
	if m.Format != "" && (m.Format != "apollo-persisted-query-manifest" || m.Version != 1) {
		return fmt.Errorf("its format is %q, version %d; only apollo-persisted-query-manifest, version 1, is understood", m.Format, m.Version)
	}
	if len(m.Operations) == 0 {
		return errors.New("it names no operation, so nothing would be allowed")
	}
	for i, operation := range m.Operations {
		document := operation.Body
		if document == "" {
			document = operation.Query
		}
		if document == "" {
			return fmt.Errorf("operation %d has neither body nor query", i)
		}
		if before, taken := o.byID[operation.ID]; taken && before != document {
			return fmt.Errorf("operation %d has the id of another one", i)
		}
		o.documents[document] = struct{}{}
		if operation.ID != "" {
			o.byID[operation.ID] = document
		}
	}
	return nil
}

func read(file string) (text []byte, err error) {
	f, err := os.Open(file) // #nosec G304 -- the operator names it
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	text, err = io.ReadAll(io.LimitReader(f, maxManifest+1))
	if err == nil && len(text) > maxManifest {
		err = fmt.Errorf("it is longer than %d bytes", maxManifest)
	}
	return text, err
}

// Allow reports whether a request is for one of the operations, to the letter. One that names it by its id is given its document.
func (o *Operations) Allow(params *graphql.RawParams) bool {
	if params.Query != "" {
		_, ok := o.documents[params.Query]
		return ok
	}
	document, ok := o.byID[ID(params)]
	params.Query = document
	return ok
}

// ID gives the id by which a request names its operation, as Apollo's clients write it; empty without one.
func ID(params *graphql.RawParams) string {
	extension, _ := params.Extensions["persistedQuery"].(map[string]any)
	id, _ := extension["sha256Hash"].(string)
	return id
}
