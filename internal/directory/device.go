package directory

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/letterlock/letterlock/ent"
	"github.com/letterlock/letterlock/ent/device"
	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/database"
)

// readTimeout bounds a look-up that several callers wait for, whichever of them goes away.
const readTimeout = 5 * time.Second

// Device gives a registered device, removed or not, from memory if it was read within the interval. A device that nobody
// registered is UNAUTHENTICATED, one that was deleted with its user DEVICE_REMOVED; either is looked for in the store each time.
func (d *Directory) Device(ctx context.Context, id identity.DeviceID) (Device, error) {
	known, fresh, generation := d.devices.get(id, d.options.Now(), d.options.LookAgain)
	if fresh {
		return known, nil
	}
	// Callers share a look. The generation is part of its name: who comes after a removal does not share an older one.
	name := id.String() + strconv.FormatUint(generation, 10)
	look := d.looks.DoChan(name, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readTimeout)
		defer cancel()
		readAt := d.options.Now()
		found, err := d.readDevice(ctx, id)
		if err == nil {
			d.devices.put(found, readAt, generation)
		}
		return found, err
	})
	select {
	case result := <-look:
		found, _ := result.Val.(Device)
		return found, result.Err
	case <-ctx.Done():
		return Device{}, database.Unavailable("look up a device", context.Cause(ctx))
	}
}

// removedPerQuery is how many devices one query of Removed asks for.
const removedPerQuery = 256

// Removed gives those of the devices that were removed, or deleted with their user, by the store: what other nodes have done
// shows here.
func (d *Directory) Removed(ctx context.Context, ids []string) ([]string, error) {
	var removed []string
	for some := range slices.Chunk(ids, removedPerQuery) {
		listed, err := d.db.Ent.Device.Query().Where(device.IDIn(some...), device.RemovedAtIsNil()).IDs(ctx)
		if err != nil {
			return nil, database.Unavailable("look for removed devices", err)
		}
		slices.Sort(listed)
		for _, id := range some {
			if _, found := slices.BinarySearch(listed, id); !found {
				removed = append(removed, id)
			}
		}
	}
	return removed, nil
}

func (d *Directory) readDevice(ctx context.Context, id identity.DeviceID) (Device, error) {
	row, err := d.db.Ent.Device.Query().Where(device.ID(id.String())).WithUser().Only(ctx)
	if ent.IsNotFound(err) {
		return Device{}, d.noDevice(ctx, id)
	}
	if err != nil {
		return Device{}, database.Unavailable("look up a device", err)
	}
	if row.Edges.User == nil { // the user was deleted since the row was read
		return Device{}, d.noDevice(ctx, id)
	}
	return deviceOf(row, row.Edges.User)
}

// noDevice says why there is no such device: nobody has registered it, or its user was deleted.
func (d *Directory) noDevice(ctx context.Context, id identity.DeviceID) error {
	_, gone, err := deletedAt(ctx, d.db.Ent.DeletedID, id.String())
	switch {
	case err != nil:
		return err
	case gone:
		return deviceDeleted()
	}
	return noSuchDevice()
}

// deviceOf reads the rows of a device and its user.
func deviceOf(row *ent.Device, owner *ent.User) (Device, error) {
	id, idErr := identity.ParseDeviceID(row.ID)
	user, userErr := identity.ParseUserID(row.UserID)
	key, keyErr := identity.ParseSigningPublicKey(row.SigningKey)
	if err := errors.Join(idErr, userErr, keyErr); err != nil {
		return Device{}, damaged("a device", err)
	}
	return Device{
		ID: id, User: user, SigningKey: key, ListVersion: owner.ListVersion,
		CreatedAt: time.UnixMicro(row.CreatedAt).UTC(), Removed: row.RemovedAt != nil,
	}, nil
}
