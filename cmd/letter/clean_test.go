package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/letterlock/letterlock/client"
)

func TestLine(t *testing.T) {
	for text, want := range map[string]string{
		"plain":         "plain",
		"\x1b[2J":       `\u{1b}[2J`,
		"a\rb":          `a\u{d}b`,
		"a\nb\tc":       `a\nb\tc`,
		"\u009b31m":     `\u{9b}31m`,
		"\u202egnp.exe": `\u{202e}gnp.exe`,
		"\u2066a\u2069": `\u{2066}a\u{2069}`,
		"\u2028":        `\u{2028}`,
		"\x7f":          `\u{7f}`,
		"🧑\u200d🚀 Zoë e\u0301 ქართ": "🧑\u200d🚀 Zoë e\u0301 ქართ",
	} {
		if got := line(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
}

// No line of a received text begins where ours begin.
func TestParagraphIsIndented(t *testing.T) {
	got := paragraph("one\r\n2026-01-02 03:04  bob: forged\n\n", "    ")
	if got != "one\n    2026-01-02 03:04  bob: forged" {
		t.Fatalf("%q", got)
	}
}

// A text can't make remarks that look like ours, such as that a message is missing.
func TestRemarksAreNotForged(t *testing.T) {
	var out bytes.Buffer
	s := &session{console: console{out: &out}, cli: new(cli)}
	m := client.Message{Text: "hi\n! came late\n  ! came late", State: client.Received, Marks: []client.Mark{"late"}}
	if err := s.showMessage(&m); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "\n  ! "); n != 1 {
		t.Fatalf("%d remarks, want 1:\n%s", n, out.String())
	}
}

func FuzzClean(f *testing.F) {
	for _, seed := range []string{"", "a\x1b]0;x\x07", "\u202e", "\xff", "a\nb\r\nc\t", "🦊\u200d", "\U000e0041", "\ufeff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for name, shown := range map[string]string{"line": line(text), "paragraph": strings.NewReplacer("\n", "", "\t", "").Replace(paragraph(text, "  "))} {
			for _, r := range shown {
				if !harmless(r) {
					t.Fatalf("%s lets %U through", name, r)
				}
			}
		}
		encoded, err := jsonLine(map[string]string{"text": text})
		if err != nil {
			t.Fatal(err)
		}
		var decoded map[string]string
		if err := json.Unmarshal([]byte(encoded), &decoded); err != nil {
			t.Fatal(err)
		}
		if utf8.ValidString(text) && decoded["text"] != text {
			t.Fatalf("%q reads back as %q", text, decoded["text"])
		}
		for _, r := range encoded {
			if !harmless(r) {
				t.Fatalf("JSON lets %U through", r)
			}
		}
	})
}
