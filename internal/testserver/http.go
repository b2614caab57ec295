package testserver

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/letterlock/letterlock/identity"
)

// Answer is the answer to a GraphQL request.
type Answer struct {
	Status int             `json:"-"`
	Header http.Header     `json:"-"`
	Body   string          `json:"-"`
	Data   json.RawMessage `json:"data"`
	Errors []Error         `json:"errors"`
}

// Error is one error of an Answer.
type Error struct {
	Message    string         `json:"message"`
	Path       []any          `json:"path"`
	Extensions map[string]any `json:"extensions"`
}

// Code gives the code of the first error, empty without one.
func (a *Answer) Code() string {
	if len(a.Errors) == 0 {
		return ""
	}
	code, _ := a.Errors[0].Extensions["code"].(string)
	return code
}

// Into decodes the data into v, and fails the test if there are errors.
func (a *Answer) Into(t testing.TB, v any) {
	t.Helper()
	if len(a.Errors) > 0 {
		t.Fatalf("errors: %+v", a.Errors)
	}
	if err := json.Unmarshal(a.Data, v); err != nil {
		t.Fatalf("data %s: %v", a.Data, err)
	}
}

// Query runs an operation over POST. token may be empty.
func (s *Server) Query(t testing.TB, token, query string, variables map[string]any) *Answer {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	header := http.Header{"Content-Type": {"application/json"}, "Accept": {"application/graphql-response+json"}}
	if token != "" {
		header.Set("Authorization", "Bearer "+token)
	}
	return s.Post(t, header, body)
}

// Post sends a body as it is.
func (s *Server) Post(t testing.TB, header http.Header, body []byte) *Answer {
	t.Helper()
	return s.Do(t, http.MethodPost, "/graphql", header, body)
}

// Do sends a request and reads its answer, which may be no GraphQL.
func (s *Server) Do(t testing.TB, method, path string, header http.Header, body []byte) *Answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.Scheme+"://"+s.Addr+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		request.Header[name] = values
	}
	client := &http.Client{Transport: s.transport(), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	answer := &Answer{Status: response.StatusCode, Header: response.Header, Body: string(content)}
	_ = json.Unmarshal(content, answer) // what is no JSON has neither data nor errors
	return answer
}

// The mutations that tests need again and again.
const (
	RegisterKey   = `mutation($input: RegisterKeyInput!) { registerKey(input: $input) { user { id listVersion } device { id userId listVersion acceptedCount } } }`
	PublishList   = `mutation($input: PublishDeviceListInput!) { publishDeviceList(input: $input) { user { id listVersion } } }`
	SendMessage   = `mutation($input: SendMessageInput!) { sendMessage(input: $input) { messageId acceptedAt deliveries { deviceId status } } }`
	SendMessages  = `mutation($input: SendMessagesInput!) { sendMessages(input: $input) { callId acceptedAt messages { messageId acceptedAt deliveries { deviceId status } } } }`
	DeleteUser    = `mutation($input: DeleteUserInput!) { deleteUser(input: $input) { userId deletedAt } }`
	SetBlocked    = `mutation($ids: [ID!]!) { setBlockedUsers(users: $ids) { count } }`
	UploadPrekeys = `mutation($input: UploadPrekeysInput!) { uploadPrekeys(input: $input) { count { oneTime kemOneTime signedNumber kemLastResortNumber } } }`
	ClaimPrekeys  = `mutation($userId: ID!, $devices: [ID!]) { claimPrekeys(userId: $userId, devices: $devices) { userId listVersion sets { deviceId signed oneTime kem } } }`
	Acknowledge   = `mutation($upTo: Cursor!) { acknowledgeMessages(upTo: $upTo) { acknowledgedUpTo removedCount } }`
	Received      = `subscription($after: Cursor) { messageReceived(after: $after) { id cursor messageId senderUserId senderDeviceId senderListVersion sentAt kind ciphertext nonce } }`
)

// Register makes a person and registers it.
func (s *Server) Register(t testing.TB) *Person {
	t.Helper()
	p := NewPerson(t)
	answer := s.Query(t, p.Devices[0].Token(s.URL), RegisterKey, map[string]any{"input": p.Registration()})
	if len(answer.Errors) > 0 {
		t.Fatalf("register: %+v", answer.Errors)
	}
	return p
}

// Registration is the input of registerKey.
func (p *Person) Registration() map[string]any {
	key := p.UserKey.PublicKey()
	return map[string]any{"userKey": Bytes(key[:]), "deviceList": Bytes(p.List.Statement())}
}

// Publish publishes the next version of a person's list, with these devices, and makes it the person's.
func (s *Server) Publish(t testing.TB, p *Person, devices ...*Device) *Answer {
	t.Helper()
	next := p.Sign(devices...)
	answer := s.Query(t, p.Devices[0].Token(s.URL), PublishList,
		map[string]any{"input": map[string]any{"deviceList": Bytes(next.Statement())}})
	if len(answer.Errors) == 0 {
		p.List, p.Devices = next, devices
	}
	return answer
}

// Send sends text from one device to others of one user.
func (s *Server) Send(t testing.TB, text string, from *Device, to ...*Device) *Answer {
	t.Helper()
	return s.Query(t, from.Token(s.URL), SendMessage, map[string]any{"input": Message(t, text, from, to...)})
}

// Deletion is the input of deleteUser for the list that holds.
func (p *Person) Deletion(origin string) map[string]any {
	p.t.Helper()
	return map[string]any{"deletion": Bytes(must(identity.SignDeletion(p.UserKey, p.List.Version, origin))(p.t))}
}
