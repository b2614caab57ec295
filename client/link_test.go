package client_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/letterlock/letterlock/client"
	"github.com/letterlock/letterlock/device"
	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/testserver"
)

// joining is a Join at work.
type joining struct {
	t       *testing.T
	options client.Options
	codes   chan string
	asked   chan client.LinkQuestion
	answer  chan bool
	done    chan *client.Client
	err     error
	cancel  context.CancelFunc
}

func join(t *testing.T, server string, change ...func(*client.Options)) *joining {
	t.Helper()
	j := &joining{
		t: t, options: client.Options{Home: filepath.Join(t.TempDir(), "home"), Server: server},
		codes: make(chan string, 1), asked: make(chan client.LinkQuestion, 1), answer: make(chan bool, 1), done: make(chan *client.Client, 1),
	}
	for _, c := range change {
		c(&j.options)
	}
	ctx, cancel := context.WithCancel(t.Context())
	j.cancel = cancel
	go func() {
		joined, err := client.Join(ctx, j.options, client.LinkPrompt{
			Show: func(_ context.Context, code string) error { j.codes <- code; return nil },
			Confirm: func(ctx context.Context, question client.LinkQuestion) (bool, error) {
				j.asked <- question
				select {
				case yes := <-j.answer:
					return yes, nil
				case <-ctx.Done():
					return false, ctx.Err()
				}
			},
		})
		j.err = err
		j.done <- joined
	}()
	t.Cleanup(cancel)
	return j
}

func (j *joining) code() string {
	j.t.Helper()
	return within(j.t, j.codes, "a code")
}

// end waits for Join to end, and closes what it gave with the test.
func (j *joining) end() (*client.Client, error) {
	j.t.Helper()
	joined := within(j.t, j.done, "the end of Join")
	if joined != nil {
		j.t.Cleanup(func() { closed(j.t, joined) })
	}
	return joined, j.err
}

// refused makes sure that it ended with this error and made nobody of the home.
func (j *joining) refused(want error) {
	j.t.Helper()
	if _, err := j.end(); !errors.Is(err, want) {
		j.t.Errorf("Join ended with %v, want %v", err, want)
	}
	if _, err := client.Open(j.t.Context(), j.options); !errors.Is(err, client.ErrNoHome) {
		j.t.Errorf("the home is somebody's: %v", err)
	}
}

func within[T any](t *testing.T, values chan T, what string) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	select {
	case value := <-values:
		return value
	case <-ctx.Done():
		t.Fatalf("waited in vain for %s", what)
		panic("not reached")
	}
}

func says(yes bool) client.LinkConfirm {
	return func(context.Context, client.LinkQuestion) (bool, error) { return yes, nil }
}

// link makes another device of alice's, and gives a client on it.
func link(t *testing.T, alice *client.Client, manage bool) *client.Client {
	t.Helper()
	return linkWith(t, alice, manage)
}

// linkWith is link for a device with other options.
func linkWith(t *testing.T, alice *client.Client, manage bool, change ...func(*client.Options)) *client.Client {
	t.Helper()
	j := join(t, alice.Server(), change...)
	j.answer <- true
	id, err := alice.Link(t.Context(), j.code(), manage, says(true))
	if err != nil {
		t.Fatal(err)
	}
	joined, err := j.end()
	if err != nil || joined.DeviceID() != id || joined.UserID() != alice.UserID() {
		t.Fatalf("joined %v, want device %s of alice: %v", joined, id, err)
	}
	return joined
}

func deviceIDs(t *testing.T, c *client.Client) (ids []client.DeviceID) {
	t.Helper()
	devices, err := c.Devices(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range devices {
		ids = append(ids, d.Device)
	}
	return ids
}

func TestLinkedDevicesGetMessagesAndCopies(t *testing.T) {
	t.Parallel()
	server := testserver.Start(t, testserver.Options{})
	alice, bob := person(t, server.URL), person(t, server.URL)
	phone := link(t, alice, false)
	send(t, bob, alice.UserID(), "to both")
	equal(t, inbox(t, alice), []string{"to both"})
	equal(t, inbox(t, phone), []string{"to both"})
	send(t, alice, bob.UserID(), "from the first")
	send(t, phone, bob.UserID(), "from the phone")
	got := inbox(t, bob)
	slices.Sort(got)
	equal(t, got, []string{"from the first", "from the phone"})
	equal(t, inbox(t, phone), []string{"from the first"})
	equal(t, inbox(t, alice), []string{"from the phone"})
	equal(t, history(t, phone, bob.UserID()), []string{"to both", "from the phone", "from the first"})
}

func TestLinkAsksOnBothSides(t *testing.T) {
	t.Parallel()
	server := testserver.Start(t, testserver.Options{})
	alice := person(t, server.URL)
	j := join(t, server.URL)
	var asked client.LinkQuestion
	linked := make(chan error, 1)
	code := j.code()
	var id client.DeviceID
	go func() {
		var err error
		id, err = alice.Link(t.Context(), code, false, func(_ context.Context, q client.LinkQuestion) (bool, error) { asked = q; return true, nil })
		linked <- err
	}()
	question := within(t, j.asked, "the question")
	if devices := deviceIDs(t, alice); len(devices) != 1 {
		t.Errorf("before the answer there are %d devices", len(devices))
	}
	j.answer <- true
	check(t, within(t, linked, "the link"))
	if _, err := j.end(); err != nil {
		t.Fatal(err)
	}
	if want := (client.LinkQuestion{User: alice.UserID(), Device: id}); question != want || asked != want {
		t.Errorf("the new device asked %+v, the other %+v, want %+v", question, asked, want)
	}
}

func TestLinkThatIsDeclinedChangesNothing(t *testing.T) {
	t.Parallel()
	server := testserver.Start(t, testserver.Options{})
	alice := person(t, server.URL)
	j := join(t, server.URL)
	if _, err := alice.Link(t.Context(), j.code(), true, says(false)); !errors.Is(err, client.ErrLinkDeclined) {
		t.Errorf("declined on the existing device: %v", err)
	}
	j.cancel()
	j.refused(context.Canceled)

	j = join(t, server.URL)
	j.answer <- false
	linked := make(chan error, 1)
	code := j.code()
	go func() { _, err := alice.Link(t.Context(), code, true, says(true)); linked <- err }()
	j.refused(client.ErrLinkDeclined)
	if err := within(t, linked, "the end of Link"); !errors.Is(err, client.ErrLinkDeclined) {
		t.Errorf("Link ended with %v", err)
	}
	if devices := deviceIDs(t, alice); len(devices) != 1 {
		t.Errorf("there are %d devices", len(devices))
	}
}

// Both sides may be cut off at any time, and go on with the same call.
func TestLinkGoesOnAfterBothWereCutOff(t *testing.T) {
	t.Parallel()
	m := newMiddle(t)
	alice := person(t, m.URL)
	j := join(t, m.URL)
	code := j.code()
	ctx, cancel := context.WithCancel(t.Context())
	m.on(func(operation string, _ http.ResponseWriter, _ *http.Request, _ http.Handler) bool {
		if operation == "PublishDeviceList" {
			cancel() // it is stored; alice does not learn of it
		}
		return false
	})
	j.answer <- true
	if _, err := alice.Link(ctx, code, false, says(true)); !errors.Is(err, context.Canceled) {
		t.Fatalf("Link ended with %v", err)
	}
	j.cancel()
	j.refused(context.Canceled)

	m.on(nil)
	again := join(t, m.URL, home(j.options.Home))
	if code2 := again.code(); code2 != code {
		t.Fatal("another code is shown")
	}
	again.answer <- true
	id, err := alice.Link(t.Context(), code, false, says(true))
	check(t, err)
	joined, err := again.end()
	check(t, err)
	if joined.DeviceID() != id || len(deviceIDs(t, joined)) != 2 {
		t.Errorf("%s joined, want %s", joined.DeviceID(), id)
	}
	if _, err := client.Join(t.Context(), again.options, client.LinkPrompt{}); !errors.Is(err, client.ErrHasKeys) {
		t.Errorf("Join in a home with keys: %v", err)
	}
}

func TestOnlyManagingDevicesLinkAndUnlink_S5(t *testing.T) {
	t.Parallel()
	server := testserver.Start(t, testserver.Options{})
	alice := person(t, server.URL)
	phone, laptop := link(t, alice, false), link(t, alice, true)
	if _, err := phone.Link(t.Context(), join(t, server.URL).code(), false, says(true)); !errors.Is(err, client.ErrNoUserKey) {
		t.Errorf("a device without the user key links: %v", err)
	}
	if err := phone.Unlink(t.Context(), laptop.DeviceID()); !errors.Is(err, client.ErrNoUserKey) {
		t.Errorf("a device without the user key unlinks: %v", err)
	}
	if err := laptop.Unlink(t.Context(), laptop.DeviceID()); !errors.Is(err, client.ErrRemoveSelf) {
		t.Errorf("a device unlinks itself: %v", err)
	}
	check(t, laptop.Unlink(t.Context(), alice.DeviceID()))
	tablet := link(t, laptop, false)
	want := []client.DeviceID{phone.DeviceID(), laptop.DeviceID(), tablet.DeviceID()}
	equal(t, texts(deviceIDs(t, phone)), texts(want))
	seeds, err := client.Seeds(t.Context(), phone)
	if err != nil || len(seeds[0]) > 0 {
		t.Errorf("the phone holds the user key (%v)", err)
	}
}

func texts(ids []client.DeviceID) (all []string) {
	for _, id := range ids {
		all = append(all, id.String())
	}
	return all
}

func TestUnlinkedDevicesGetNothingMore(t *testing.T) {
	t.Parallel()
	server := testserver.Start(t, testserver.Options{})
	alice, bob := person(t, server.URL), person(t, server.URL)
	phone := link(t, alice, false)
	send(t, bob, alice.UserID(), "before")
	equal(t, inbox(t, phone), []string{"before"})
	check(t, alice.Unlink(t.Context(), phone.DeviceID()))
	check(t, alice.Unlink(t.Context(), phone.DeviceID()))
	send(t, bob, alice.UserID(), "after")
	equal(t, inbox(t, alice), []string{"before", "after"})
	if err := phone.Inbox(t.Context(), nil); !errors.Is(err, client.ErrDeviceRemoved) {
		t.Errorf("inbox of an unlinked device: %v", err)
	}
	if _, err := phone.Send(t.Context(), bob.UserID(), "still here"); !errors.Is(err, client.ErrDeviceRemoved) {
		t.Errorf("an unlinked device sends: %v", err)
	}
	if _, err := phone.Devices(t.Context()); !errors.Is(err, client.ErrDeviceRemoved) {
		t.Errorf("devices of an unlinked device: %v", err)
	}
	if err := alice.Unlink(t.Context(), bob.DeviceID()); !errors.Is(err, client.ErrDeviceUnknown) {
		t.Errorf("another user's device: %v", err)
	}
}

// Two managing devices publish at once: one of them meets LIST_CONFLICT, and signs again.
func TestConcurrentLinksSignAgain(t *testing.T) {
	t.Parallel()
	server := testserver.Start(t, testserver.Options{})
	alice := person(t, server.URL)
	laptop := link(t, alice, true)
	var group sync.WaitGroup
	for _, c := range []*client.Client{alice, laptop} {
		j := join(t, server.URL)
		j.answer <- true
		code := j.code()
		group.Go(func() {
			if _, err := c.Link(t.Context(), code, false, says(true)); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if devices := deviceIDs(t, alice); len(devices) != 4 {
		t.Errorf("there are %d devices, want 4", len(devices))
	}
}

func TestLinkCodesThatNobodyAnswers(t *testing.T) {
	t.Parallel()
	server, other := testserver.Start(t, testserver.Options{}), testserver.Start(t, testserver.Options{})
	alice := person(t, server.URL)
	if _, err := alice.Link(t.Context(), "letterlock-link:abc", false, says(true)); !errors.Is(err, client.ErrLinkCode) {
		t.Errorf("half a code: %v", err)
	}
	if _, err := alice.Link(t.Context(), join(t, other.URL).code(), false, says(true)); !errors.Is(err, client.ErrLinkExpired) {
		t.Errorf("a code of another server: %v", err)
	}
}

func TestLinkWithABoxesDevice_B3(t *testing.T) {
	t.Parallel()
	server := testserver.Start(t, testserver.Options{})
	alice := person(t, server.URL)
	j := join(t, server.URL, func(o *client.Options) { o.Boxes = true })
	if _, err := alice.Link(t.Context(), j.code(), false, says(true)); !errors.Is(err, client.ErrLinkProtocols) {
		t.Errorf("a device that takes boxes alone: %v", err)
	}
}

// swap has the server answer LinkMessage of a step with what change makes of the true answer.
func (m *middle) swapLink(t *testing.T, step int, change func(data string) string) {
	m.on(func(operation string, w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
		if operation != "LinkMessage" {
			return false
		}
		body, err := io.ReadAll(r.Body)
		check(t, err)
		var request struct {
			Variables struct {
				Slot string
				Step int
			}
		}
		check(t, json.Unmarshal(body, &request))
		if request.Variables.Step != step {
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
			return false
		}
		w.Header().Set("Content-Type", "application/graphql-response+json")
		_, err = io.WriteString(w, `{"data":{"linkMessage":"`+change(request.Variables.Slot)+`"}}`)
		check(t, err)
		return true
	})
}

func TestAttackServerSwapsTheKeysOfALink(t *testing.T) {
	t.Parallel()
	m := newMiddle(t)
	alice := person(t, m.URL)
	j := join(t, m.URL)
	code := j.code()
	mallory, err := identityKeys()
	check(t, err)
	m.swapLink(t, 0, func(string) string { return testserver.Bytes(mallory) })
	if _, err := alice.Link(t.Context(), code, true, says(true)); !errors.Is(err, client.ErrLinkForged) {
		t.Errorf("swapped keys: %v", err)
	}
	if n := m.count("PutLinkMessage") + m.count("PublishDeviceList"); n > 0 {
		t.Errorf("alice has answered %d times", n)
	}
}

// identityKeys gives link keys that an attacker has made: those of a link of their own.
func identityKeys() ([]byte, error) {
	step, _, err := device.Host{Records: nothing{}, Server: "http://localhost"}.StartLink(identity.ProtocolSession)
	if err != nil {
		return nil, err
	}
	put, ok := step.Requests[0].(*device.PutLink)
	if !ok {
		return nil, errors.New("no keys")
	}
	return put.Data, nil
}

// nothing is records without any.
type nothing struct{}

func (nothing) Get(device.Key) ([]byte, error) { return nil, nil }

func (nothing) List(device.Collection, string, uint64, int) ([]device.Record, error) { return nil, nil }

func TestAttackServerSwapsTheAnswersOfALink(t *testing.T) {
	t.Parallel()
	garbage := testserver.Bytes(make([]byte, 200))
	m := newMiddle(t)
	alice := person(t, m.URL)
	for _, step := range []int{1, 3} {
		j := join(t, m.URL)
		code := j.code()
		m.swapLink(t, step, func(string) string { return garbage })
		j.answer <- true
		ctx, cancel := context.WithCancel(t.Context())
		linked := make(chan error, 1)
		go func() { _, err := alice.Link(ctx, code, true, says(true)); linked <- err }()
		j.refused(client.ErrLinkForged)
		cancel()
		if err := within(t, linked, "the end of Link"); step == 1 && err == nil {
			t.Error("alice has linked a device that refused her offer")
		}
	}
	j := join(t, m.URL)
	code := j.code()
	m.swapLink(t, 2, func(string) string { return garbage })
	before := len(deviceIDs(t, alice))
	if _, err := alice.Link(t.Context(), code, true, says(true)); !errors.Is(err, client.ErrLinkForged) {
		t.Errorf("swapped entry: %v", err)
	}
	if after := len(deviceIDs(t, alice)); after != before {
		t.Errorf("%d devices, before %d", after, before)
	}
}

// The server shows the new device a list that alice has not signed.
func TestAttackServerAddsADeviceToALink(t *testing.T) {
	t.Parallel()
	m := newMiddle(t)
	alice := person(t, m.URL)
	mallory := testserver.NewPerson(t)
	j := join(t, m.URL)
	code := j.code()
	j.answer <- true
	ctx, cancel := context.WithCancel(t.Context())
	linked := make(chan error, 1)
	go func() { _, err := alice.Link(ctx, code, true, says(true)); linked <- err }()
	within(t, j.asked, "the question")
	m.on(func(operation string, w http.ResponseWriter, _ *http.Request, _ http.Handler) bool {
		if operation != "FetchUser" {
			return false
		}
		w.Header().Set("Content-Type", "application/graphql-response+json")
		_, err := io.WriteString(w, `{"data":{"user":{"listVersion":2,"deviceLists":[{"statement":"`+
			testserver.Bytes(mallory.List.Statement())+`"}]}}}`)
		check(t, err)
		return true
	})
	// Alice's own device meets the forged list as well, and does not go on.
	var alarm *client.AlarmError
	if err := within(t, linked, "the end of Link"); !errors.As(err, &alarm) || alarm.Alarm.Reason != device.ForgedList {
		t.Errorf("Link ended with %v", err)
	}
	cancel()
	j.cancel()
	j.refused(context.Canceled)
}
