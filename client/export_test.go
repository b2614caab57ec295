package client

import (
	"context"
	"encoding/json"
	"io"
	"time"

	"github.com/letterlock/letterlock/device"
)

// Seeds gives the seeds of a client's private keys, for tests that make sure that they lie nowhere.
func Seeds(ctx context.Context, c *Client) (seeds [][]byte, err error) {
	err = c.view(ctx, func(h device.Host) error {
		raw, err := h.Records.Get(device.Key{Collection: "self"})
		if err != nil {
			return err
		}
		var record struct {
			Data struct{ User, Signing, Agreement, Box []byte } `json:"d"`
		}
		if err := json.Unmarshal(raw, &record); err != nil {
			return err
		}
		seeds = [][]byte{record.Data.User, record.Data.Signing, record.Data.Agreement}
		for _, kind := range []string{"signed", "one-time", "kem-one-time", "kem-last-resort"} {
			more, err := prekeySeeds(h, kind)
			if err != nil {
				return err
			}
			seeds = append(seeds, more...)
		}
		return nil
	})
	return seeds, err
}

// TapRandom makes a client draw its keys from a reader, which must be as good as the system's.
func TapRandom(o *Options, random io.Reader) { o.random = random }

// PingEvery makes a client ping its socket this often.
func PingEvery(o *Options, every time.Duration) { o.pingEvery = every }

func prekeySeeds(h device.Host, kind string) (seeds [][]byte, err error) {
	records, err := h.Records.List("prekey", kind, 0, 1000)
	for _, record := range records {
		var prekey struct {
			Data struct{ Seed []byte } `json:"d"`
		}
		if err := json.Unmarshal(record.Value, &prekey); err != nil {
			return nil, err
		}
		seeds = append(seeds, prekey.Data.Seed)
	}
	return seeds, err
}
