package cryptobox_test

import (
	"bytes"
	"testing"

	"github.com/letterlock/letterlock/cryptobox"
)

// linkVector is a link: Steps is what lies in its slot.
type linkVector struct {
	vector
	Secret, TransferSeed, EphemeralSeed, Keys, Slot, Offer, Entry, Grant hexBytes
	Code                                                                 string
	Steps                                                                []hexBytes
}

func TestLinkVectors(t *testing.T) {
	eachVector(t, "link.json", func(t *testing.T, v linkVector) {
		keys, err := cryptobox.ParseLinkKeys(v.Steps[0])
		if err != nil || !bytes.Equal(keys.Marshal(), v.Keys) {
			t.Fatalf("keys %+v, %v", keys, err)
		}
		code := must(cryptobox.LinkCodeFromSeed(v.Secret, &keys))
		if slot := must(code.Slot()); code.Text() != v.Code || !bytes.Equal(slot, v.Slot) {
			t.Fatalf("code %q, slot %x", code.Text(), slot)
		}
		v.wantClass(t, v.open(t, code))
		if v.Expect == "ok" {
			v.makes(t, code, &keys)
		}
	})
}

// open reads what the other side has left in steps 1 to 3.
func (v linkVector) open(t *testing.T, code cryptobox.LinkCode) error {
	t.Helper()
	joined, offer, err := cryptobox.OpenLinkOffer(code, must(cryptobox.TransferKeyFromSeed(v.TransferSeed)), v.Steps[1])
	if err != nil {
		return err
	}
	if !bytes.Equal(offer.Marshal(), v.Offer) {
		t.Errorf("offer %+v", offer)
	}
	for step, want := range map[cryptobox.LinkStep]hexBytes{cryptobox.LinkStepEntry: v.Entry, cryptobox.LinkStepGrant: v.Grant} {
		got, err := joined.Open(step, v.Steps[step])
		if err != nil {
			return err
		}
		if !bytes.Equal(got, want) {
			t.Errorf("step %d: %x", step, got)
		}
	}
	return nil
}

// makes makes the same bytes of the same inputs.
func (v linkVector) makes(t *testing.T, code cryptobox.LinkCode, keys *cryptobox.LinkKeys) {
	t.Helper()
	old := must(cryptobox.NewLinkChannel(code, must(cryptobox.TransferKeyFromSeed(v.EphemeralSeed)), keys.Transfer))
	offer := must(cryptobox.ParseLinkOffer(v.Offer))
	if made := must(old.SealOffer(bytes.NewReader(v.Steps[1][32:56]), &offer)); !bytes.Equal(made, v.Steps[1]) {
		t.Errorf("offer sealed: %x", made)
	}
	for step, plaintext := range map[cryptobox.LinkStep]hexBytes{cryptobox.LinkStepEntry: v.Entry, cryptobox.LinkStepGrant: v.Grant} {
		if made := must(old.Seal(bytes.NewReader(v.Steps[step][:24]), step, plaintext)); !bytes.Equal(made, v.Steps[step]) {
			t.Errorf("step %d sealed: %x", step, made)
		}
	}
}
