package rig

import (
	"bytes"
	"io"
	"regexp"
	"strings"
	"sync"
)

// logbook reads what a server logs, line by line, in all its lives. Of what it has read it keeps the end, and the first lines that
// should not be there.
type logbook struct {
	mu      sync.Mutex
	copy    io.Writer      // of all lines; nil for nowhere
	phrases map[string]int // how many lines had each
	begun   []byte         // of a line that has not ended
	text    []byte
	defects lines
	secrets lines
	warned  lines
}

// lines are the first of a kind.
type lines []byte

func (l *lines) add(line []byte) {
	if len(*l) < longestTail {
		*l = append(*l, line...)
	}
}

const longestTail = 64 << 10

func newLogbook() *logbook { return &logbook{phrases: map[string]int{}} }

// Write is io.Writer's.
func (l *logbook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.begun = append(l.begun, b...)
	for {
		i := bytes.IndexByte(l.begun, '\n')
		if i < 0 {
			return len(b), nil
		}
		l.read(l.begun[:i+1])
		l.begun = l.begun[i+1:]
	}
}

// end reads a line that a killed server has left unfinished.
func (l *logbook) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.begun) > 0 {
		l.read(append(l.begun, '\n'))
		l.begun = nil
	}
}

func (l *logbook) read(line []byte) {
	if isDefect(line) {
		l.defects.add(line)
	}
	if hasSecret(line) {
		l.secrets.add(line)
	}
	if bytes.Contains(line, []byte("level=WARN")) || bytes.Contains(line, []byte("level=ERROR")) {
		l.warned.add(line)
	}
	for phrase := range l.phrases {
		if bytes.Contains(line, []byte(phrase)) {
			l.phrases[phrase]++
		}
	}
	if l.copy != nil {
		_, _ = l.copy.Write(line) // who has no room for it has the run all the same
	}
	l.text = append(l.text, line...)
	if len(l.text) > 2*longestTail {
		l.text = append([]byte(nil), l.text[len(l.text)-longestTail:]...)
	}
}

// isDefect tells lines that no trouble from outside explains.
func isDefect(line []byte) bool {
	for _, sign := range []string{"panic:", "fatal error:", "requestId=", "DATA RACE"} {
		if bytes.Contains(line, []byte(sign)) {
			return true
		}
	}
	return false
}

// secrets are what no log may hold at any level: who it was (docs/threat-model.md), and what lets others in or was sealed.
var secrets = regexp.MustCompile(strings.Join([]string{
	`\b[ud][a-z2-7]{32}\b`, // ids of users and devices
	`eyJ`,                  // how tokens begin
	`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`, // ids of messages
	`[A-Za-z0-9+/_-]{43,}`, // keys, statements, ciphertexts: base64 of 32 bytes and more
	`\\x[0-9a-f]{16,}`,     // bytes as PostgreSQL writes them
}, "|"))

// scratch are the names of runs' databases, which are long.
var scratch = regexp.MustCompile(`letterlock_scratch_[a-z0-9]+`)

func hasSecret(line []byte) bool { return secrets.Match(scratch.ReplaceAll(line, nil)) }

// watch has it count the lines with some words, from now on.
func (l *logbook) watch(phrases []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range phrases {
		l.phrases[p] += 0
	}
}

// count gives how many lines had words that are watched.
func (l *logbook) count(phrase string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.phrases[phrase]
}

// found gives the first lines of each kind.
func (l *logbook) found() (defects, secrets, warnings string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.defects), string(l.secrets), string(l.warned)
}

// String gives the end.
func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text[max(0, len(l.text)-4<<10):])
}
