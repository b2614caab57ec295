// Package testcert makes certificates for tests, by an authority that nobody else trusts.
package testcert

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Authority signs certificates.
type Authority struct {
	// Pool is what trusts it, and File the same as PEM.
	Pool *x509.CertPool
	File string

	t    testing.TB
	dir  string
	root *x509.Certificate
	key  *ecdsa.PrivateKey
}

// Files are a certificate and its key.
type Files struct{ Cert, Key string }

// New makes an authority.
func New(t testing.TB) *Authority {
	t.Helper()
	a := &Authority{Pool: x509.NewCertPool(), t: t, dir: t.TempDir(), key: newKey(t)}
	template := a.template(time.Now().Add(24 * time.Hour))
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	a.root = a.sign(template, template, a.key)
	a.Pool.AddCert(a.root)
	a.File = filepath.Join(a.dir, "root.pem")
	a.write(a.File, "CERTIFICATE", a.root.Raw)
	return a
}

// Files gives names for a certificate and its key in a new directory.
func (a *Authority) Files() Files {
	dir := a.t.TempDir()
	return Files{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
}

// Issue makes a certificate for names and addresses, and writes it with its key into files. It is valid until then.
func (a *Authority) Issue(files Files, until time.Time, names ...string) *x509.Certificate {
	a.t.Helper()
	template := a.template(until)
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	key := newKey(a.t)
	leaf := a.sign(template, a.root, key)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	a.write(files.Cert, "CERTIFICATE", leaf.Raw)
	a.write(files.Key, "PRIVATE KEY", der)
	return leaf
}

func (a *Authority) template(until time.Time) *x509.Certificate {
	a.t.Helper()
	number, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		a.t.Fatal(err)
	}
	return &x509.Certificate{
		SerialNumber: number, Subject: pkix.Name{CommonName: "Letterlock test " + number.String()},
		NotBefore: until.Add(-90 * 24 * time.Hour), NotAfter: until,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
}

func (a *Authority) sign(template, parent *x509.Certificate, key *ecdsa.PrivateKey) *x509.Certificate {
	a.t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return certificate
}

func (a *Authority) write(name, kind string, der []byte) {
	a.t.Helper()
	if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		a.t.Fatal(err)
	}
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
