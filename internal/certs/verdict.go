package certs

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
)

// maxVerdict bounds what is read of an authority's answer to learn its reason.
const maxVerdict = 64 << 10

// verdicts remembers why an authority has refused to certify, which autocert does not tell.
type verdicts struct {
	mu   sync.Mutex
	last map[string]string // by name
}

// authorization is the part of RFC 8555's object that has the reason.
type authorization struct {
	Identifier struct{ Value string }
	Challenges []struct {
		Type  string
		Error struct{ Detail string }
	}
}

// of gives the last reason for a name, once.
func (v *verdicts) of(name string) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	reason := v.last[name]
	delete(v.last, name)
	return reason
}

// listen looks at an answer, and leaves it as it was.
func (v *verdicts) listen(response *http.Response) {
	if !strings.HasPrefix(response.Header.Get("Content-Type"), "application/json") {
		return
	}
	start, err := io.ReadAll(io.LimitReader(response.Body, maxVerdict))
	rest := io.Reader(response.Body)
	if err != nil {
		rest = failing{err}
	}
	response.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(start), rest), response.Body}
	var answer authorization
	if json.Unmarshal(start, &answer) != nil || answer.Identifier.Value == "" {
		return
	}
	for _, challenge := range answer.Challenges {
		if challenge.Error.Detail != "" {
			v.note(strings.ToLower(answer.Identifier.Value), challenge.Type+": "+challenge.Error.Detail)
		}
	}
}

// note adds a reason to those that were not asked for yet. There are a few: one for each kind of challenge.
func (v *verdicts) note(name, reason string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.last == nil {
		v.last = map[string]string{}
	}
	switch old := v.last[name]; {
	case strings.Contains(old, reason):
		return
	case old != "":
		reason = old + "; " + reason
	}
	const most = 1000
	v.last[name] = strings.ToValidUTF8(reason[:min(len(reason), most)], "")
}

// failing is what is left of a body that broke off.
type failing struct{ err error }

// Read fails.
func (f failing) Read([]byte) (int, error) { return 0, f.err }

// because adds an authority's reason to an error.
func because(err error, reason string) error {
	if reason == "" {
		return err
	}
	return errors.New("the authority says: " + reason)
}
