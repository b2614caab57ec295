package history

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
)

// longestLine is more than any event takes.
const longestLine = 1 << 20

// Load reads a history, one JSON object a line, and checks it to its end.
func Load(r io.Reader) (*Checker, error) {
	c := New()
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, longestLine)
	for lines.Scan() {
		var e Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return nil, fmt.Errorf("line %d: %w", c.line+1, err)
		}
		c.Add(e)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("behind line %d: %w", c.line, err)
	}
	c.Finish()
	return c, nil
}
