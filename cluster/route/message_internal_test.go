package route

import (
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// discard is a client that has little to do with an answer.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(int)             {}

// However long a client may wait, the owner takes the request.
func TestAnyTimeoutIsForwarded(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://x/y", http.NoBody)
	for _, timeout := range []time.Duration{1, time.Second, math.MaxInt64} {
		head, _, _ := cutText(newRequest(r, nil, timeout)[1:])
		if _, got, err := readRequest(head, nil); err != nil || got < min(timeout, 24*24*time.Hour) {
			t.Errorf("%v: got %v, %v", timeout, got, err)
		}
	}
}

// What a forwarded request costs besides NATS: processor time of a node that forwards goes for the
// garbage, most of all.
func TestAForwardedRequestMakesLittleGarbage(t *testing.T) {
	body := strings.Repeat("y", 400)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://x/communications/calls/1/playPrompt", http.NoBody)
	r.Header.Set("Authorization", "Bearer x")
	r.Header.Set("Content-Type", "application/json")
	result := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			text, err := readBody(strings.NewReader(body), int64(len(body)))
			if err != nil || string(text) != body {
				b.Fatalf("read %q, %v", text, err)
			}
			w := newRecorder()
			w.Header().Set("Content-Type", "application/json")
			item := newRequest(r, text, time.Minute)
			head, rest, _ := cutText(item[1:])
			sent, _, ok := cutText(rest)
			if got, _, err := readRequest(head, sent); !ok || err != nil || got.ContentLength != int64(len(body)) {
				b.Fatalf("read %v, %v", got, err)
			}
			_, _ = w.Write(text)
			a := reply{head: w.head, body: w.body.Bytes()}
			if a, _, err = cutReply(a.item().text); err != nil {
				b.Fatal(err)
			}
			if err := writeAnswer(&discard{make(http.Header)}, http.MethodPost, a.head, a.body); err != nil {
				b.Fatal(err)
			}
		}
	})
	const allocs, bytes = 80, 24 << 10 // the race detector empties pools at random
	if result.AllocsPerOp() > allocs || result.AllocedBytesPerOp() > bytes {
		t.Errorf("%d allocations of %d bytes, must be at most %d of %d", result.AllocsPerOp(), result.AllocedBytesPerOp(), allocs, bytes)
	}
}
