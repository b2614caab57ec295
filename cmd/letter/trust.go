package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

// trust is how to speak TLS with a server whose certificate is checked by those of a file; nil, the system's ways, without one.
func trust(file string) (*tls.Config, error) {
	if file == "" {
		return nil, nil //nolint:nilnil // nil is what the client takes for the system's ways
	}
	text, err := os.ReadFile(file) // #nosec G304 -- the file that the user names
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate as PEM", file)
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, nil
}
