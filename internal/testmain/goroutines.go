package testmain

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// WithoutLeaks runs the tests and fails if a goroutine outlives them whose stack names one of the given packages. It gives the
// exit code.
func WithoutLeaks(m *testing.M, of ...string) int {
	code := m.Run()
	if left := Left(of...); left != "" && code == 0 {
		fmt.Fprintf(os.Stderr, "goroutines are left:\n%s\n", left)
		code = 1
	}
	return code
}

// Left gives the goroutines whose stacks name one of the given packages and that do not end within a few seconds.
func Left(of ...string) string {
	for deadline := time.Now().Add(5 * time.Second); ; runtime.Gosched() {
		left := slices.DeleteFunc(stacks(), func(stack string) bool {
			names := func(name string) bool { return strings.Contains(stack, name) }
			return !slices.ContainsFunc(of, names) || names("TestMain")
		})
		if len(left) == 0 || time.Now().After(deadline) {
			return strings.Join(left, "\n\n")
		}
	}
}

func stacks() []string {
	text := make([]byte, 1<<20)
	return strings.Split(string(text[:runtime.Stack(text, true)]), "\n\n")
}
