package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/letterlock/letterlock/internal/testdb"
	"github.com/letterlock/letterlock/internal/testmain"
	"github.com/letterlock/letterlock/soak/internal/clockserver"
	"github.com/letterlock/letterlock/soak/internal/rig"
)

// seedVariable repeats a run, as far as chance goes: trouble meets whatever is going on.
const seedVariable = "LETTERLOCK_TEST_SEED"

// program is the server, built for these tests.
var program string

func TestMain(m *testing.M) {
	if os.Getenv(rig.PartVariable) != "" {
		main()
		return
	}
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil { // runs wait more than they work
		panic(err)
	}
	os.Exit(testmain.WithServer(m, &program))
}

// atOnce is how many scenarios share a PostgreSQL, which goes through them one after the other: most of a scenario is waiting.
const atOnce = 4

// Each scenario for a moment: what runs for hours with `make soak` works, and no breach is to be had at once.
func TestScenarios(t *testing.T) {
	o := options{program: program, seed: seed(t), duration: 1200 * time.Millisecond, people: 6, crowd: 300, patience: time.Minute}
	for _, store := range []string{sqlite, postgresql} {
		list := slices.DeleteFunc(scenarios(), func(s scenario) bool { return !slices.Contains(s.stores, store) })
		for some := range slices.Chunk(list, atOnce) {
			t.Run(store, func(t *testing.T) {
				t.Parallel()
				o := o
				if store == postgresql {
					o.postgres = postgres(t)
				}
				for _, s := range some {
					t.Run(s.name, func(t *testing.T) {
						if err := s.works(t.Context(), store, o); err != nil {
							t.Skipf("%s cannot run on this machine: %v", s.name, err)
						}
						check(t, s, store, o)
					})
				}
			})
		}
	}
}

func check(t *testing.T, s scenario, store string, o options) {
	t.Helper()
	result, err := do(t.Context(), s, store, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range result.words {
		t.Error(words)
	}
	t.Logf("%d operations, %d answered sends, %d unanswered, %d faults in %v; memory %d, %d, %d MB", result.operations, result.answered, result.lost,
		result.faults, result.took.Round(time.Millisecond),
		result.before>>20, result.peak>>20, result.after>>20)
	if result.answered == 0 || result.faults == 0 && !s.quiet {
		t.Errorf("%d sends were answered, with %d faults: this says nothing", result.answered, result.faults)
	}
}

func seed(t *testing.T) uint64 {
	t.Helper()
	given := os.Getenv(seedVariable)
	if given == "" {
		given = strconv.FormatInt(time.Now().UnixNano(), 10)
	}
	n, err := strconv.ParseUint(given, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s=%d", seedVariable, n)
	return n
}

func postgres(t *testing.T) *rig.Postgres {
	t.Helper()
	if _, err := exec.LookPath("initdb"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("PostgreSQL's programs are not on the PATH, and in CI every test runs")
		}
		t.Skipf("needs PostgreSQL's programs on the PATH, as scripts/with-postgres.sh has them (%s)", testdb.PostgresVariable)
	}
	p, err := rig.NewPostgres(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// A server that loses what it has answered is found out: here its store goes back to what it was some moments ago.
func TestALossIsFound(t *testing.T) {
	t.Parallel()
	s := scenario{name: "rollback", nodes: 1, trouble: rollback}
	result, err := do(t.Context(), s, sqlite, options{program: program, seed: seed(t), duration: 2 * time.Second, people: 4, patience: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if result.breaches == 0 {
		t.Error("the store went back in time, and nobody has noticed")
	}
	for _, words := range result.words[:min(3, len(result.words))] {
		t.Log(words)
	}
}

// A server that does not come back is told of, and does not have a run wait forever.
func TestAServerThatStaysAwayIsFound(t *testing.T) {
	t.Parallel()
	s := scenario{name: "away", nodes: 1, trouble: func(_ context.Context, r *run) error { return r.nodes[0].Kill() }}
	result, err := do(t.Context(), s, sqlite, options{program: program, seed: seed(t), duration: time.Second, people: 2, patience: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if result.breaches == 0 {
		t.Error("the server was gone, and nobody has noticed")
	}
}

// A server that makes mistakes which no client sees is found out all the same.
func TestAMistakeIsFound(t *testing.T) {
	t.Parallel()
	for mistake, words := range map[string]string{
		clockserver.Leak: "live heap", clockserver.Spin: "never idle", clockserver.Babble: "what no log may hold",
	} {
		t.Run(mistake, func(t *testing.T) {
			t.Parallel()
			s := scenario{name: mistake, nodes: 1, clock: true, trouble: func(_ context.Context, r *run) error { return r.nodes[0].Mistake(mistake) }}
			o := options{program: program, seed: seed(t), duration: 500 * time.Millisecond, people: 2, patience: 3 * time.Second}
			result, err := do(t.Context(), s, sqlite, o)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(result.words, func(w string) bool { return strings.Contains(w, words) }) {
				t.Errorf("it was told of as %q", result.words)
			}
		})
	}
}

// A server to which one of a crowd does not come back is found out, however well all others are.
func TestOneWhoStaysAwayIsFound(t *testing.T) {
	t.Parallel()
	forget := func(ctx context.Context, r *run) error {
		if err := r.nodes[0].Mistake(clockserver.Forget); err != nil {
			return err
		}
		gone := func() bool { return len(r.crowd.Live()) < len(r.crowd.Receivers) }
		return errors.Join(r.until("nobody was forgotten", gone), r.storm(ctx))
	}
	s := scenario{name: "forget", nodes: 1, clock: true, crowd: true, trouble: forget}
	o := options{program: program, seed: seed(t), duration: 500 * time.Millisecond, people: 2, crowd: 20, patience: 8 * time.Second}
	result, err := do(t.Context(), s, sqlite, o)
	if err != nil {
		t.Fatal(err)
	}
	found := func(w string) bool {
		return strings.Contains(w, "not all of the crowd came back: 19 devices are live after 16s, want 20")
	}
	if !slices.ContainsFunc(result.words, found) {
		t.Errorf("it was told of as %q", result.words)
	}
}

// A log in which trouble does not show is found out.
func TestSilenceInTheLogIsFound(t *testing.T) {
	t.Parallel()
	for _, s := range scenarios() {
		for _, store := range s.stores {
			r := &run{scenario: s, store: store}
			if words := r.unsaid(); len(words) != len(s.says[store]) {
				t.Errorf("%s on %s: %d of %d are missed", s.name, store, len(words), len(s.says[store]))
			}
			if len(s.says[store]) == 0 && !slices.Contains(s.silent, store) && s.name != "freeze" { // which may end what is under way, or not
				t.Errorf("nobody looks at what %s has the server log on %s", s.name, store)
			}
		}
	}
}

// What is asked for by name and cannot run is no success.
func TestWhatCannotRunIsNoSuccess(t *testing.T) {
	t.Parallel()
	impossible := scenario{name: "impossible", stores: []string{sqlite}, possible: func(context.Context) error { return errors.New("not here") }}
	for _, named := range []bool{true, false} {
		c := &runCommand{Stores: []string{sqlite}, Rounds: 1}
		if named {
			c.Only = []string{impossible.name}
		}
		err := c.runAll(t.Context(), newTable(io.Discard), []scenario{impossible}, options{})
		if errors.Is(err, errNotRun) != named || !named && err != nil {
			t.Errorf("asked for by name: %v; the end is %v", named, err)
		}
	}
}

func rollback(ctx context.Context, r *run) error {
	node, old := r.nodes[0], r.dir+"-old"
	defer func() { _ = os.RemoveAll(old) }()
	again := func(f func() error) error {
		r.wait(ctx, r.beat(), 2*r.beat())
		return errors.Join(node.Kill(), f(), node.Start(r.ctx))
	}
	if err := again(func() error { return os.CopyFS(old, os.DirFS(r.dir)) }); err != nil {
		return err
	}
	return again(func() error { return errors.Join(os.RemoveAll(r.dir), os.CopyFS(r.dir, os.DirFS(old))) })
}
