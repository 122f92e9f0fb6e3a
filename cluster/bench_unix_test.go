//go:build unix

package cluster_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"ivrqueue/cluster"
	"ivrqueue/cluster/member"
	"ivrqueue/graph"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
	"ivrqueue/tone"
	"ivrqueue/webhook"
)

// cpu returns the processor time that the process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkPlayPrompt is a playPrompt and the cancel that ends it, with the notification of that,
// without a socket, on 64 calls at once: alone (package graph, no cluster), on the owner, and on
// another node, all nodes and servers in one process. cpu-µs/op is the processor time of all of
// them.
func BenchmarkPlayPrompt(b *testing.B) {
	// A machine that is busy with other things must not take the lease away.
	nodes := startClusterWith(b, member.Timing{Beat: 250 * time.Millisecond, Lease: 8 * time.Second, Death: 12 * time.Second})
	notifier, err := webhook.New(webhook.WithLoopback())
	if err != nil {
		b.Fatal(err)
	}
	alone, err := graph.New(graph.Platform{
		Authenticate: func(*http.Request) (graph.Application, error) { return graph.Application{ID: "app"}, nil },
	}, graph.WithLogger(quiet), graph.WithMaxRequests(0), graph.WithNotifier(notifier))
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		of    *graph.Handler
		front http.Handler
	}{
		{"alone", alone, alone}, {"local", nodes[0].handler, nodes[0].front}, {"forwarded", nodes[0].handler, nodes[1].front},
	} {
		b.Run(c.name, func(b *testing.B) {
			bot := newBot(b)
			bot.forget = true
			calls := make(chan *graph.Call, 64)
			for range cap(calls) {
				call := attach(b, c.of, bot.server.URL)
				defer call.Detach(graph.ResultInfo{})
				calls <- call
			}
			time.Sleep(100 * time.Millisecond)
			idle, since := cpu(), time.Now()
			time.Sleep(2 * time.Second)
			idling := float64(cpu()-idle) / float64(time.Since(since))
			before := nodes[0].node.Stats().Journal
			used, start := cpu(), time.Now()
			b.SetParallelism(cap(calls) / runtime.GOMAXPROCS(0))
			b.ResetTimer()
			b.RunParallel(func(p *testing.PB) {
				id := (<-calls).ID().String()
				for p.Next() {
					post(b, c.front, id, "playPrompt", playBody("x"))
					post(b, c.front, id, "cancelMediaProcessing", "{}")
				}
			})
			net := float64(cpu()-used) - idling*float64(time.Since(start))
			b.ReportMetric(net/1e3/float64(b.N), "cpu-µs/op")
			if c.of != alone {
				after := nodes[0].node.Stats().Journal
				b.ReportMetric(float64(after.Written-before.Written)/float64(b.N), "records/op")
				b.ReportMetric(float64(after.Batches-before.Batches)/float64(b.N), "writes/op")
			}
		})
	}
}

func post(b *testing.B, to http.Handler, call, action, body string) {
	r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "http://x/communications/calls/"+call+"/"+action, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	to.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		b.Fatalf("%s: %d %s", action, w.Code, w.Body)
	}
}

func attach(tb testing.TB, h *graph.Handler, callback string) *graph.Call {
	tb.Helper()
	q, err := queue.New(uuid.NewString(), new(queuetest.Media), queue.WithObserver(h), queue.WithLogger(quiet))
	if err != nil {
		tb.Fatal(err)
	}
	c, err := h.Attach(graph.Attachment{
		Queue: q, Tones: new(tone.Stream), Application: "app", CallbackURI: callback,
		State: graph.State{Call: graph.Established},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// BenchmarkIdleCall is what a call that does nothing costs: B/call in a process that has the call,
// which is also its own mirror, against one without a cluster; goroutines/call; and join-ms, how
// long another node takes to read all of them.
func BenchmarkIdleCall(b *testing.B) {
	const calls = 10_000
	for range b.N {
		peers := peersOf(b, 1)
		p := startNode(b, cluster.Options{Node: "a", Peers: peers, MaxStore: 4 << 30})
		p.ready(b)
		alone, err := graph.New(graph.Platform{
			Authenticate: func(*http.Request) (graph.Application, error) { return graph.Application{ID: "app"}, nil },
			Deliver:      func(context.Context, webhook.Delivery) error { return nil },
		}, graph.WithLogger(quiet))
		if err != nil {
			b.Fatal(err)
		}
		bot := newBot(b)
		bot.forget = true
		measure := func(h *graph.Handler) (bytes, goroutines float64) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			running := runtime.NumGoroutine()
			all := make([]*graph.Call, calls)
			for i := range all {
				all[i] = attach(b, h, bot.server.URL)
				for i%1000 == 999 && h.Stats().Pending > 2000 {
					time.Sleep(time.Millisecond)
				}
			}
			for h.Stats().Pending > 0 {
				time.Sleep(10 * time.Millisecond)
			}
			if h == p.handler {
				if err := p.node.DrainJournal(); err != nil {
					b.Fatal(err)
				}
			}
			time.Sleep(15 * time.Second) // until the NATS server has let its caches go
			runtime.GC()
			runtime.ReadMemStats(&after)
			bytes = float64(after.HeapAlloc-before.HeapAlloc) / calls
			goroutines = float64(runtime.NumGoroutine()-running) / calls
			p.mu.Lock()
			for _, c := range all {
				p.calls[c.ID()] = c
			}
			p.mu.Unlock()
			return bytes, goroutines
		}
		without, _ := measure(alone)
		measure(p.handler) // what is there once: buffers of the server, and connections
		with, goroutines := measure(p.handler)
		b.ReportMetric(with-without, "B/call")
		b.ReportMetric(goroutines, "goroutines/call")
		b.ReportMetric(float64(p.node.Stats().Journal.Records), "records")
	}
}
