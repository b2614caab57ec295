package device

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/letterlock/letterlock/identity"
)

// stored is an example of a device's records in the midst of a conversation, as a release has written them.
type stored struct {
	Records []struct {
		Collection Collection
		Owner      string
		Number     uint64
		Value      json.RawMessage
	}
	With    identity.UserID
	Texts   []string // of the history
	Waiting Envelope // to be received
	Text    string   // that it holds
	Unsent  []byte   // what was sealed before and not answered
}

// What earlier releases have written is read, and the conversation goes on.
func TestRecordsOfEarlierReleases(t *testing.T) {
	files, err := filepath.Glob("testdata/records_*.json")
	if err != nil || len(files) < 2 {
		t.Fatalf("examples %v, %v; want those of both releases", files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			var example stored
			if err := json.Unmarshal(must(os.ReadFile(file)), &example); err != nil {
				t.Fatal(err)
			}
			p := &party{world: newWorld(t, 1), records: memory{}, chains: new(ChainCache)}
			p.now = p.now.Add(time.Hour)
			for _, record := range example.Records {
				p.records[Key{record.Collection, record.Owner, record.Number}] = record.Value
			}
			p.goesOn(example)
		})
	}
}

func (p *party) goesOn(example stored) {
	p.t.Helper()
	request := p.sealNext(example.With)
	if !bytes.Equal(request.Recipients[0].Envelopes[0].Ciphertext, example.Unsent) {
		p.t.Fatal("another try does not send the same bytes")
	}
	p.step(func(h Host) (Step, error) { return h.Accepted(request, Receipt{AcceptedAt: p.now}) })
	if reason := refusal(p.receive(example.Waiting)); reason != "" {
		p.t.Fatalf("refused for %q", reason)
	}
	p.wants(example.With, slices.Concat(example.Texts, []string{example.Text})...)
	p.compose(example.With, "and on")
	if kind := p.sealUntil(example.With).Recipients[0].Envelopes[0].Kind; kind != KindBox && kind != KindSession {
		p.t.Fatalf("goes on with a %s", kind)
	}
}

// sealUntil gives the request for the first message of an outbox, past receipts that wait before it.
func (p *party) sealUntil(to identity.UserID) *SendMessage {
	p.t.Helper()
	for {
		request := p.sealNext(to)
		if request.History > 0 {
			return request
		}
		p.step(func(h Host) (Step, error) { return h.Accepted(request, Receipt{AcceptedAt: p.now}) })
	}
}
