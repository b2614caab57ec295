// Package testacme runs Pebble, the small ACME authority of Let's Encrypt's makers, inside a test. It asks each name at
// 127.0.0.1.
package testacme

import (
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"
)

// Authority is an authority that is there until the test ends.
type Authority struct {
	// Directory is its URL, and CA a file with what its own certificate is checked by.
	Directory, CA string
	// Pool is what trusts those whom it has certified.
	Pool *x509.CertPool

	t       testing.TB
	store   *db.MemoryStore
	inner   *ca.CAImpl
	looking chan struct{} // closed when handler is set
	handler http.Handler
	orders  atomic.Int64
}

// Start starts an authority. Until it is told by Look where to look it lets wait.
func Start(t testing.TB) *Authority {
	t.Helper()
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	t.Setenv("PEBBLE_WFE_NONCEREJECT", "0")
	a := &Authority{t: t, Pool: x509.NewCertPool(), store: db.NewMemoryStore(), looking: make(chan struct{})}
	a.inner = ca.New(quiet(), a.store, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {Description: "for tests"}})
	if !a.Pool.AppendCertsFromPEM(a.inner.GetRootCert(0).PEM()) {
		t.Fatal("the authority has no root")
	}
	front := httptest.NewUnstartedServer(http.HandlerFunc(a.serve))
	front.Config.ErrorLog = quiet() // servers that stop hang up
	front.StartTLS()
	t.Cleanup(front.Close)
	a.Directory = front.URL + wfe.DirectoryPath
	a.CA = filepath.Join(t.TempDir(), "acme.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: front.Certificate().Raw})
	if err := os.WriteFile(a.CA, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return a
}

// Look has the authority answer, and look at the names on these ports. It is to be called once.
func (a *Authority) Look(tlsPort, httpPort int) {
	a.t.Helper()
	looking := va.New(quiet(), httpPort, tlsPort, false, resolver(a.t), a.store)
	front := wfe.New(quiet(), a.store, looking, a.inner, []string{"pebble.letsencrypt.org"}, false, false, 1, 1)
	a.handler = front.Handler()
	close(a.looking)
}

// Orders gives how often somebody has asked for a certificate.
func (a *Authority) Orders() int { return int(a.orders.Load()) }

func (a *Authority) serve(w http.ResponseWriter, r *http.Request) {
	select {
	case <-a.looking:
	case <-r.Context().Done():
		return
	}
	if r.URL.Path == "/order-plz" {
		a.orders.Add(1)
	}
	a.handler.ServeHTTP(w, r)
}

// resolver starts a name server to which every name is at 127.0.0.1, and gives its address.
func resolver(t testing.TB) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &dns.Server{Listener: listener, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, asked *dns.Msg) {
		answer := new(dns.Msg).SetReply(asked)
		for _, q := range asked.Question {
			if q.Qtype == dns.TypeA {
				answer.Answer = append(answer.Answer, &dns.A{
					Hdr: dns.RR_Header{Name: q.Name, Rrtype: dns.TypeA, Class: dns.ClassINET}, A: net.IPv4(127, 0, 0, 1),
				})
			}
		}
		_ = w.WriteMsg(answer) // who has gone asks again
	})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.ActivateAndServe() // ends with the listener
	}()
	t.Cleanup(func() {
		_, _ = server.Shutdown(), listener.Close() // one of them, if it had not begun
		<-done
	})
	return listener.Addr().String()
}

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }
