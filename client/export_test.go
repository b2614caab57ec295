package client

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"github.com/letterlock/letterlock/client/internal/api"
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

// SessionKeys gives the keys that the sessions with a device are made of at the moment: those of the root, of chains and of headers,
// and the private key of the ratchet.
func SessionKeys(ctx context.Context, c *Client, user UserID, with DeviceID) (keys [][]byte, err error) {
	err = c.view(ctx, func(h device.Host) error {
		raw, err := h.Records.Get(device.Key{Collection: "session", Owner: user.String() + "/" + with.String()})
		if err != nil {
			return err
		}
		var record struct {
			Data struct{ Sessions []struct{ State []byte } } `json:"d"`
		}
		if err := json.Unmarshal(raw, &record); err != nil {
			return err
		}
		for _, session := range record.Data.Sessions {
			keys = append(keys, stateKeys(session.State)...)
		}
		return nil
	})
	return keys, err
}

// stateKeys takes the private keys out of what cryptobox.Session.Marshal writes: a version and associated data, four keys, one byte, two
// keys. Those of chains that never began are zeros.
func stateKeys(state []byte) (keys [][]byte) {
	const size, first, second = 32, 1 + 32, 1 + 5*32 + 1
	for _, at := range []int{first, first + size, first + 2*size, first + 3*size, second, second + size} {
		if key := state[at : at+size]; !bytes.Equal(key, make([]byte, size)) {
			keys = append(keys, key)
		}
	}
	return keys
}

// ReadAnswer reads what a server answers to a request into data.
func ReadAnswer(answer *http.Response, data any) error { return readAnswer(answer, data) }

// ReadFrame reads a frame of a subscription; it gives nothing if the frame is none of those that say something.
func ReadFrame(text []byte) (*api.EnvelopeFields, error) {
	f, err := parseFrame(text)
	if err != nil {
		return nil, err
	}
	return f.envelope()
}

// Unreachable reports whether an error says that no answer came, so that the same is tried again.
func Unreachable(err error) bool { return unreachable(err) }
