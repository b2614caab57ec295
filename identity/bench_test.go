package identity_test

import (
	"fmt"
	"testing"

	"github.com/letterlock/letterlock/identity"
)

func BenchmarkVerifyToken(b *testing.B) {
	alice := newPerson(b, "alice")
	origins := []string{"https://chat.example.org"}
	phone := alice.device("phone")
	raw, err := identity.NewToken(phone, alice.id(), origins[0], createdAt)
	if err != nil {
		b.Fatal(err)
	}
	key := phone.PublicKey()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := identity.VerifyToken(raw, key, origins, createdAt); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseDeviceList(b *testing.B) {
	alice := newPerson(b, "alice")
	for _, devices := range []int{1, 5, 100} {
		entries := make([]identity.Entry, devices)
		for i := range entries {
			entries[i] = alice.entry(fmt.Sprint("device ", i))
		}
		v1 := alice.list(nil, "device 0", entries[0])
		v2 := alice.list(v1, "device 0", entries...)
		b.Run(fmt.Sprintf("devices=%d", devices), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := identity.ParseDeviceList(v2); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParseChain(b *testing.B) {
	alice := newPerson(b, "alice")
	statements := [][]byte{alice.list(nil, "phone", alice.entry("phone"))}
	for len(statements) < 20 {
		statements = append(statements, alice.list(statements[len(statements)-1], "phone",
			alice.entry("phone"), alice.entry("laptop"), alice.entry("tablet")))
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := identity.ParseChain(alice.id(), statements); err != nil {
			b.Fatal(err)
		}
	}
}
