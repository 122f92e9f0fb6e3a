package route_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"ivrqueue/cluster/callid"
)

// clientOf is a client that has little to do with the answer.
type clientOf struct{ header http.Header }

func (c *clientOf) Header() http.Header         { return c.header }
func (c *clientOf) Write(p []byte) (int, error) { return len(p), nil }
func (c *clientOf) WriteHeader(int)             {}
func (c *clientOf) Flush()                      {}

// forward has some clients at once forward plays, from one router of this process to another, with
// NATS between them.
func forward(b *testing.B, clients int) {
	b.Helper()
	conn := connectTo(b, &server.Options{})
	answer := []byte(`{"id":"0fe0623f-d628-42ed-b4bd-8ac290072cc5","status":"running"}`)
	owner := newNode(b, conn, "a", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(answer)
	})
	entry := newNode(b, conn, "b", nothing)
	path := "http://media.example/communications/calls/" + callid.New(owner.owner).String() + "/playPrompt"
	body := bytes.Repeat([]byte("x"), 400)
	b.ReportAllocs()
	b.SetParallelism(clients)
	b.RunParallel(func(pb *testing.PB) {
		text := bytes.NewReader(nil)
		r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, path, http.NoBody)
		if err != nil {
			b.Error(err)
			return
		}
		r.Header = http.Header{"Content-Type": {"application/json"}, "User-Agent": {"bot"}, "Authorization": {"Bearer of a bot"}}
		r.Body, r.ContentLength = io.NopCloser(text), int64(len(body))
		for pb.Next() {
			text.Reset(body)
			entry.ServeHTTP(&clientOf{make(http.Header)}, r)
		}
	})
	if s := entry.Stats(); s.Lost > 0 || s.Forwarded < uint64(b.N) { //nolint:gosec // not negative
		b.Errorf("of %d requests: %+v", b.N, s)
	}
}

// What a forwarded request costs both nodes, besides what the client and the platform do.
func BenchmarkForwarded(b *testing.B) {
	for _, clients := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) { forward(b, clients) })
	}
}

// Processor time of a node that forwards goes for the garbage, most of all.
func TestAForwardedRequestMakesLittleGarbage(t *testing.T) {
	result := testing.Benchmark(func(b *testing.B) { forward(b, 64) })
	const allocs, bytes = 45, 8 << 10 // 30 and 6 KB; the race detector empties pools at random
	if result.N == 0 || result.AllocsPerOp() > allocs || result.AllocedBytesPerOp() > bytes {
		t.Errorf("%d requests, each %d allocations of %d bytes, must be at most %d of %d", result.N, result.AllocsPerOp(), result.AllocedBytesPerOp(), allocs, bytes)
	}
}
