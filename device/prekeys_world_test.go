package device

import "github.com/letterlock/letterlock/identity"

// pool is what a server has of a device's prekeys.
type pool struct {
	signed, kemLastResort []byte
	oneTime, kemOneTime   [][]byte
}

// count is what an honest server says of it.
func (p *pool) count(t interface{ Fatal(...any) }, of *party) PrekeyCount {
	number := func(statement []byte) uint32 {
		if statement == nil {
			return 0
		}
		prekey, err := identity.ParsePrekey(statement, of.User, of.signing.PublicKey())
		if err != nil {
			t.Fatal(err)
		}
		return prekey.Number
	}
	return PrekeyCount{
		OneTime: len(p.oneTime), KEMOneTime: len(p.kemOneTime), Signed: number(p.signed), KEMLastResort: number(p.kemLastResort),
	}
}

// upload gives the server the prekeys that it lacks.
func (p *party) upload() {
	p.t.Helper()
	held := p.pools[p.Device]
	if held == nil {
		held = &pool{}
		p.pools[p.Device] = held
	}
	step := p.step(func(h Host) (Step, error) { return h.Prekeys(held.count(p.t, p)) })
	for _, request := range step.Requests {
		upload, ok := request.(*UploadPrekeys)
		if !ok {
			p.t.Fatalf("request %T, want UploadPrekeys", request)
		}
		if upload.Signed != nil {
			held.signed = upload.Signed
		}
		if upload.KEMLastResort != nil {
			held.kemLastResort = upload.KEMLastResort
		}
		held.oneTime = append(held.oneTime, upload.OneTime...)
		held.kemOneTime = append(held.kemOneTime, upload.KEMOneTime...)
	}
}

// hand hands out one set for each device.
func (w *world) hand(request *ClaimPrekeys) (sets []PrekeySet) {
	for _, device := range request.Devices {
		held := w.pools[device]
		if held == nil || held.signed == nil {
			continue
		}
		set := PrekeySet{Device: device, Signed: held.signed, KEM: held.kemLastResort}
		if len(held.oneTime) > 0 {
			set.OneTime, held.oneTime = held.oneTime[0], held.oneTime[1:]
		}
		if len(held.kemOneTime) > 0 {
			set.KEM, held.kemOneTime = held.kemOneTime[0], held.kemOneTime[1:]
		}
		sets = append(sets, set)
	}
	return sets
}

func (p *party) claim(request *ClaimPrekeys) *Alarm {
	p.t.Helper()
	return p.start(request.User, p.hand(request))
}

func (p *party) start(user identity.UserID, sets []PrekeySet) (alarm *Alarm) {
	p.t.Helper()
	p.step(func(h Host) (step Step, err error) {
		step, alarm, err = h.Claimed(user, sets)
		return step, err
	})
	return alarm
}
