package cryptobox_test

import (
	"fmt"
	"testing"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/letterlock/letterlock/cryptobox"
)

// contentSizes are those of the issue; the last is the longest content there is.
var contentSizes = []int{64, 1024, cryptobox.MaxContentSize}

// BenchmarkFirstMessage is PQXDH on both sides, and the first message sealed and opened.
func BenchmarkFirstMessage(b *testing.B) {
	alice, bob := newPeer(b), newPeer(b)
	plaintext := make([]byte, 256)
	b.ReportAllocs()
	for b.Loop() {
		session := must(cryptobox.StartSession(nil, alice.agreement, alice.Member, bob.Member, bob.bundle))
		preamble, message, err := cryptobox.ParseStart(must(session.Encrypt(nil, plaintext)))
		if err != nil {
			b.Fatal(err)
		}
		answerer := must(cryptobox.AcceptSession(bob.agreement, bob.Member, alice.Member, preamble, bob.private))
		must(answerer.Decrypt(nil, sentAt, message))
	}
}

// BenchmarkTurn is a message that turns the ratchet, opened.
func BenchmarkTurn(b *testing.B) {
	c := established(b)
	message := c.seal(c.alice, "turns")
	state := c.bob.Marshal()
	b.ReportAllocs()
	for b.Loop() {
		must(must(cryptobox.ParseSession(state)).Decrypt(nil, sentAt, message))
	}
}

func BenchmarkEncrypt(b *testing.B) {
	for _, size := range contentSizes {
		b.Run(fmt.Sprintf("bytes=%d", size), func(b *testing.B) {
			c, plaintext := established(b), make([]byte, size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				must(c.alice.Encrypt(nil, plaintext))
			}
		})
	}
}

// BenchmarkDecrypt opens the next message of a chain. Sealing it is not measured.
func BenchmarkDecrypt(b *testing.B) {
	for _, size := range contentSizes {
		b.Run(fmt.Sprintf("bytes=%d", size), func(b *testing.B) {
			c, plaintext := established(b), make([]byte, size)
			c.says(c.alice, c.bob, "the chain is known")
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				message := must(c.alice.Encrypt(nil, plaintext))
				b.StartTimer()
				must(c.bob.Decrypt(nil, sentAt, message))
			}
		})
	}
}

// BenchmarkDecryptSkipped opens a message that skips MaxSkip others, and one that was skipped.
func BenchmarkDecryptSkipped(b *testing.B) {
	c := established(b)
	c.says(c.alice, c.bob, "the chain is known")
	state := c.bob.Marshal()
	late := c.seal(c.alice, "late")
	for range cryptobox.MaxSkip - 1 {
		c.seal(c.alice, "lost")
	}
	last := c.seal(c.alice, "last")
	b.Run("skips=1000", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			must(must(cryptobox.ParseSession(state)).Decrypt(nil, sentAt, last))
		}
	})
	c.opens(last, "last", c.bob)
	skipped := c.bob.Marshal()
	b.Run("kept=1000", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			must(must(cryptobox.ParseSession(skipped)).Decrypt(nil, sentAt, late))
		}
	})
}

// BenchmarkState writes a session and reads it again: small, with 1,000 kept keys, and with all that may be kept.
func BenchmarkState(b *testing.B) {
	for _, kept := range []int{0, cryptobox.MaxSkip, cryptobox.MaxKeptKeys} {
		b.Run(fmt.Sprintf("kept=%d", kept), func(b *testing.B) {
			c := established(b)
			for missing := kept; missing > 0; missing -= cryptobox.MaxSkip {
				for range cryptobox.MaxSkip {
					c.seal(c.alice, "lost")
				}
				c.says(c.alice, c.bob, "last")
			}
			b.ReportAllocs()
			for b.Loop() {
				must(cryptobox.ParseSession(c.bob.Marshal()))
			}
			b.ReportMetric(float64(len(c.bob.Marshal())), "state-B")
		})
	}
}

// BenchmarkSteadyState256 seals and opens 256 bytes in one chain. It stays under ten times BenchmarkBaselineNewX256.
func BenchmarkSteadyState256(b *testing.B) {
	c, plaintext := established(b), make([]byte, 256)
	c.says(c.alice, c.bob, "the chain is known")
	b.ReportAllocs()
	for b.Loop() {
		must(c.bob.Decrypt(nil, sentAt, must(c.alice.Encrypt(nil, plaintext))))
	}
}

// BenchmarkBaselineNewX256 is one XChaCha20-Poly1305 of the same bytes, with a key of its own and a nonce that is there.
func BenchmarkBaselineNewX256(b *testing.B) {
	key, nonce, plaintext := make([]byte, chacha20poly1305.KeySize), make([]byte, chacha20poly1305.NonceSizeX), make([]byte, 256)
	b.ReportAllocs()
	for b.Loop() {
		aead := must(chacha20poly1305.NewX(key))
		must(aead.Open(nil, nonce, aead.Seal(nil, nonce, plaintext, nil), nil))
	}
}
