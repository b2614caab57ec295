package history

// Kind says what an event tells.
type Kind string

// The kinds of events. What they hold besides their kind is in brackets.
const (
	// Added: a device is on its user's list. [Device]
	Added Kind = "added"
	// Remove: a call begins that takes a device off the list. [Device]
	Remove Kind = "remove"
	// Removed: a call that takes a device off was answered. [Device]
	Removed Kind = "removed"

	// Send: a try of a send begins. [Device, the sender; Message; To: whom it goes to, with contents]
	Send Kind = "send"
	// Stored: a try was answered. [Device, Message, At, To: what became of each]
	Stored Kind = "stored"
	// Refused: a try was answered with an error. [Device, Message, Code, Outcome]
	Refused Kind = "refused"
	// Unanswered: a try broke off; what became of it is not known. [Device, Message]
	Unanswered Kind = "unanswered"
	// Done: the sender will not try again. [Device, Message]
	Done Kind = "done"

	// Read: a reading begins, of a subscription or of pages. [Device, Reading, Position: behind which, 0 without a cursor]
	Read Kind = "read"
	// Got: a reading has shown an envelope. [Reading, Position, Sender, Message, Content]
	Got Kind = "got"
	// Closed: a reading is over. [Reading, AtEnd]
	Closed Kind = "closed"

	// Acknowledge: a try of an acknowledgement begins. [Device, Position]
	Acknowledge Kind = "acknowledge"
	// Acknowledged: it was answered. [Device, Position, Count: how many it has removed]
	Acknowledged Kind = "acknowledged"
)

// Event is one line of a history.
type Event struct {
	Kind     Kind       `json:"kind"`
	Device   string     `json:"device,omitempty"`
	Message  string     `json:"message,omitempty"`
	To       []Envelope `json:"to,omitempty"`
	At       string     `json:"at,omitempty"` // when the server accepted it, as it says
	Code     string     `json:"code,omitempty"`
	Outcome  string     `json:"outcome,omitempty"` // what a refusal says was stored: NO, YES or UNKNOWN
	Reading  int64      `json:"reading,omitempty"`
	Position int64      `json:"position,omitempty"`
	Sender   string     `json:"sender,omitempty"`
	Content  string     `json:"content,omitempty"`
	AtEnd    bool       `json:"atEnd,omitempty"` // the server said that nothing waits behind
	Count    int64      `json:"count,omitempty"`
}

// Envelope is one device's part of a send. Content stands for what was sealed, whatever its form; in an answer there is a status
// instead.
type Envelope struct {
	Device  string `json:"device"`
	Content string `json:"content,omitempty"`
	Status  string `json:"status,omitempty"`
}

// The statuses and outcomes that the rules know.
const (
	StatusStored = "STORED"
	StatusFull   = "MAILBOX_FULL"
	OutcomeNo    = "NO"
)

// listChanged is the code of a refusal that holds for earlier tries of the same content too: a list never goes back.
const listChanged = "DEVICE_LIST_CHANGED"
