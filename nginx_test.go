package main

import (
	"os"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/letterlock/letterlock/internal/limits"
)

// nginx in front passes on what the server takes, and waits longer than the server is silent.
func TestNginxFitsTheServer(t *testing.T) {
	text, err := os.ReadFile("deploy/nginx/letterlock.conf")
	if err != nil {
		t.Fatal(err)
	}
	number := func(form string) int64 {
		t.Helper()
		found := regexp.MustCompile(`(?m)^ *` + form + `;$`).FindSubmatch(text)
		if found == nil {
			t.Fatalf("there is no %s", form)
		}
		n, err := strconv.ParseInt(string(found[1]), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	defaults := limits.Default()
	if n := number(`client_max_body_size (\d+)m`) << 20; n != defaults.MaxRequestBytes {
		t.Errorf("bodies of %d bytes are passed on, and %d taken", n, defaults.MaxRequestBytes)
	}
	if wait := time.Duration(number(`proxy_read_timeout (\d+)s`)) * time.Second; wait < 2*defaults.PingInterval {
		t.Errorf("a silence of %v ends a socket, and pings come every %v", wait, defaults.PingInterval)
	}
}
