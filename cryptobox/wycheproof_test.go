package cryptobox_test

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/mlkem"
	"crypto/mlkem/mlkemtest"
	"crypto/sha256"
	"slices"
	"testing"

	"golang.org/x/crypto/chacha20poly1305"
	"golang.org/x/crypto/nacl/secretbox"
	"golang.org/x/crypto/salsa20/salsa" //nolint:staticcheck // crypto_box is made of it, and the agreed value alone goes in

	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/testvectors"
)

func TestHKDF_Wycheproof(t *testing.T) {
	type hkdfCase struct {
		testvectors.Case
		IKM, Salt, Info, OKM testvectors.Hex
		Size                 int
	}
	testvectors.Each(t, "hkdf_sha256_test.json", 86, func(t *testing.T, _ testvectors.Group[hkdfCase], c hkdfCase) {
		got, err := hkdf.Key(sha256.New, c.IKM, c.Salt, string(c.Info), c.Size)
		if (err == nil) != c.Valid() {
			t.Errorf("case %d (%s, %v): %v, want %s", c.TcID, c.Comment, c.Flags, err, c.Result)
		}
		if err == nil && !bytes.Equal(got, c.OKM) {
			t.Errorf("case %d (%s): other bytes", c.TcID, c.Comment)
		}
	})
}

func TestHMAC_Wycheproof(t *testing.T) {
	type macCase struct {
		testvectors.Case
		Key, Msg, Tag testvectors.Hex
	}
	testvectors.Each(t, "hmac_sha256_test.json", 174, func(t *testing.T, g testvectors.Group[macCase], c macCase) {
		mac := hmac.New(sha256.New, c.Key)
		mac.Write(c.Msg)
		tag := mac.Sum(nil)[:g.TagSize/8]
		if accepted := hmac.Equal(tag, c.Tag); accepted != c.Valid() {
			t.Errorf("case %d (%s, %v): accepted %v, want %s", c.TcID, c.Comment, c.Flags, accepted, c.Result)
		}
	})
}

// Our nonces are arrays of 24 bytes: one of another size can't reach the cipher.
func TestXChaCha20Poly1305_Wycheproof(t *testing.T) {
	type aeadCase struct {
		testvectors.Case
		Key, IV, AAD, Msg, CT, Tag testvectors.Hex
	}
	testvectors.Each(t, "xchacha20_poly1305_test.json", 315, func(t *testing.T, _ testvectors.Group[aeadCase], c aeadCase) {
		aead, err := chacha20poly1305.NewX(c.Key)
		if err != nil {
			t.Fatalf("case %d: %v", c.TcID, err)
		}
		if len(c.IV) != chacha20poly1305.NonceSizeX {
			if c.Valid() {
				t.Errorf("case %d (%s): a nonce of %d bytes is valid", c.TcID, c.Comment, len(c.IV))
			}
			return
		}
		sealed := slices.Concat(c.CT, c.Tag)
		opened, err := aead.Open(nil, c.IV, sealed, c.AAD)
		if (err == nil) != c.Valid() {
			t.Errorf("case %d (%s, %v): %v, want %s", c.TcID, c.Comment, c.Flags, err, c.Result)
		}
		if err != nil {
			return
		}
		if !bytes.Equal(opened, c.Msg) || !bytes.Equal(aead.Seal(nil, c.IV, c.Msg, c.AAD), sealed) {
			t.Errorf("case %d (%s): other bytes", c.TcID, c.Comment)
		}
	})
}

// mlkemCase has what the cases of the three files have.
type mlkemCase struct {
	testvectors.Case
	Seed, EK, M, C, K testvectors.Hex
}

func TestMLKEM768KeyGeneration_Wycheproof(t *testing.T) {
	testvectors.Each(t, "mlkem_768_keygen_seed_test.json", 100, func(t *testing.T, _ testvectors.Group[mlkemCase], c mlkemCase) {
		key, err := mlkem.NewDecapsulationKey768(c.Seed)
		if err != nil || !bytes.Equal(key.EncapsulationKey().Bytes(), c.EK) || !bytes.Equal(key.Bytes(), c.Seed) {
			t.Errorf("case %d (%s): another key, %v", c.TcID, c.Comment, err)
		}
	})
}

func TestMLKEM768Decapsulation_Wycheproof(t *testing.T) {
	testvectors.Each(t, "mlkem_768_test.json", 193, func(t *testing.T, _ testvectors.Group[mlkemCase], c mlkemCase) {
		shared, err := decapsulate(t, c)
		if (err == nil) != c.Valid() {
			t.Errorf("case %d (%s, %v): %v, want %s", c.TcID, c.Comment, c.Flags, err, c.Result)
		}
		if err == nil && !bytes.Equal(shared, c.K) {
			t.Errorf("case %d (%s): another shared key", c.TcID, c.Comment)
		}
	})
}

func decapsulate(t *testing.T, c mlkemCase) ([]byte, error) {
	t.Helper()
	key, err := mlkem.NewDecapsulationKey768(c.Seed)
	if err != nil {
		return nil, err
	}
	if len(c.EK) > 0 && !bytes.Equal(key.EncapsulationKey().Bytes(), c.EK) {
		t.Errorf("case %d (%s): another public key", c.TcID, c.Comment)
	}
	return key.Decapsulate(c.C)
}

func TestMLKEM768Encapsulation_Wycheproof(t *testing.T) {
	testvectors.Each(t, "mlkem_768_encaps_test.json", 265, func(t *testing.T, _ testvectors.Group[mlkemCase], c mlkemCase) {
		key, err := mlkem.NewEncapsulationKey768(c.EK)
		if (err == nil) != c.Valid() {
			t.Errorf("case %d (%s, %v): %v, want %s", c.TcID, c.Comment, c.Flags, err, c.Result)
		}
		if err != nil {
			return
		}
		shared, ciphertext, err := mlkemtest.Encapsulate768(key, c.M)
		if err != nil || !bytes.Equal(shared, c.K) || !bytes.Equal(ciphertext, c.C) {
			t.Errorf("case %d (%s): other bytes, %v", c.TcID, c.Comment, err)
		}
	})
}

// What a box is sealed with is the agreed value that X25519 must give, and what S2.3 and S2.4 refuse is sealed with nothing.
func TestBoxAgreement_Wycheproof(t *testing.T) {
	type xdhCase struct {
		testvectors.Case
		Public, Private, Shared testvectors.Hex
	}
	testvectors.Each(t, "x25519_test.json", 518, func(t *testing.T, _ testvectors.Group[xdhCase], c xdhCase) {
		_, refused := identity.ParseBoxPublicKey(c.Public)
		sealed, err := cryptobox.Seal(nil, []byte("hello"), identity.BoxPublicKey(c.Public), boxKey(t, c.Private))
		if (err == nil) != (refused == nil) {
			t.Errorf("case %d (%s, %v): %v, the key: %v", c.TcID, c.Comment, c.Flags, err, refused)
		}
		if err != nil {
			return
		}
		var key, agreed [32]byte
		copy(agreed[:], c.Shared)
		salsa.HSalsa20(&key, new([16]byte), &agreed, &salsa.Sigma)
		if opened, ok := secretbox.Open(nil, sealed.Ciphertext, &sealed.Nonce, &key); !ok || string(opened) != "hello" {
			t.Errorf("case %d (%s): agreed on something else", c.TcID, c.Comment)
		}
	})
}
