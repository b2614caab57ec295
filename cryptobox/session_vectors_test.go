package cryptobox_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/mlkem"
	"crypto/mlkem/mlkemtest"
	"io"
	"testing"
	"time"

	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/identity"
)

var ecdhX25519 = ecdh.X25519()

// memberVector is one side of a session in the vectors.
type memberVector struct{ User, Device, Agreement, AgreementSeed hexBytes }

func (m memberVector) member() cryptobox.Member {
	return cryptobox.Member{
		UserKey: identity.SigningPublicKey(m.User), Device: identity.DeviceID(m.Device), AgreementKey: identity.AgreementPublicKey(m.Agreement),
	}
}

// prekeyVector is a prekey with its private half.
type prekeyVector struct {
	Kind      identity.PrekeyKind
	Number    uint32
	Seed, Key hexBytes
}

// agreementInputs are all inputs of PQXDH.
type agreementInputs struct {
	Starter, Answerer                         memberVector
	Signed                                    prekeyVector
	OneTime                                   *prekeyVector
	KEM                                       prekeyVector
	EphemeralSeed, Encapsulation, RatchetSeed hexBytes
}

func (in *agreementInputs) bundle() cryptobox.PrekeyBundle {
	peer := in.Answerer.member()
	prekey := func(kind identity.PrekeyKind, p prekeyVector) identity.Prekey {
		return identity.Prekey{Kind: kind, User: identity.NewUserID(peer.UserKey), Device: peer.Device, Number: p.Number, Key: p.Key}
	}
	bundle := cryptobox.PrekeyBundle{Signed: prekey(identity.PrekeySigned, in.Signed), KEM: prekey(in.KEM.Kind, in.KEM)}
	if in.OneTime != nil {
		oneTime := prekey(identity.PrekeyOneTime, *in.OneTime)
		bundle.OneTime = &oneTime
	}
	return bundle
}

func (in *agreementInputs) start(t testing.TB, shared *[]byte) *cryptobox.Session {
	t.Helper()
	random := bytes.NewReader(append(bytes.Clone(in.EphemeralSeed), in.RatchetSeed...))
	encapsulate := func(key *mlkem.EncapsulationKey768) ([]byte, []byte, error) {
		secret, ciphertext, err := mlkemtest.Encapsulate768(key, in.Encapsulation)
		*shared = bytes.Clone(secret)
		return secret, ciphertext, err
	}
	own := must(cryptobox.AgreementKeyFromSeed(in.Starter.AgreementSeed))
	session, err := cryptobox.StartSessionWith(random, encapsulate, own, in.Starter.member(), in.Answerer.member(), in.bundle())
	if err != nil || random.Len() > 0 {
		t.Fatalf("start: %v, %d random bytes left", err, random.Len())
	}
	return session
}

func (in *agreementInputs) private() cryptobox.PrivatePrekeys {
	private := cryptobox.PrivatePrekeys{
		Signed: must(cryptobox.X25519PrekeyFromSeed(in.Signed.Seed)), KEM: must(cryptobox.KEMPrekeyFromSeed(in.KEM.Seed)),
	}
	if in.OneTime != nil {
		private.OneTime = must(cryptobox.X25519PrekeyFromSeed(in.OneTime.Seed))
	}
	return private
}

func (in *agreementInputs) accept(starter, answerer memberVector, preamble *cryptobox.Preamble) (*cryptobox.Session, error) {
	own := must(cryptobox.AgreementKeyFromSeed(in.Answerer.AgreementSeed))
	return cryptobox.AcceptSession(own, answerer.member(), starter.member(), preamble, in.private())
}

type agreementVector struct {
	vector
	agreementInputs
	Base                                         string
	DH                                           []hexBytes
	KEMCiphertext, KEMShared                     hexBytes
	AssociatedData, Preamble                     hexBytes
	Root, StarterHeader, AnswererHeader          hexBytes
	StarterRoot, StarterChain, StarterNextHeader hexBytes
	Random, Plaintext, Envelope                  hexBytes
}

func TestAgreementVectors_R1(t *testing.T) {
	bases := map[string]agreementVector{}
	for _, v := range loadVectors[agreementVector](t, "pqxdh.json") {
		if v.Base == "" {
			bases[v.Name] = v
		}
	}
	eachVector(t, "pqxdh.json", func(t *testing.T, v agreementVector) {
		if v.Base == "" {
			v.isMadeAgain(t)
			v.wantClass(t, v.arrives(t, v))
			return
		}
		base, known := bases[v.Base]
		if !known {
			t.Fatalf("there is no case %q", v.Base)
		}
		v.wantClass(t, v.arrives(t, base))
	})
}

// isMadeAgain makes a first message of a vector's inputs, and looks at all that lies between.
func (v *agreementVector) isMadeAgain(t *testing.T) {
	t.Helper()
	var shared []byte
	session := v.start(t, &shared)
	state := session.Marshal()
	for name, pair := range map[string][2][]byte{
		"KEM shared key": {shared, v.KEMShared}, "associated data": {state[1:33], v.AssociatedData}, "root": {state[33:65], v.StarterRoot},
		"seed of the ratchet key": {state[65:97], v.RatchetSeed}, "next sending header key": {state[97:129], v.StarterNextHeader},
		"next receiving header key": {state[129:161], v.AnswererHeader}, "header key": {state[162:194], v.StarterHeader},
		"chain key": {state[194:226], v.StarterChain},
	} {
		if !bytes.Equal(pair[0], pair[1]) {
			t.Errorf("%s: %x, want %x", name, pair[0], pair[1])
		}
	}
	envelope, err := session.Encrypt(bytes.NewReader(v.Random), v.Plaintext)
	if err != nil || !bytes.Equal(envelope, v.Envelope) || !bytes.HasPrefix(envelope, v.Preamble) {
		t.Errorf("first message: other bytes, %v", err)
	}
	v.agreesInParts(t)
}

// agreesInParts looks at the single agreements, which no function of the package shows.
func (v *agreementVector) agreesInParts(t *testing.T) {
	t.Helper()
	agree := func(seed, public []byte) []byte {
		return must(must(ecdhX25519.NewPrivateKey(seed)).ECDH(must(ecdhX25519.NewPublicKey(public))))
	}
	ephemeral := must(ecdhX25519.NewPrivateKey(v.EphemeralSeed)).PublicKey().Bytes()
	want := [][]byte{
		agree(v.Signed.Seed, v.Starter.Agreement), agree(v.Answerer.AgreementSeed, ephemeral), agree(v.Signed.Seed, ephemeral),
	}
	if v.OneTime != nil {
		want = append(want, agree(v.OneTime.Seed, ephemeral))
	}
	if len(v.DH) != len(want) {
		t.Fatalf("%d agreements", len(v.DH))
	}
	for i := range want {
		if !bytes.Equal(want[i], v.DH[i]) {
			t.Errorf("DH%d differs", i+1)
		}
	}
	if shared := must(must(mlkem.NewDecapsulationKey768(v.KEM.Seed)).Decapsulate(v.KEMCiphertext)); !bytes.Equal(shared, v.KEMShared) {
		t.Error("the KEM's shared key differs")
	}
}

// arrives gives the envelope to the answerer of base, as this vector shows both sides.
func (v *agreementVector) arrives(t *testing.T, base agreementVector) error {
	t.Helper()
	starter, answerer := base.Starter, base.Answerer
	if v.Base != "" && v.Starter.User != nil {
		starter = v.Starter
	}
	if v.Base != "" && v.Answerer.User != nil {
		answerer = v.Answerer
	}
	preamble, message, err := cryptobox.ParseStart(v.Envelope)
	if err != nil {
		return err
	}
	session, err := base.accept(starter, answerer, preamble)
	if err != nil {
		return err
	}
	state := session.Marshal()
	if v.Base == "" && !(bytes.Equal(state[1:33], v.AssociatedData) && bytes.Equal(state[33:65], v.Root) &&
		bytes.Equal(state[97:129], v.AnswererHeader) && bytes.Equal(state[129:161], v.StarterHeader)) {
		t.Error("the answerer agrees on other keys")
	}
	plaintext, err := session.Decrypt(nil, sentAt, message)
	if err == nil && !bytes.Equal(plaintext, v.Plaintext) {
		t.Errorf("opened %q", plaintext)
	}
	return err
}

func TestRatchetVectors_R3(t *testing.T) {
	type ratchetVector struct {
		vector
		Kind                                 string
		Root, Seed, Peer                     hexBytes
		NewRoot, Chain, Header               hexBytes
		Message, Next                        hexBytes
		Key, AssociatedData, Ratchet, Sealed hexBytes
		Previous, Number                     uint32
	}
	eachVector(t, "ratchet.json", func(t *testing.T, v ratchetVector) {
		switch v.Kind {
		case "root":
			own := must(cryptobox.X25519PrekeyFromSeed(v.Seed))
			root, chain, header, err := cryptobox.RatchetRoot([32]byte(v.Root), own, [32]byte(v.Peer))
			v.wantClass(t, err)
			if err == nil && !(bytes.Equal(root[:], v.NewRoot) && bytes.Equal(chain[:], v.Chain) && bytes.Equal(header[:], v.Header)) {
				t.Errorf("%x, %x, %x", root, chain, header)
			}
		case "chain":
			message, next := cryptobox.Advance([32]byte(v.Chain))
			if !bytes.Equal(message[:], v.Message) || !bytes.Equal(next[:], v.Next) {
				t.Errorf("%x, %x", message, next)
			}
		case "header":
			ratchet, previous, number, err := cryptobox.OpenHeader([32]byte(v.Key), [32]byte(v.AssociatedData), v.Sealed)
			v.wantClass(t, err)
			if err == nil && (!bytes.Equal(ratchet[:], v.Ratchet) || previous != v.Previous || number != v.Number) {
				t.Errorf("%x, %d, %d", ratchet, previous, number)
			}
		default:
			t.Fatalf("unknown kind %q", v.Kind)
		}
	})
}

// stepVector is one step of one side in the conversation of session_script.json.
type stepVector struct {
	vector
	Do, By                      string
	Start                       bool
	Now                         int64 `json:",string"`
	Random, Plaintext, Envelope hexBytes
}

type sessionScript struct {
	Inputs agreementInputs
	Steps  []stepVector
}

func loadScript(t testing.TB) (script sessionScript) {
	t.Helper()
	loadJSON(t, "session_script.json", &script)
	if len(script.Steps) == 0 {
		t.Fatal("the script has no steps")
	}
	return script
}

// play does one step, with its side written to its record and read again after it.
func (v *stepVector) play(t testing.TB, sides map[string]*cryptobox.Session, in *agreementInputs) {
	t.Helper()
	switch v.Do {
	case "seal":
		random := bytes.NewReader(v.Random)
		if sides[v.By].Started() != v.Start {
			t.Fatalf("%s: start %v", v.Name, !v.Start)
		}
		envelope, err := sides[v.By].Encrypt(random, v.Plaintext)
		if err != nil || random.Len() > 0 || !bytes.Equal(envelope, v.Envelope) {
			t.Fatalf("%s: other bytes, %v", v.Name, err)
		}
	case "open":
		plaintext, err := v.open(sides, in)
		v.wantClass(t, err)
		if !bytes.Equal(plaintext, v.Plaintext) {
			t.Fatalf("%s: opened %q", v.Name, plaintext)
		}
	default:
		t.Fatalf("unknown step %q", v.Do)
	}
	sides[v.By] = must(cryptobox.ParseSession(sides[v.By].Marshal()))
}

func (v *stepVector) open(sides map[string]*cryptobox.Session, in *agreementInputs) ([]byte, error) {
	message := []byte(v.Envelope)
	if v.Start {
		preamble, rest, err := cryptobox.ParseStart(message)
		if err != nil {
			return nil, err
		}
		message = rest
		if sides[v.By] == nil {
			if sides[v.By], err = in.accept(in.Starter, in.Answerer, preamble); err != nil {
				return nil, err
			}
		}
	}
	return sides[v.By].Decrypt(io.LimitReader(bytes.NewReader(v.Random), 32), time.Unix(v.Now, 0), message)
}

// TestSessionScript_R3 plays the conversation: the same bytes, the same refusals.
func TestSessionScript_R3(t *testing.T) {
	script := loadScript(t)
	var shared []byte
	sides := map[string]*cryptobox.Session{"starter": script.Inputs.start(t, &shared)}
	for _, step := range script.Steps {
		step.play(t, sides, &script.Inputs)
	}
}

// stateVector is what a release has stored of one side, after so many steps of the script.
type stateVector struct {
	vector
	By    string
	Steps int
	State hexBytes
}

// TestStateOfVersion1IsRead: a session that a release has stored goes on where it was. The file is never written again; a
// state of another layout has another version, and an example of its own.
func TestStateOfVersion1IsRead(t *testing.T) {
	script := loadScript(t)
	eachVector(t, "state_v1.json", func(t *testing.T, v stateVector) {
		session, err := cryptobox.ParseSession(v.State)
		v.wantClass(t, err)
		if err != nil {
			return
		}
		sides := map[string]*cryptobox.Session{v.By: session}
		for _, step := range script.Steps[v.Steps:] {
			if step.By == v.By {
				step.play(t, sides, &script.Inputs)
			}
		}
	})
}
