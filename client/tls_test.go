package client_test

import (
	"crypto/tls"
	"testing"
	"time"

	"github.com/letterlock/letterlock/client"
	"github.com/letterlock/letterlock/internal/certs"
	"github.com/letterlock/letterlock/internal/testcert"
	"github.com/letterlock/letterlock/internal/testserver"
)

// The SDK speaks TLS with a server whose authority the program names, for calls and sockets, and with no other.
func TestServerWithAPrivateAuthority(t *testing.T) {
	authority := testcert.New(t)
	files := authority.Files()
	authority.Issue(files, time.Now().Add(time.Hour), "localhost")
	s := testserver.Start(t, testserver.Options{TLS: certs.Options{Cert: files.Cert, Key: files.Key}, Roots: authority.Pool})
	trusting := func(o *client.Options) { o.TLS = &tls.Config{RootCAs: authority.Pool, MinVersion: tls.VersionTLS12} }
	alice, bob := person(t, s.URL, trusting), person(t, s.URL, trusting)
	listening := listen(t, bob)
	send(t, alice, bob.UserID(), "over TLS")
	listening.text("over TLS")
	listening.stop()

	options := client.Options{Home: t.TempDir() + "/home", Server: s.URL, Patience: -1}
	stranger, err := client.Init(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, stranger)
	if err := stranger.Register(t.Context()); err == nil {
		t.Error("a certificate of an unknown authority is taken")
	}
}
