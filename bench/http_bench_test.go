package bench_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"ivrqueue/bench"
)

// BenchmarkHTTPCancel makes cancelMediaProcessing requests over loopback, one after the other on
// one connection, of our graph handler and of a bare one that decodes and encodes JSON of the same
// size. With a victim, there is a play that each request cancels, and a notification of that.
func BenchmarkHTTPCancel(b *testing.B) {
	ours := bench.NewService()
	defer ours.Close()
	warm()
	type service struct {
		name    string
		handler http.Handler
		before  func()
	}
	for _, s := range inTurn([]service{
		{"ours", ours.Handler, nothing},
		{"bare", bench.Bare(ours.Answer()), nothing},
		{"victim", ours.Handler, ours.Play},
	}) {
		b.Run(s.name, func(b *testing.B) { requests(b, s.handler, ours.Path, s.before) })
	}
}

func requests(b *testing.B, handler http.Handler, path string, before func()) {
	b.Helper()
	server := httptest.NewServer(handler)
	defer server.Close()
	client := server.Client()
	defer client.CloseIdleConnections()
	url := server.URL + path
	b.ReportAllocs()
	for b.Loop() {
		before()
		req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, url,
			bytes.NewReader(bench.CancelBody))
		if err != nil {
			b.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		resp, err := client.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		if resp.StatusCode != http.StatusOK {
			b.Fatal(resp.Status)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			b.Fatal(err)
		}
		resp.Body.Close()
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}
