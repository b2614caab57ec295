package check_test

import (
	"os"
	"testing"
	"time"

	"github.com/letterlock/letterlock/internal/certs"
	"github.com/letterlock/letterlock/internal/check"
	"github.com/letterlock/letterlock/internal/database"
	"github.com/letterlock/letterlock/internal/server"
	"github.com/letterlock/letterlock/internal/testacme"
	"github.com/letterlock/letterlock/internal/testcert"
)

func TestCertificateIsLookedOver(t *testing.T) {
	authority := testcert.New(t)
	files, other := authority.Files(), authority.Files()
	authority.Issue(other, time.Now().Add(time.Hour), "localhost")
	const day = 24 * time.Hour
	look := func(key string) check.Report {
		return looking(t, database.Config{DataDir: t.TempDir()}, func(c *server.Config) {
			c.TLS, c.PublicURLs = certs.Options{Cert: files.Cert, Key: key}, []string{"https://localhost:1"}
		})
	}
	for _, c := range []struct {
		until time.Duration
		name  string
		level check.Level
		says  string
	}{
		{60 * day, "localhost", check.OK, "valid until"},
		{13 * day, "localhost", check.Warn, "expires on"},
		{-time.Minute, "localhost", check.Fail, "has expired"},
		{91 * day, "localhost", check.Fail, "is valid from"},
		{60 * day, "chat.example.org", check.Warn, "not for localhost"},
	} {
		authority.Issue(files, time.Now().Add(c.until), c.name)
		report := look(files.Key)
		wants(t, report, "certificate", c.level, c.says)
		if report.Failed() != (c.level == check.Fail) {
			t.Errorf("%v: %+v", c.until, report)
		}
	}
	wants(t, look(other.Key), "certificate", check.Fail, "private key does not match")
	wants(t, look(files.Key+"x"), "certificate", check.Fail, "LETTERLOCK_TLS_KEY")
	if err := os.Chmod(files.Key, 0o644); err != nil {
		t.Fatal(err)
	}
	wants(t, look(files.Key), "certificate", check.Warn, "chmod 600")
}

func TestAuthorityIsAsked(t *testing.T) {
	authority := testacme.Start(t)
	authority.Look(1, 1)
	look := func(directory string) check.Report {
		return looking(t, database.Config{DataDir: t.TempDir()}, func(c *server.Config) {
			c.PublicURLs = []string{"https://localhost:1"}
			c.TLS = certs.Options{Domains: []string{"chat.example.org"}, Directory: directory, CA: authority.CA}
		})
	}
	wants(t, look(authority.Directory), "certificate", check.OK, "answers")
	wants(t, look("https://127.0.0.1:1/dir"), "certificate", check.Warn, "LETTERLOCK_ACME_DIRECTORY")
}
