package main

import (
	"strings"
	"time"

	"github.com/letterlock/letterlock/client"
	"github.com/letterlock/letterlock/identity"
)

type devicesCommand struct{}

// Help is shown by letter devices --help.
func (devicesCommand) Help() string {
	return `"manages" stands where a device is known to hold your user key: where it is this one, or has changed the list before.

    letter devices
    letter devices --json`
}

// Run lists the user's devices.
func (devicesCommand) Run(s *session) error {
	return s.with(func(c *client.Client) error {
		devices, err := c.Devices(s.ctx)
		if err != nil {
			return err
		}
		for i := range devices {
			if err := s.showDevice(&devices[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *session) showDevice(d *client.Device) error {
	protocols := protocolNames(d.Protocols)
	if s.cli.JSON {
		return s.printJSON(map[string]any{
			"type": "own-device", "device": d.Device.String(), "this": d.This, "createdAt": d.CreatedAt.Format(time.RFC3339),
			"protocols": protocols, "manages": d.Manages,
		})
	}
	text := d.Device.String() + "  " + d.CreatedAt.Local().Format("2006-01-02 15:04") + "  " + strings.Join(protocols, ", ")
	if d.Manages {
		text += "  manages"
	}
	if d.This {
		text += "  (this one)"
	}
	return s.print("%s", text)
}

// protocolNames names what a device takes; what is newer than this release has no name.
func protocolNames(protocols identity.Protocols) []string {
	names := []string{}
	if protocols.Has(identity.ProtocolSession) {
		names = append(names, "sessions")
	}
	if protocols.Has(identity.ProtocolBox) {
		names = append(names, "boxes")
	}
	return names
}

type unlinkCommand struct {
	Device string `arg:"" help:"The device's id, as letter devices shows it."`
	Yes    bool   `help:"Do not ask."`
}

// Help is shown by letter unlink --help.
func (unlinkCommand) Help() string {
	return `The device gets nothing more, at once and for good: to use it again, make new keys there. Everybody who writes to you learns of it by your
list of devices. If it was stolen with your user key on it (letter devices says "manages"), make a new user id instead.

    letter unlink dabc…
    letter unlink dabc… --yes`
}

// Run removes a device.
func (cmd *unlinkCommand) Run(s *session) error {
	id, err := identity.ParseDeviceID(cmd.Device)
	if err != nil {
		return usage("this is not a device id: d and 32 characters of a to z and 2 to 7")
	}
	return s.with(func(c *client.Client) error {
		if !cmd.Yes && !s.confirm("Remove "+id.String()+" for good? ") {
			say(s.console, "nothing was removed; --yes does so without asking")
			return nil
		}
		if err := c.Unlink(s.ctx, id); err != nil {
			return err
		}
		if s.cli.JSON {
			return s.printJSON(map[string]any{"type": "unlinked", "device": id.String()})
		}
		return s.print("Removed: %s", id)
	})
}
