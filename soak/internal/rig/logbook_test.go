package rig

import (
	"strings"
	"testing"
)

// What no log may hold is found wherever it stands, and nothing else is taken for it.
func TestLogbookFindsSecrets(t *testing.T) {
	secret := map[string]string{
		"user":       "msg=x user=uabcdefghijklmnopqrstuvwxyz234567",
		"device":     `cause="look up dabcdefghijklmnopqrstuvwxyz234567: EOF"`,
		"token":      "Bearer eyJhbGciOiJFZERTQSJ9.eyJzdWIi",
		"message id": "msg=x id=019abcde-f012-7345-8678-9abcdef01234",
		"key":        "msg=x key=" + strings.Repeat("Ab1_", 11),
		"bytes":      `error="duplicate (\x0123456789abcdef0123)"`,
	}
	for name, line := range secret {
		l := newLogbook()
		write(t, l, "level=INFO msg=serving\n"+line[:len(line)/2], line[len(line)/2:]+"\nlevel=INFO msg=stopped\n")
		if _, found, _ := l.found(); found != line+"\n" {
			t.Errorf("of a %s this was found: %q", name, found)
		}
	}
	l := newLogbook()
	write(t, l, "level=WARN msg=\"mailbox: a batch is tried again\" error=\"failed to connect to `user=letterlock database="+
		"letterlock_scratch_4e4lwofw4i4ckanqx25vhxjfjn`: 127.0.0.1:15176: FATAL: the database system is starting up (SQLSTATE 57P03)\"\n")
	if _, found, warned := l.found(); found != "" || warned == "" {
		t.Errorf("this was taken for a secret: %q, and for a warning: %q", found, warned)
	}
}

func TestLogbookReadsAllLives(t *testing.T) {
	l := newLogbook()
	l.watch([]string{"msg=serving"})
	write(t, l, "msg=serving\npanic: oh", "\nmsg=serv")
	l.end() // killed in the middle
	write(t, l, "msg=serving\n")
	if n := l.count("msg=serving"); n != 2 {
		t.Errorf("it was said %d times", n)
	}
	if defects, _, _ := l.found(); defects != "panic: oh\n" {
		t.Errorf("the defects are %q", defects)
	}
}

func write(t *testing.T, l *logbook, pieces ...string) {
	t.Helper()
	for _, piece := range pieces {
		if n, err := l.Write([]byte(piece)); n != len(piece) || err != nil {
			t.Fatal(n, err)
		}
	}
}
