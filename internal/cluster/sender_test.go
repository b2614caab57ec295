package cluster_test

import (
	"context"
	"fmt"

	"github.com/letterlock/letterlock/internal/testserver"
)

// sender sends one message after the other, to one receiver or two.
type sender struct {
	*client
	// sent are the ids of what each receiver must get, in order.
	sent map[*receiver][]string
}

// run sends count messages. Each is repeated with its id until it is acknowledged.
func (s *sender) run(ctx context.Context, count int, to []*receiver) error {
	for n := range count {
		chosen := s.random.Perm(len(to))[:1+s.random.IntN(2)]
		input := testserver.Message(s.cluster.t, fmt.Sprint(n), s.device, to[chosen[0]].device)
		if len(chosen) == 2 {
			second := testserver.Message(s.cluster.t, fmt.Sprint(n), s.device, to[chosen[1]].device)
			input["recipients"] = append(input["recipients"].([]any), second["recipients"].([]any)...)
		}
		if err := s.send(ctx, input); err != nil {
			return fmt.Errorf("message %d: %w", n, err)
		}
		for _, i := range chosen {
			s.sent[to[i]] = append(s.sent[to[i]], input["messageId"].(string))
		}
		s.cluster.progress.Add(1)
	}
	return nil
}

func (s *sender) send(ctx context.Context, input map[string]any) error {
	var data struct {
		SendMessage struct{ Deliveries []struct{ Status string } }
	}
	if err := s.call(ctx, testserver.SendMessage, map[string]any{"input": input}, &data); err != nil {
		return err
	}
	for _, delivery := range data.SendMessage.Deliveries {
		if delivery.Status != "STORED" {
			return fmt.Errorf("an envelope is %s", delivery.Status)
		}
	}
	return nil
}
