// Command outside is a program of another module: it sees of the SDK what anybody sees.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/letterlock/letterlock/client"
)

func main() {
	if err := run(context.Background(), os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, server, homes string) error {
	alice, err := open(ctx, client.Options{Home: filepath.Join(homes, "alice"), Server: server})
	if err != nil {
		return err
	}
	defer alice.Close()
	bob, err := open(ctx, client.Options{Home: filepath.Join(homes, "bob"), Server: server})
	if err != nil {
		return err
	}
	defer bob.Close()
	if err := bob.Register(ctx); err != nil {
		return err
	}
	to, err := client.ParseUserID(bob.UserID().String())
	if err != nil {
		return err
	}
	message, err := alice.Send(ctx, to, "from outside")
	var queued *client.QueuedError
	if errors.As(err, &queued) {
		return queued.Err
	}
	if err != nil || message.State != client.Sent {
		return fmt.Errorf("state %s: %w", message.State, err)
	}
	return bob.Inbox(ctx, show)
}

// show spells out every type that a handler meets.
func show(_ context.Context, notice client.Notice) error {
	switch {
	case notice.Message != nil:
		var m client.Message = *notice.Message
		var id client.MessageID = m.ID
		var from client.UserID = m.Sender
		var device client.DeviceID = m.Device
		fmt.Println(m.Text, len(id), len(from), len(device), m.Outgoing())
		for _, mark := range m.Marks {
			fmt.Println(client.ExplainMark(mark))
		}
	case notice.Refusal != nil:
		fmt.Println(client.ExplainRefusal(notice.Refusal.Reason))
	case notice.Alarm != nil:
		fmt.Println(client.ExplainAlarm(notice.Alarm.Reason))
	}
	return nil
}

func open(ctx context.Context, options client.Options) (*client.Client, error) {
	c, err := client.Init(ctx, options)
	if errors.Is(err, client.ErrHasKeys) {
		return client.Open(ctx, options)
	}
	return c, err
}
