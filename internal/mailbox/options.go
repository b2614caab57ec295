package mailbox

import (
	"log/slog"
	"time"

	"github.com/letterlock/letterlock/internal/wakeup"
)

// Hub carries the wake-ups of mailboxes.
type Hub = wakeup.Hub[Message]

// Limits are the bounds of sends and mailboxes. A zero field means its default.
type Limits struct {
	// MaxMessages is how many messages may wait in one mailbox; default 20,000.
	MaxMessages int64
	// MaxBytes is how many bytes of ciphertext may wait in one mailbox; default 128 MiB.
	MaxBytes int64
	// MaxMessagesPerSender is how many of the messages in one mailbox may come from one user; default 5,000.
	MaxMessagesPerSender int64
	// MaxCiphertextBytes is the longest ciphertext of an envelope; default 66,560.
	MaxCiphertextBytes int
	// MaxEnvelopesPerSend is how many envelopes a send may have; default 200.
	MaxEnvelopesPerSend int
	// MessageLifetime is how long a message waits at the most; default 30 days.
	MessageLifetime time.Duration
}

// Options are what a Service needs besides its database. A zero field means its default.
type Options struct {
	Limits Limits
	// Now is the clock; default time.Now.
	Now func() time.Time
	// Logger gets what an operator needs to know, and never who wrote to whom; default slog.Default().
	Logger *slog.Logger
	// Hub carries wake-ups; by default one for this Service alone.
	Hub Hub
	// Observer is told what the Service does; by default nobody is.
	Observer Observer
	// LookAgain is how often readers look at the store without a wake-up; default 5 s. Each round is moved by up to a
	// fifth at random.
	LookAgain time.Duration
	// SweepEvery is how often expired messages are deleted and old message ids forgotten; default 1 minute.
	SweepEvery time.Duration
	// RetryFor bounds how long a send or acknowledgement is tried again while the store fails; default 10 s.
	RetryFor time.Duration
}

func (o Options) withDefaults() Options {
	o.Limits = o.Limits.withDefaults()
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Hub == nil {
		o.Hub = wakeup.NewLocal[Message]()
	}
	if o.Observer == nil {
		o.Observer = unobserved{}
	}
	setDefault(&o.LookAgain, 5*time.Second)
	setDefault(&o.SweepEvery, time.Minute)
	setDefault(&o.RetryFor, 10*time.Second)
	return o
}

func (l Limits) withDefaults() Limits {
	setDefault(&l.MaxMessages, 20_000)
	setDefault(&l.MaxBytes, 128<<20)
	setDefault(&l.MaxMessagesPerSender, 5_000)
	setDefault(&l.MaxCiphertextBytes, 66_560)
	setDefault(&l.MaxEnvelopesPerSend, 200)
	setDefault(&l.MessageLifetime, 30*24*time.Hour)
	return l
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
