package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/letterlock/letterlock/client"
	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/limits"
	"github.com/letterlock/letterlock/internal/server"
)

// stage is a server with an embedded database and a directory for homes, for one example.
func stage() (url, homes string, end func()) {
	homes, err := os.MkdirTemp("", "letterlock-example-")
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s, err := server.New(ctx, server.Config{
		Addr: "127.0.0.1:0", Database: database.Config{DataDir: filepath.Join(homes, "server")}, Limits: limits.Default(),
	})
	if err != nil {
		log.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	return s.Origins()[0], homes, func() {
		cancel()
		if err := errors.Join(<-done, os.RemoveAll(homes)); err != nil {
			log.Fatal(err)
		}
	}
}

// Two users, one message.
func Example() {
	url, homes, end := stage()
	defer end()
	ctx := context.Background()

	alice, err := client.Init(ctx, client.Options{Home: filepath.Join(homes, "alice"), Server: url})
	if err != nil {
		log.Fatal(err)
	}
	defer alice.Close()
	bob, err := client.Init(ctx, client.Options{Home: filepath.Join(homes, "bob"), Server: url})
	if err != nil {
		log.Fatal(err)
	}
	defer bob.Close()

	// Bob's id becomes known to the server when he registers, and to Alice because he tells her.
	if err := bob.Register(ctx); err != nil {
		log.Fatal(err)
	}
	if _, err := alice.Send(ctx, bob.UserID(), "hello"); err != nil {
		log.Fatal(err)
	}
	err = bob.Inbox(ctx, func(_ context.Context, notice client.Notice) error {
		fmt.Println(notice.Message.Sender == alice.UserID(), notice.Message.Text)
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output: true hello
}

// Listen runs until its context ends; here that is once the answer has come.
func ExampleClient_Listen() {
	url, homes, end := stage()
	defer end()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	alice, err := client.Init(ctx, client.Options{Home: filepath.Join(homes, "alice"), Server: url})
	if err != nil {
		log.Fatal(err)
	}
	defer alice.Close()
	echo, err := client.Init(ctx, client.Options{Home: filepath.Join(homes, "echo"), Server: url})
	if err != nil {
		log.Fatal(err)
	}
	defer echo.Close()
	if err := echo.Register(ctx); err != nil {
		log.Fatal(err)
	}

	// A service that answers.
	ended := make(chan error, 1)
	go func() {
		ended <- echo.Listen(ctx, func(ctx context.Context, notice client.Notice) error {
			if m := notice.Message; m != nil && !m.Outgoing() {
				_, err := echo.Send(ctx, m.Sender, "you said: "+m.Text)
				return err
			}
			return nil
		})
	}()

	if _, err := alice.Send(ctx, echo.UserID(), "hello"); err != nil {
		log.Fatal(err)
	}
	answered, stop := context.WithCancel(ctx)
	err = alice.Listen(answered, func(_ context.Context, notice client.Notice) error {
		fmt.Println(notice.Message.Text)
		stop()
		return nil
	})
	fmt.Println(err)
	cancel()
	fmt.Println(<-ended)
	// Output:
	// you said: hello
	// context canceled
	// context canceled
}

// Without a server the message stays in the outbox, and goes out when there is one.
func ExampleQueuedError() {
	url, homes, end := stage()
	defer end()
	ctx := context.Background()
	bob, err := client.Init(ctx, client.Options{Home: filepath.Join(homes, "bob"), Server: url})
	if err != nil {
		log.Fatal(err)
	}
	defer bob.Close()
	if err := bob.Register(ctx); err != nil {
		log.Fatal(err)
	}

	// Nobody listens on port 1. Patience below 0 means one try.
	nowhere := client.Options{Home: filepath.Join(homes, "alice"), Server: "http://127.0.0.1:1", Patience: -1}
	alice, err := client.Init(ctx, nowhere)
	if err != nil {
		log.Fatal(err)
	}
	_, err = alice.Send(ctx, bob.UserID(), "are you there?")
	var queued *client.QueuedError
	fmt.Println(errors.As(err, &queued), queued.Message.State)
	if err := alice.Close(); err != nil {
		log.Fatal(err)
	}

	alice, err = client.Open(ctx, client.Options{Home: filepath.Join(homes, "alice"), Server: url})
	if err != nil {
		log.Fatal(err)
	}
	defer alice.Close()
	if err := alice.Flush(ctx); err != nil {
		log.Fatal(err)
	}
	history, err := alice.History(ctx, bob.UserID(), 0, 10)
	fmt.Println(history[0].Text, history[0].State, err)
	// Output:
	// true queued
	// are you there? sent <nil>
}
