package history

import "fmt"

// Rule names a rule of the contract.
type Rule string

// The rules; doc.go tells them. RuleNonsense is none of the server's: the history itself makes no sense.
const (
	RuleLost         Rule = "lost"
	RuleTwice        Rule = "twice"
	RuleAcknowledged Rule = "acknowledged"
	RuleOrder        Rule = "order"
	RuleGap          Rule = "gap"
	RuleChanged      Rule = "changed"
	RuleContent      Rule = "content"
	RuleInvented     Rule = "invented"
	RuleRefused      Rule = "refused"
	RuleAnswer       Rule = "answer"
	RuleRemoved      Rule = "removed"
	RuleNonsense     Rule = "nonsense"
)

// Breach is one line at which the contract is broken.
type Breach struct {
	Line int64 // from 1; behind the last line, what is missing at the end
	Rule Rule
	Text string
}

func (b Breach) String() string { return fmt.Sprintf("line %d: %s: %s", b.Line, b.Rule, b.Text) }
