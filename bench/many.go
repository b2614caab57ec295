package main

import (
	"context"
	"fmt"

	"github.com/letterlock/letterlock/internal/load"
)

// many is sendMessages: what groups and big senders make.
type many struct {
	Senders    int `help:"How many devices send, each one call after the other." default:"8"`
	Receivers  int `help:"How many devices receive." default:"64"`
	Messages   int `help:"Messages in a call." default:"25"`
	Recipients int `help:"Recipients of a message, each with one device." default:"8"`
}

func (m *many) shape() load.Shape {
	return load.Shape{Bulk: true, Messages: m.Messages, Recipients: m.Recipients}
}

// Run measures.
func (m *many) Run(ctx context.Context, b *bench) error {
	stores, err := b.stores()
	if err != nil {
		return err
	}
	var columns []*column
	for _, store := range stores {
		for _, late := range []bool{false, true} {
			label := store + ", live receivers"
			if late {
				label = store + ", nobody connected"
			}
			columns = append(columns, &column{label: label, measure: func(ctx context.Context, binary string) (sample, error) {
				return b.flood(ctx, wanted{store: store, binary: binary, people: m.Senders + m.Receivers, env: roomy()},
					flood{senders: m.Senders, way: load.OverSocket, shape: m.shape(), late: late})
			}})
		}
	}
	text := fmt.Sprintf("%d devices make one call of `sendMessages` after the other on their sockets: %d messages to %d devices each, %d envelopes of %d B, in turn to %d devices; %v a run. "+
		"Where nobody is connected, all is received and checked after the counted time.",
		m.Senders, m.Messages, m.Recipients, m.shape().Envelopes(), b.Size, m.Receivers, b.Duration)
	return b.compare(ctx, tell{"many", text, b.Runs}, columns)
}
