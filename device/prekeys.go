package device

import (
	"time"

	"github.com/letterlock/letterlock/cryptobox"
	"github.com/letterlock/letterlock/identity"
)

// How many prekeys a device has made known, and for how long (R2).
const (
	// rotatePrekeys is how long a signed prekey and a last-resort key are used.
	rotatePrekeys = 7 * 24 * time.Hour
	// fewPrekeys is when one-time keys are refilled, to fullPrekeys.
	fewPrekeys, fullPrekeys = 20, 50
	// maxPrekeys is how many private one-time keys of a kind are kept: those handed out and never used, too.
	maxPrekeys = 1000
)

// privatePrekey is the record of the private half of a prekey.
type privatePrekey struct {
	Seed      []byte
	Statement []byte `json:",omitempty"` // of a key that may have to be uploaded again
	CreatedAt time.Time
	Replaced  time.Time `json:",omitzero"` // by a newer one of its kind
}

// prekeyNumbers are the last numbers given out, by kind.
type prekeyNumbers struct {
	Signed, OneTime, KEMOneTime, KEMLastResort uint32
}

func (n *prekeyNumbers) of(kind identity.PrekeyKind) *uint32 {
	switch kind {
	case identity.PrekeySigned:
		return &n.Signed
	case identity.PrekeyOneTime:
		return &n.OneTime
	case identity.PrekeyKEMOneTime:
		return &n.KEMOneTime
	default:
		return &n.KEMLastResort
	}
}

func prekeyOwner(kind identity.PrekeyKind) string {
	return [...]string{"", "signed", "one-time", "kem-one-time", "kem-last-resort"}[kind]
}

func prekeyKey(kind identity.PrekeyKind, number uint32) Key {
	return Key{Collection: collectionPrekey, Owner: prekeyOwner(kind), Number: uint64(number)}
}

// PrekeyCount is what the server says that it has of this device's prekeys.
type PrekeyCount struct {
	OneTime, KEMOneTime   int
	Signed, KEMLastResort uint32 // numbers; 0 for none
}

// Prekeys gives the request to upload what the server lacks, or what is due for rotation; nothing for a device that takes
// no sessions. The private halves are in the step's writes: durable before anybody has the public ones.
func (h Host) Prekeys(held PrekeyCount) (Step, error) {
	w := h.begin()
	self, err := w.own()
	if err != nil {
		return Step{}, err
	}
	defer self.erase()
	entry, standing := self.chain.Device(self.Device)
	if standing != identity.Listed || !entry.Protocols.Has(identity.ProtocolSession) {
		return Step{}, nil
	}
	upload := &UploadPrekeys{}
	if upload.Signed, err = w.rotatePrekey(self, identity.PrekeySigned, held.Signed); err != nil {
		return Step{}, err
	}
	if upload.KEMLastResort, err = w.rotatePrekey(self, identity.PrekeyKEMLastResort, held.KEMLastResort); err != nil {
		return Step{}, err
	}
	if upload.OneTime, err = w.refillPrekeys(self, identity.PrekeyOneTime, held.OneTime); err != nil {
		return Step{}, err
	}
	if upload.KEMOneTime, err = w.refillPrekeys(self, identity.PrekeyKEMOneTime, held.KEMOneTime); err != nil {
		return Step{}, err
	}
	if upload.Signed != nil || upload.KEMLastResort != nil || len(upload.OneTime)+len(upload.KEMOneTime) > 0 {
		w.step.Requests = append(w.step.Requests, upload)
	}
	return w.done(w.forgetPreambles())
}

// rotatePrekey gives the statement of a new key if the newest is a week old, of the newest if the server has another one.
func (w *work) rotatePrekey(self *own, kind identity.PrekeyKind, held uint32) ([]byte, error) {
	var numbers prekeyNumbers
	if _, err := w.get(Key{Collection: collectionPrekeyNumbers}, &numbers); err != nil {
		return nil, err
	}
	last := *numbers.of(kind)
	var newest privatePrekey
	if last > 0 {
		if _, err := w.get(prekeyKey(kind, last), &newest); err != nil {
			return nil, err
		}
		if age := w.Now.Sub(newest.CreatedAt); age >= 0 && age < rotatePrekeys {
			if held == last {
				return nil, nil
			}
			return newest.Statement, nil
		}
		newest.Replaced = w.Now
		if err := w.put(prekeyKey(kind, last), newest); err != nil {
			return nil, err
		}
	}
	if err := w.forgetReplaced(kind); err != nil {
		return nil, err
	}
	return w.makePrekey(self, kind)
}

// forgetReplaced deletes private halves whose time is over (R2).
func (w *work) forgetReplaced(kind identity.PrekeyKind) error {
	records, err := w.Records.List(collectionPrekey, prekeyOwner(kind), 0, maxPrekeys)
	if err != nil {
		return err
	}
	for _, record := range records {
		var key privatePrekey
		if err := decode(record.Value, &key); err != nil {
			return err
		}
		if !key.Replaced.IsZero() && w.Now.Sub(key.Replaced) > retired {
			w.delete(Key{Collection: collectionPrekey, Owner: prekeyOwner(kind), Number: record.Number})
		}
	}
	return nil
}

func (w *work) refillPrekeys(self *own, kind identity.PrekeyKind, held int) (statements [][]byte, err error) {
	if held >= fewPrekeys {
		return nil, nil
	}
	for range fullPrekeys - max(0, held) {
		statement, err := w.makePrekey(self, kind)
		if err != nil {
			return nil, err
		}
		statements = append(statements, statement)
	}
	records, err := w.Records.List(collectionPrekey, prekeyOwner(kind), 0, 2*maxPrekeys)
	if err != nil {
		return nil, err
	}
	for _, record := range records[:max(0, len(records)+len(statements)-maxPrekeys)] {
		w.delete(Key{Collection: collectionPrekey, Owner: prekeyOwner(kind), Number: record.Number})
	}
	return statements, nil
}

// makePrekey makes the next key of a kind and gives its statement.
func (w *work) makePrekey(self *own, kind identity.PrekeyKind) ([]byte, error) {
	var numbers prekeyNumbers
	if _, err := w.get(Key{Collection: collectionPrekeyNumbers}, &numbers); err != nil {
		return nil, err
	}
	number := numbers.of(kind)
	*number++
	seed, public, err := w.generatePrekey(kind)
	if err != nil {
		return nil, err
	}
	signing, err := self.signingKey()
	if err != nil {
		return nil, err
	}
	prekey, err := identity.SignPrekey(identity.PrekeyFields{
		Kind: kind, User: self.User, Number: *number, CreatedAt: w.Now, Key: public,
	}, signing)
	if err != nil {
		return nil, err
	}
	if err := w.put(Key{Collection: collectionPrekeyNumbers}, numbers); err != nil {
		return nil, err
	}
	private := privatePrekey{Seed: seed, CreatedAt: w.Now}
	if kind == identity.PrekeySigned || kind == identity.PrekeyKEMLastResort {
		private.Statement = prekey.Statement()
	}
	return prekey.Statement(), w.put(prekeyKey(kind, *number), private)
}

func (w *work) generatePrekey(kind identity.PrekeyKind) (seed, public []byte, err error) {
	if kind == identity.PrekeySigned || kind == identity.PrekeyOneTime {
		key, err := cryptobox.GenerateX25519Prekey(w.Rand)
		if err != nil {
			return nil, nil, err
		}
		defer key.Erase()
		return key.Seed(), key.PublicKey(), nil
	}
	key, err := cryptobox.GenerateKEMPrekey(w.Rand)
	if err != nil {
		return nil, nil, err
	}
	defer key.Erase()
	return key.Seed(), key.PublicKey(), nil
}

// privatePrekeys finds what a preamble names, and says which of it is used up by it (R2). If it is not here it gives errPrekeyGone.
func (w *work) privatePrekeys(p *cryptobox.Preamble) (keys cryptobox.PrivatePrekeys, used []Key, err error) {
	seed, err := w.prekeySeed(prekeyKey(identity.PrekeySigned, p.Signed))
	if err != nil {
		return keys, nil, err
	}
	if keys.Signed, err = cryptobox.X25519PrekeyFromSeed(seed); err != nil {
		return keys, nil, err
	}
	kem := prekeyKey(p.KEMKind, p.KEM)
	if seed, err = w.prekeySeed(kem); err != nil {
		return keys, nil, err
	}
	if keys.KEM, err = cryptobox.KEMPrekeyFromSeed(seed); err != nil {
		return keys, nil, err
	}
	if p.KEMKind == identity.PrekeyKEMOneTime {
		used = append(used, kem)
	}
	if p.OneTime == 0 {
		return keys, used, nil
	}
	oneTime := prekeyKey(identity.PrekeyOneTime, p.OneTime)
	if seed, err = w.prekeySeed(oneTime); err != nil {
		return keys, nil, err
	}
	keys.OneTime, err = cryptobox.X25519PrekeyFromSeed(seed)
	return keys, append(used, oneTime), err
}

func (w *work) prekeySeed(key Key) ([]byte, error) {
	var private privatePrekey
	found, err := w.get(key, &private)
	if err == nil && (!found || !private.Replaced.IsZero() && w.Now.Sub(private.Replaced) > retired) {
		err = refusalError(PrekeyGone)
	}
	return private.Seed, err
}

// preambles is the record of the accepted preambles of one day (R2).
type preambles struct {
	Hashes [][32]byte
}

func preambleDay(now time.Time) uint64 {
	return uint64(max(1, now.Unix()/86400))
}

func preamblesKey(day uint64) Key { return Key{Collection: collectionPreamble, Number: day} }

// acceptedPreamble reports whether a preamble has made a session before.
func (w *work) acceptedPreamble(hash [32]byte) (bool, error) {
	records, err := w.Records.List(collectionPreamble, "", 0, 100)
	if err != nil {
		return false, err
	}
	for _, record := range records {
		var day preambles
		if err := decode(record.Value, &day); err != nil {
			return false, err
		}
		for _, known := range day.Hashes {
			if known == hash {
				return true, nil
			}
		}
	}
	return false, nil
}

func (w *work) rememberPreamble(hash [32]byte) error {
	var day preambles
	key := preamblesKey(preambleDay(w.Now))
	if _, err := w.get(key, &day); err != nil {
		return err
	}
	day.Hashes = append(day.Hashes, hash)
	return w.put(key, day)
}

// forgetPreambles deletes the days whose signed and last-resort keys are gone, two days later: a last-resort key may
// outlive its replacement by a clock's error.
func (w *work) forgetPreambles() error {
	records, err := w.Records.List(collectionPreamble, "", 0, 100)
	if err != nil {
		return err
	}
	// A key is used for a week and kept for 35 days after.
	oldest := preambleDay(w.Now.Add(-rotatePrekeys - retired - 48*time.Hour))
	for _, record := range records {
		if record.Number < oldest {
			w.delete(preamblesKey(record.Number))
		}
	}
	return nil
}
