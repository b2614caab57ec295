package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"github.com/letterlock/letterlock/client"
	"github.com/letterlock/letterlock/internal/testcert"
	"github.com/letterlock/letterlock/internal/testmain"
)

// program is the server, built for these tests.
var program string

func TestMain(m *testing.M) {
	if os.Getenv(faultVariable) != "" {
		faulty()
		return
	}
	os.Exit(testmain.WithServer(m, &program))
}

// process is a server in a process of its own.
type process struct {
	command *exec.Cmd
	stdout  *bufio.Reader
	stderr  *bytes.Buffer
	url     string
}

// serve starts the server on a free port and reads its hints.
func serve(t *testing.T, dataDir string, env ...string) *process {
	t.Helper()
	return start(t, exec.CommandContext(t.Context(), program), dataDir, env...)
}

func start(t *testing.T, command *exec.Cmd, dataDir string, env ...string) *process {
	t.Helper()
	p := &process{command: command, stderr: &bytes.Buffer{}}
	p.command.Env = append(os.Environ(), "LETTERLOCK_ADDR=127.0.0.1:0", "LETTERLOCK_DATA_DIR="+dataDir, "LETTERLOCK_HINTS=1")
	p.command.Env = append(p.command.Env, env...)
	p.command.Stderr = p.stderr
	stdout, err := p.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.stdout = bufio.NewReader(stdout)
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	for p.url == "" {
		line, err := p.stdout.ReadString('\n')
		if err != nil {
			t.Fatalf("the server ended: %v\n%s", err, p.stderr)
		}
		if url, ok := strings.CutPrefix(line, "Letterlock serves "); ok {
			p.url = strings.TrimSpace(url)
		}
	}
	return p
}

// stop sends a signal and checks that the server ends in order.
func (p *process) stop(t *testing.T, signal os.Signal) {
	t.Helper()
	if err := p.command.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, p.stdout); err != nil {
		t.Error(err)
	}
	if err := p.command.Wait(); err != nil {
		t.Errorf("after %v: %v\n%s", signal, err, p.stderr)
	}
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func TestServesAndStops(t *testing.T) {
	dataDir := t.TempDir()
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} { // the second start finds the first one's store
		p := serve(t, dataDir)
		if status, body := get(t, p.url+"/readyz"); status != http.StatusOK || body != "ready\n" {
			t.Errorf("readyz: %d %q", status, body)
		}
		p.stop(t, signal)
		if log := p.stderr.String(); !strings.Contains(log, "msg=serving") || !strings.Contains(log, "msg=stopped") {
			t.Errorf("log %s", log)
		}
	}
}

func TestRenewEpoch(t *testing.T) {
	dataDir := t.TempDir()
	serve(t, dataDir).stop(t, os.Interrupt)
	out, err := exec.CommandContext(t.Context(), program, "renew-epoch", "--data-dir", dataDir).Output()
	if err != nil || !strings.Contains(string(out), "cursors") {
		t.Errorf("%s %v", out, err)
	}
}

// An invite of the command line is good at a server that runs meanwhile.
func TestInvite(t *testing.T) {
	dataDir := t.TempDir()
	p := serve(t, dataDir, "LETTERLOCK_REGISTRATION=invite")
	defer p.stop(t, os.Interrupt)
	out, err := exec.CommandContext(t.Context(), program, "invite", "--count=2", "--lifetime=1h", "--data-dir", dataDir).Output()
	codes := strings.Fields(string(out))
	if err != nil || len(codes) != 2 || codes[0] == codes[1] {
		t.Fatalf("%q %v", out, err)
	}
	for i, code := range []string{"", codes[0], codes[0], codes[1]} {
		c, err := client.Init(t.Context(), client.Options{Home: filepath.Join(t.TempDir(), "home"), Server: p.url, Invite: code})
		if err != nil {
			t.Fatal(err)
		}
		err = c.Register(t.Context())
		if good := i%2 == 1; good != (err == nil) || !good && !errors.Is(err, client.ErrInviteRequired) {
			t.Errorf("number %d: %v", i, err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, wrong := range []string{"--count=0", "--lifetime=0s"} {
		if out, err := exec.CommandContext(t.Context(), program, "invite", wrong, "--data-dir", dataDir).Output(); err == nil || len(out) > 0 {
			t.Errorf("%s: %q %v", wrong, out, err)
		}
	}
}

// The check passes beside a running server, and says by its exit code that something is wrong.
func TestCheck(t *testing.T) {
	dataDir := t.TempDir()
	p := serve(t, dataDir)
	defer p.stop(t, os.Interrupt)
	out, err := exec.CommandContext(t.Context(), program, "check", "--data-dir", dataDir, "--public-url", p.url).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "public URL    "+p.url+" answers") {
		t.Errorf("%v\n%s", err, out)
	}
	wrong := exec.CommandContext(t.Context(), program, "check", "--data-dir", dataDir)
	wrong.Env = append(os.Environ(), "LETTERLOCK_ADDR=0.0.0.0:0")
	out, err = wrong.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "FAIL  settings") || !strings.Contains(string(out), "LETTERLOCK_PUBLIC_URL") {
		t.Errorf("%v\n%s", err, out)
	}
}

// The binary speaks TLS by itself, and the check asks it over TLS.
func TestServesTLS(t *testing.T) {
	authority, dataDir := testcert.New(t), t.TempDir()
	files := authority.Files()
	authority.Issue(files, time.Now().Add(60*24*time.Hour), "localhost")
	certificate := []string{"LETTERLOCK_TLS_CERT=" + files.Cert, "LETTERLOCK_TLS_KEY=" + files.Key}
	p := serve(t, dataDir, certificate...)
	defer p.stop(t, os.Interrupt)
	check := exec.CommandContext(t.Context(), program, "check", "--data-dir", dataDir, "--public-url", p.url)
	check.Env = append(append(os.Environ(), certificate...), "SSL_CERT_FILE="+authority.File)
	out, err := check.CombinedOutput()
	if err != nil || !strings.HasPrefix(p.url, "https://localhost:") || !strings.Contains(string(out), p.url+" answers") ||
		!strings.Contains(string(out), "ok    certificate") {
		t.Errorf("%s: %v\n%s", p.url, err, out)
	}
}

// What is set wrong is told in a line that names what to change, and nothing is left behind.
func TestConfigurationErrors(t *testing.T) {
	for name, c := range map[string]struct {
		arguments []string
		env, want string
	}{
		"open to others": {[]string{"--addr=0.0.0.0:0"}, "", "needs LETTERLOCK_PUBLIC_URL"},
		"address":        {nil, "LETTERLOCK_ADDR=8080", "LETTERLOCK_ADDR"},
		"metrics":        {[]string{"--addr=127.0.0.1:0"}, "LETTERLOCK_METRICS_ADDR=9090", "LETTERLOCK_METRICS_ADDR"},
		"limit":          {nil, "LETTERLOCK_MAX_DEVICES_PER_USER=200", "LETTERLOCK_MAX_DEVICES_PER_USER is 200"},
		"no number":      {nil, "LETTERLOCK_MAX_REQUEST_BYTES=many", "LETTERLOCK_MAX_REQUEST_BYTES"},
		"origin":         {[]string{"--addr=127.0.0.1:0", "--allowed-origins=*"}, "", "LETTERLOCK_ALLOWED_ORIGINS"},
		"database":       {[]string{"--addr=127.0.0.1:0", "--database=mysql://root:hunter2@db/x"}, "", "LETTERLOCK_DATABASE"},
		"no PostgreSQL":  {[]string{"--addr=127.0.0.1:0"}, "LETTERLOCK_DATABASE=postgres://u:hunter2@127.0.0.1:1/x", "127.0.0.1"},
		"NATS":           {[]string{"--addr=127.0.0.1:0"}, "LETTERLOCK_NATS=http://root:hunter2@nats", "LETTERLOCK_NATS"},
		"NATS CA":        {[]string{"--addr=127.0.0.1:0", "--nats=nats://localhost", "--nats-ca=none"}, "", "LETTERLOCK_NATS_CA"},
		"certificate":    {[]string{"--addr=127.0.0.1:0", "--tls-cert=none", "--tls-key=none"}, "", "LETTERLOCK_TLS_CERT"},
		"no key":         {nil, "LETTERLOCK_TLS_CERT=none", "LETTERLOCK_TLS_KEY"},
		"domain":         {[]string{"--addr=127.0.0.1:0", "--tls-domain=localhost"}, "", "LETTERLOCK_TLS_DOMAIN"},
		"redirect":       {[]string{"--addr=127.0.0.1:0", "--http-redirect=:80"}, "", "LETTERLOCK_HTTP_REDIRECT"},
		"registration":   {nil, "LETTERLOCK_REGISTRATION=maybe", "registration"},
		"proxies":        {[]string{"--addr=127.0.0.1:0", "--trusted-proxies=proxy"}, "", "LETTERLOCK_TRUSTED_PROXIES"},
		"unknown flag":   {[]string{"--nonsense"}, "", "--nonsense"},
		"log level":      {[]string{"--log-level=loud"}, "", "log-level"},
	} {
		t.Run(name, func(t *testing.T) {
			command := exec.CommandContext(t.Context(), program, c.arguments...)
			command.Dir = t.TempDir()
			command.Env = append(os.Environ(), c.env)
			out, err := command.CombinedOutput()
			if err == nil || command.ProcessState.ExitCode() < 1 {
				t.Fatalf("exit status %v: %s", err, out)
			}
			if !strings.Contains(string(out), c.want) || strings.Contains(string(out), "hunter2") {
				t.Errorf("said %s, want %s", out, c.want)
			}
		})
	}
}

// The first lines are the same in every build; the others tell what the binary serves to browsers.
func TestVersion(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), program, "version").Output()
	if err != nil || !regexp.MustCompile(`^letterlock \S+\ncommit [^\n]+\ngo\S+\n`).Match(out) {
		t.Errorf("%q %v", out, err)
	}
	list, err := exec.CommandContext(t.Context(), program, "version", "--web").Output()
	if err != nil {
		t.Fatal(err)
	}
	if len(list) == 0 {
		if !strings.HasSuffix(string(out), "\nweb parts: not built in\n") {
			t.Errorf("%q without web parts", out)
		}
		return
	}
	if root := fmt.Sprintf("all web files: sha256 %x\n", sha256.Sum256(list)); !strings.HasSuffix(string(out), root) {
		t.Errorf("%q does not end with %q", out, root)
	}
}

// What version --web prints holds for what the server sends.
func TestVersionNamesWhatIsServed(t *testing.T) {
	list, err := exec.CommandContext(t.Context(), program, "version", "--web").Output()
	if err != nil {
		t.Fatal(err)
	}
	p := serve(t, t.TempDir())
	defer p.stop(t, os.Interrupt)
	for line := range strings.Lines(string(list)) {
		hash, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		if strings.HasSuffix(name, ".br") || strings.HasSuffix(name, ".gz") {
			continue // forms of files: they have no address
		}
		_, body := get(t, p.url+"/"+name)
		if got := fmt.Sprintf("%x", sha256.Sum256([]byte(body))); !ok || got != hash {
			t.Errorf("%s is %s, not %s", name, got, hash)
		}
	}
}

// Every flag stands in docs/operating.md with its variable, default and nothing else, and every row there is a flag.
func TestFlagsAreDocumented(t *testing.T) {
	parser, err := kong.New(&cli{}, options()...)
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	flags := parser.Model.Flags
	for _, command := range parser.Model.Leaves(true) {
		flags = append(flags, command.Flags...)
	}
	known := map[string]bool{}
	for _, flag := range flags {
		if flag.Hidden || len(flag.Envs) == 0 || flag.Name == "help" { // what has no variable is no setting
			continue
		}
		known[flag.Name] = true
		byDefault := flag.Default
		if byDefault == "" {
			byDefault = "–"
		} else {
			byDefault = "`" + byDefault + "`"
		}
		row := fmt.Sprintf("| `--%s` | `%s` | %s | ", flag.Name, strings.Join(flag.Envs, " "), byDefault)
		if !strings.Contains(string(page), row) {
			t.Errorf("docs/operating.md lacks the row\n%s%s |", row, flag.Help)
		}
	}
	for _, row := range regexp.MustCompile("(?m)^\\| `--([a-z-]+)`").FindAllStringSubmatch(string(page), -1) {
		if !known[row[1]] {
			t.Errorf("docs/operating.md has a row for --%s, which does not exist", row[1])
		}
	}
	if len(known) < 25 {
		t.Errorf("only %d flags were looked at", len(known))
	}
}

// Logs are for programs where that is asked for.
func TestLogFormat(t *testing.T) {
	command := exec.CommandContext(t.Context(), program, "--addr=127.0.0.1:0", "--log-format=json", "--data-dir="+t.TempDir())
	stderr, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stderr)
	deadline := time.AfterFunc(15*time.Second, func() { _ = command.Process.Kill() })
	defer deadline.Stop()
	for lines.Scan() {
		var entry map[string]any
		if err := json.Unmarshal(lines.Bytes(), &entry); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		if entry["msg"] == "serving" {
			break
		}
	}
	if err := command.Process.Signal(os.Interrupt); err != nil {
		t.Error(err)
	}
	for lines.Scan() { // until it has ended
	}
	if err := command.Wait(); err != nil {
		t.Error(err)
	}
}
