package failure

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
)

// panicked is a recovered panic with the place where it happened.
type panicked struct {
	what  string
	stack string
}

func (p *panicked) Error() string { return "panic: " + p.what }

// Recover is gqlgen's RecoverFunc: it makes an error of a panic, for Present to log.
func Recover(_ context.Context, recovered any) error {
	// A panic's value may hold anything that was at hand; only the runtime's own say nothing but the defect.
	what := fmt.Sprintf("%T", recovered)
	var fault runtime.Error
	if err, ok := recovered.(error); ok && errors.As(err, &fault) {
		what = fault.Error()
	}
	return &panicked{what: what, stack: string(debug.Stack())}
}

// report logs a defect and gives the id under which the log has it.
func (p *Presenter) report(ctx context.Context, err error) string {
	id := rand.Text()[:16]
	attributes := []any{"requestId", id, "error", err}
	var fault *panicked
	if errors.As(err, &fault) {
		attributes = append(attributes, "stack", fault.stack)
	}
	p.log.ErrorContext(ctx, "defect", attributes...)
	return id
}
