package history_test

import (
	"bytes"
	"slices"
	"strconv"
	"testing"

	"github.com/letterlock/letterlock/soak/internal/history"
)

// The events of the histories below. Messages come from a, and go to b where nothing else is said.

func added(device string) history.Event { return history.Event{Kind: history.Added, Device: device} }

func send(message string, to ...string) history.Event {
	return history.Event{Kind: history.Send, Device: "a", Message: message, To: envelopes(message, to, false)}
}

func stored(message string, to ...string) history.Event {
	return history.Event{Kind: history.Stored, Device: "a", Message: message, At: "t-" + message, To: envelopes(message, to, true)}
}

func envelopes(message string, to []string, answer bool) []history.Envelope {
	if len(to) == 0 {
		to = []string{"b"}
	}
	var list []history.Envelope
	for _, device := range to {
		e := history.Envelope{Device: device, Content: content(message, device)}
		if answer {
			e = history.Envelope{Device: device, Status: history.StatusStored}
		}
		list = append(list, e)
	}
	return list
}

func content(message, device string) string { return message + " for " + device }

func refused(code string) history.Event {
	return history.Event{Kind: history.Refused, Device: "a", Message: "1", Code: code, Outcome: history.OutcomeNo}
}

func done(message string) history.Event {
	return history.Event{Kind: history.Done, Device: "a", Message: message}
}

func read(reading, after int64) history.Event {
	return history.Event{Kind: history.Read, Device: "b", Reading: reading, Position: after}
}

func got(reading, position int64, message string) history.Event {
	return history.Event{
		Kind: history.Got, Reading: reading, Position: position, Sender: "a", Message: message, Content: content(message, "b"),
	}
}

func atEnd(reading int64) history.Event {
	return history.Event{Kind: history.Closed, Reading: reading, AtEnd: true}
}

func acknowledge(position int64) history.Event {
	return history.Event{Kind: history.Acknowledge, Device: "b", Position: position}
}

func acknowledged(position, removed int64) history.Event {
	return history.Event{Kind: history.Acknowledged, Device: "b", Position: position, Count: removed}
}

func with(e history.Event, change func(*history.Event)) history.Event {
	change(&e)
	return e
}

// check runs a history among a, b and c, and gives the rules that it breaks.
func check(events ...history.Event) []history.Rule {
	c := history.New()
	for _, e := range slices.Concat([]history.Event{added("a"), added("b"), added("c")}, events) {
		c.Add(e)
	}
	c.Finish()
	breaches, _ := c.Breaches()
	var rules []history.Rule
	for _, b := range breaches {
		rules = append(rules, b.Rule)
	}
	return rules
}

var one, two = []history.Event{send("1"), stored("1")}, []history.Event{send("2"), stored("2")}

// What the contract allows: repeats, redelivery, calls whose outcome stays unknown, refusals.
func TestGoodHistories(t *testing.T) {
	removal := []history.Event{{Kind: history.Remove, Device: "b"}, {Kind: history.Removed, Device: "b"}}
	for name, events := range map[string][]history.Event{
		"nothing":                        {},
		"sent and read":                  {send("1"), stored("1"), done("1"), read(1, 0), got(1, 1, "1"), atEnd(1)},
		"shown before it is answered":    {send("1"), read(1, 0), got(1, 1, "1"), stored("1")},
		"repeated":                       {send("1"), send("1"), stored("1"), stored("1"), read(1, 0), got(1, 1, "1")},
		"never answered, never seen":     {send("1"), {Kind: history.Unanswered, Device: "a", Message: "1"}, done("1"), read(1, 0), atEnd(1)},
		"never answered, seen":           {send("1"), {Kind: history.Unanswered, Device: "a", Message: "1"}, read(1, 0), got(1, 1, "1"), atEnd(1)},
		"refused, then stored":           {send("1"), refused("OVERLOADED"), send("1"), stored("1"), read(1, 0), got(1, 1, "1")},
		"stored, repeated while too hot": {send("1"), stored("1"), send("1"), refused("OVERLOADED"), read(1, 0), got(1, 1, "1")},
		"redelivered":                    {send("1"), stored("1"), read(1, 0), got(1, 1, "1"), read(2, 0), got(2, 1, "1")},
		"two readings at once":           {send("1"), send("2"), read(1, 0), got(1, 1, "2"), read(2, 0), got(2, 1, "2"), got(2, 2, "1"), got(1, 2, "1"), stored("1"), stored("2")},
		"acknowledged while it is read": {send("1"), send("2"), read(1, 0), got(1, 1, "1"), got(1, 2, "2"), read(2, 0), acknowledge(1),
			got(2, 2, "2"), acknowledged(1, 1), stored("1"), stored("2")},
		"acknowledged twice":      {send("1"), stored("1"), read(1, 0), got(1, 1, "1"), acknowledge(1), acknowledge(1), acknowledged(1, 1), acknowledged(1, 0)},
		"an id for other content": {send("1"), refused("DEVICE_LIST_CHANGED"), send("1", "b", "c"), stored("1", "b", "c"), read(1, 0), got(1, 1, "1"), {Kind: history.Read, Device: "c", Reading: 2}, with(got(2, 1, "1"), func(e *history.Event) { e.Content = content("1", "c") })},
		"a full mailbox":          {send("1"), with(stored("1"), func(e *history.Event) { e.To[0].Status = history.StatusFull }), done("1"), read(1, 0), atEnd(1)},
		"removed with mail":       append([]history.Event{send("1"), stored("1")}, removal...),
		"removed while it reads":  append(append([]history.Event{send("1"), read(1, 0)}, removal...), got(1, 1, "1"), atEnd(1), stored("1"), done("1")),
	} {
		if rules := check(events...); len(rules) > 0 {
			t.Errorf("%s: %v", name, rules)
		}
	}
}

func TestEachRule(t *testing.T) {
	removed := []history.Event{{Kind: history.Remove, Device: "b"}, {Kind: history.Removed, Device: "b"}}
	all := func(lists ...[]history.Event) []history.Event { return slices.Concat(lists...) }
	list := func(events ...history.Event) []history.Event { return events }
	for name, test := range map[string]struct {
		rule   history.Rule
		events []history.Event
	}{
		"never seen":                {history.RuleLost, one},
		"not shown by a whole read": {history.RuleLost, all(one, list(read(1, 0), atEnd(1), read(2, 0), got(2, 1, "1")))},
		"passed by a later one":     {history.RuleLost, all(one, two, list(read(1, 0), got(1, 1, "2"), got(1, 2, "1")))},
		"one of two devices":        {history.RuleLost, list(send("1", "b", "c"), stored("1", "b", "c"), read(1, 0), got(1, 1, "1"))},
		"two positions":             {history.RuleTwice, all(one, list(read(1, 0), got(1, 1, "1"), got(1, 2, "1")))},
		"back behind an acknowledgement": {history.RuleAcknowledged,
			all(one, list(read(1, 0), got(1, 1, "1"), acknowledge(1), acknowledged(1, 1), read(2, 0), got(2, 1, "1")))},
		"again after all was over": {history.RuleInvented, all(one, list(done("1"), read(1, 0), got(1, 1, "1"), acknowledge(1), acknowledged(1, 1), got(1, 2, "1")))},
		"backwards":                {history.RuleOrder, all(one, two, list(read(1, 0), got(1, 1, "1"), got(1, 2, "2"), got(1, 1, "1")))},
		"the same again":           {history.RuleOrder, all(one, list(read(1, 0), got(1, 1, "1"), got(1, 1, "1")))},
		"behind the cursor": {history.RuleOrder,
			all(one, two, list(read(1, 0), got(1, 1, "1"), got(1, 2, "2"), read(2, 1), got(2, 1, "1")))},
		"a first position that is not 1": {history.RuleGap, all(one, list(read(1, 0), got(1, 2, "1")))},
		"a number left out":              {history.RuleGap, all(one, two, list(read(1, 0), got(1, 1, "1"), got(1, 3, "2")))},
		"a number left out when shown again": {history.RuleGap,
			all(one, two, list(read(1, 0), got(1, 1, "1"), got(1, 2, "2"), read(2, 0), got(2, 2, "2")))},
		"another message at the position": {history.RuleChanged, all(one, two, list(read(1, 0), got(1, 1, "1"), got(1, 2, "2"), read(2, 0), got(2, 1, "2")))},
		"other content":                   {history.RuleContent, all(one, list(read(1, 0), with(got(1, 1, "1"), func(e *history.Event) { e.Content = "x" })))},
		"other content when shown again": {history.RuleChanged,
			all(one, list(read(1, 0), got(1, 1, "1"), read(2, 0), with(got(2, 1, "1"), func(e *history.Event) { e.Content = "x" })))},
		"sent by nobody":           {history.RuleInvented, list(read(1, 0), got(1, 1, "1"))},
		"sent by somebody else":    {history.RuleInvented, all(one, list(read(1, 0), with(got(1, 1, "1"), func(e *history.Event) { e.Sender = "c" })))},
		"sent to somebody else":    {history.RuleInvented, list(send("1", "c"), read(1, 0), got(1, 1, "1"))},
		"refused, and there":       {history.RuleRefused, list(send("1"), refused("OVERLOADED"), read(1, 0), got(1, 1, "1"))},
		"there, and refused":       {history.RuleRefused, list(send("1"), read(1, 0), got(1, 1, "1"), refused("OVERLOADED"))},
		"an old list, and there":   {history.RuleRefused, list(send("1"), send("1"), refused("DEVICE_LIST_CHANGED"), read(1, 0), got(1, 1, "1"))},
		"another answer":           {history.RuleAnswer, list(send("1"), stored("1"), send("1"), with(stored("1"), func(e *history.Event) { e.At = "x" }), read(1, 0), got(1, 1, "1"))},
		"stored, then unknown":     {history.RuleAnswer, list(send("1"), stored("1"), send("1"), refused("MESSAGE_ID_REUSED"), read(1, 0), got(1, 1, "1"))},
		"full, and there":          {history.RuleAnswer, list(send("1"), with(stored("1"), func(e *history.Event) { e.To[0].Status = history.StatusFull }), read(1, 0), got(1, 1, "1"))},
		"removes twice":            {history.RuleAnswer, all(one, list(read(1, 0), got(1, 1, "1"), acknowledge(1), acknowledged(1, 1), acknowledge(1), acknowledged(1, 1)))},
		"removes more":             {history.RuleAnswer, all(one, list(read(1, 0), got(1, 1, "1"), acknowledge(1), acknowledged(1, 2)))},
		"stored for a removed one": {history.RuleRemoved, all(removed, one)},
		"shown to a removed one":   {history.RuleRemoved, all(one, removed, list(read(1, 0), got(1, 1, "1")))},
		"shown to one that reads":  {history.RuleRemoved, all(list(read(1, 0)), removed, list(send("1"), got(1, 1, "1")))},
		"sent by a removed one": {history.RuleRemoved, list(history.Event{Kind: history.Remove, Device: "a"}, history.Event{Kind: history.Removed, Device: "a"},
			send("1"), stored("1"), read(1, 0), got(1, 1, "1"))},
		"no such reading": {history.RuleNonsense, list(got(1, 1, "1"))},
		"no such device":  {history.RuleNonsense, list(history.Event{Kind: history.Read, Device: "x", Reading: 1})},
		"no such kind":    {history.RuleNonsense, list(history.Event{Kind: "x"})},
	} {
		if rules := check(test.events...); !slices.Contains(rules, test.rule) {
			t.Errorf("%s: %v, want %s among them", name, rules, test.rule)
		}
	}
}

// A history that was written down is judged as it was when it happened.
func TestAWrittenHistoryIsJudgedTheSame(t *testing.T) {
	var file bytes.Buffer
	log := history.NewLog(&file)
	for _, e := range []history.Event{added("a"), added("b"), send("1"), stored("1"), read(1, 0), got(1, 2, "1")} {
		log.Add(e)
	}
	live, err := log.Close()
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := history.Load(&file)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := live.Breaches()
	have, _ := loaded.Breaches()
	if !slices.Equal(have, want) || len(want) != 1 || loaded.Operations() != live.Operations() {
		t.Errorf("%v, want %v", have, want)
	}
	if _, err := history.Load(bytes.NewReader([]byte("no JSON"))); err == nil {
		t.Error("a file that is no history was read")
	}
}

// What is over is forgotten: a history may be as long as it likes. This one has a million lines.
func TestLongHistoriesTakeNoMemory(t *testing.T) {
	c := history.New()
	for _, e := range []history.Event{added("a"), added("b"), read(1, 0)} {
		c.Add(e)
	}
	round := func(n int64) {
		m := strconv.FormatInt(n, 10)
		for _, e := range []history.Event{
			send(m), stored(m), got(1, n, m), send(m), stored(m), done(m), acknowledge(n), acknowledged(n, 1),
		} {
			c.Add(e)
		}
	}
	for n := range int64(125_000) {
		round(n + 1)
	}
	if held := c.Held(); held > 20 {
		t.Errorf("%d things are remembered when all is over", held)
	}
	if breaches, n := c.Breaches(); n > 0 {
		t.Error(breaches)
	}
}
