package route

import (
	"math"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// However long a client may wait, the owner takes the request.
func TestAnyTimeoutIsForwarded(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://x/y", http.NoBody)
	for _, timeout := range []time.Duration{1, time.Second, math.MaxInt64} {
		head, _, _ := cutText(newRequest(r, nil, timeout)[1:])
		if f := readFields(head); readTimeout(f) < min(timeout, 24*24*time.Hour) || f.bad {
			t.Errorf("%v: got %v", timeout, readTimeout(readFields(head)))
		}
	}
}
