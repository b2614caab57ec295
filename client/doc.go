// Package client is Letterlock's SDK: one device of one user, which sends and receives end-to-end encrypted messages
// through a Letterlock server. Keys are made here and never leave; messages are sealed and opened here; history stays here,
// in an encrypted directory, the home.
//
// # A first message
//
// Init makes the keys of a new user in a home. From then on Open opens it:
//
//	alice, err := client.Init(ctx, client.Options{Home: "alice", Server: "https://chat.example.com"})
//	if errors.Is(err, client.ErrHasKeys) {
//		alice, err = client.Open(ctx, client.Options{Home: "alice", Server: "https://chat.example.com"})
//	}
//	if err != nil {
//		return err
//	}
//	defer alice.Close()
//
// A user is known by an id, the hash of a key. Give it to others over a channel that you trust: who has the right id can
// check everything that the server says below it, and the server can swap no keys unnoticed.
//
//	fmt.Println(alice.UserID())
//
// To send, all one needs is the other's id. Send returns when the server has the message on disk:
//
//	bob, err := client.ParseUserID("ufyyvk6ifipqkopzb2zrwnhifqxct7nj6")
//	...
//	_, err = alice.Send(ctx, bob, "hello")
//
// # Is it the right id?
//
// Who has got an id over a channel that may have been tampered with compares safety numbers: 60 digits that both see alike,
// or a code that one scans from the other's screen. Verify remembers it:
//
//	number, err := alice.SafetyNumber(ctx, bob)
//	fmt.Println(number)                   // and number.Code() as a QR code
//	err = alice.Verify(ctx, bob, scanned) // ErrSafetyMismatch: somebody may stand between
//
// When a contact's name comes to stand for another user, or there is an alarm about a verified one, nothing is sent to them
// (ErrContactChanged, ErrContactAlarm) until Accept; Trust tells what waits.
//
// # Strangers
//
// Whoever has the id can write. IsRequest tells that a user has, whom nobody here has named or written to; until somebody does they learn
// nothing, not even that it was delivered. Block takes nothing from a user any more, here and on the server, and does not tell them:
//
//	if request, err := alice.IsRequest(ctx, message.Peer); request {
//		err = alice.Block(ctx, message.Peer) // Unblock takes it back; Blocked lists them
//	}
//
// # Several devices
//
// Join makes a further device of an existing user, in a home without keys. It shows a code, which Link reads on a device that
// the user has; both ask before anything happens. Devices lists what one has, Unlink removes a device for good:
//
//	phone, err := client.Join(ctx, client.Options{Home: "phone", Server: server}, client.LinkPrompt{Show: show, Confirm: ask})
//	_, err = alice.Link(ctx, code, false, ask) // on the device that there is
//
// # When the server is away
//
// From the moment that Send has begun, the message is kept in the home. If the server can't be reached, Send gives a
// *QueuedError, and the next Send to the same user, Flush, Inbox or Listen sends it, once, however often it has to try. A
// *SendError says that it will never be sent, and why:
//
//	var queued *client.QueuedError
//	var failed *client.SendError
//	switch {
//	case errors.As(err, &queued): // queued.Message is in the outbox; queued.Err says what was in the way
//	case errors.As(err, &failed): // client.Explain(failed.Reason) says it in plain words
//	}
//
// # Receiving
//
// Listen hands over what came in while nobody was there, then whatever comes, until its context ends. It reconnects by
// itself:
//
//	err = alice.Listen(ctx, func(ctx context.Context, notice client.Notice) error {
//		if m := notice.Message; m != nil {
//			fmt.Printf("%s: %s\n", m.Sender, m.Text)
//		}
//		return nil
//	})
//
// A [Handler] sees each notice once, or once more after a crash in its midst. What it returned nil for is acknowledged, and
// the server forgets it. Inbox does the same for what waits, and returns.
//
// A [Notice] may also be something that a user must see: messages that are missing before this one (Message.Missing), marks
// (ExplainMark), an envelope that was refused (ExplainRefusal), or an alarm: the server shows something of a user's devices
// that can't be true (ExplainAlarm). Nothing that alarms is taken over.
//
// # The home
//
// Everything a client knows lies in its home, encrypted under a key file that only its owner can read, or under a
// passphrase (Options.Passphrase). A lost home is a lost device: keys and history have no copy anywhere. A copied home
// is a second device that the first does not know of; both break.
//
// Several clients, also of several processes, may share a home: each step takes the store only while it needs it. One
// of them at a time may receive; see ErrListening.
//
// # Sessions
//
// Messages travel in sessions between devices, with forward secrecy: a client looks after its prekeys by itself, whenever
// it talks to the server. What the other side could not open it asks for again, sealed, if the two have written to each
// other before (Message.Resends). A home that was copied or put back from a backup is noticed by what the server has
// accepted, and starts new sessions. Options.Boxes makes a device for clients that know no sessions; it has none of this.
//
// The protocol is docs/protocol.md.
package client
