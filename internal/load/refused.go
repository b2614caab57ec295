package load

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// RefusedError is a socket that the server did not open, and says why by a status.
type RefusedError struct {
	Status     int
	RetryAfter time.Duration // 0 if it does not say
}

func (r *RefusedError) Error() string {
	return fmt.Sprintf("the server opens no socket: status %d", r.Status)
}

func refusedBy(response *http.Response) *RefusedError {
	r := &RefusedError{Status: response.StatusCode}
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && seconds > 0 {
		r.RetryAfter = time.Duration(seconds) * time.Second
	}
	return r
}
