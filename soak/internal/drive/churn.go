package drive

import (
	"context"
	"slices"

	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/soak/internal/history"
)

// changes has a person add and remove devices until the load is over.
func (w *world) changes(p *person) error {
	first := p.devices[0]
	for sleep(w.load, w.ChangeEvery/2+jitter(first, w.ChangeEvery)) {
		change := w.add
		if len(p.devices) >= w.DevicesEach {
			change = w.remove
		}
		if err := change(w.work, p); err != nil && w.work.Err() == nil {
			return err
		}
	}
	return nil
}

// add links one more device.
func (w *world) add(ctx context.Context, p *person) error {
	d, err := p.newDevice()
	if err != nil {
		return err
	}
	w.adopt(d)
	devices := append(slices.Clone(p.devices), d)
	list, err := p.sign(devices)
	if err != nil {
		return err
	}
	if err := w.publish(ctx, p, list); err != nil {
		return err
	}
	d.log(history.Event{Kind: history.Added})
	p.published(list, devices)
	w.start(d)
	return nil
}

// remove takes a device off, any but the first.
func (w *world) remove(ctx context.Context, p *person) error {
	i := 1 + p.devices[0].number(len(p.devices)-1)
	d := p.devices[i]
	devices := slices.Delete(slices.Clone(p.devices), i, i+1)
	list, err := p.sign(devices)
	if err != nil {
		return err
	}
	d.leaving.Store(true)
	d.log(history.Event{Kind: history.Remove})
	if err := w.publish(ctx, p, list); err != nil {
		return err
	}
	d.log(history.Event{Kind: history.Removed})
	p.published(list, devices)
	close(d.removed)
	w.forget(d)
	return nil
}

func (w *world) publish(ctx context.Context, p *person, list *identity.DeviceList) error {
	input := map[string]any{"input": map[string]any{"deviceList": b64(list.Statement())}}
	return p.devices[0].until(ctx, publishDeviceList, input, nil)
}
