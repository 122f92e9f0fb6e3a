package service_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ivrqueue/examples/ivr/service"
	"ivrqueue/inspect"
	"ivrqueue/internal/goroutines"
	"ivrqueue/webhook"
)

// ledger is a callback that keeps nothing but counts.
type ledger struct {
	operations, terminated atomic.Int64
}

func (l *ledger) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	data, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	text := string(data)
	l.operations.Add(int64(strings.Count(text, `/operations/`)))
	l.terminated.Add(int64(strings.Count(text, `"terminated"`)))
	w.Header().Set("Connection", "close") // so that no idle connection is taken for a leak
	w.WriteHeader(http.StatusAccepted)
}

// residue is what a process holds.
type residue struct {
	goroutines, files int
	heap              int64
}

// measure looks when what ends has ended: goroutines that are on their way out are waited for, until
// nothing changes, or, if no more is wanted than at most, until it is so.
func measure(most *residue, clients ...*http.Client) (m residue) {
	for range 1200 { // nothing announces that a goroutine has gone, or a socket
		for _, c := range clients {
			c.CloseIdleConnections()
		}
		runtime.GC()
		now := residue{goroutines: goroutines.Count(), files: -1}
		if open, err := os.ReadDir("/proc/self/fd"); err == nil {
			now.files = len(open)
		}
		still := now.goroutines == m.goroutines && now.files == m.files
		m = now
		if most == nil && still || most != nil && m.goroutines <= most.goroutines && m.files <= most.files {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	runtime.GC()
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	m.heap = int64(mem.HeapAlloc)
	return m
}

// Calls are created, used and ended, 200 of them, or as many as IVR_CALLS says; then goroutines,
// files, connections and heap are where they were.
func TestCallsLeaveNothingBehind(t *testing.T) { //nolint:paralleltest // measures the process
	calls := 200
	if s := os.Getenv("IVR_CALLS"); s != "" {
		var err error
		if calls, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	r := start(t, func(o *service.Options) {
		o.Caller, o.KeepRecordings = sine(300, time.Second), 10*time.Millisecond
		o.Logger = slog.New(slog.DiscardHandler)
		o.Inspector = []inspect.Option{inspect.WithRetention(100, time.Minute)}
		// What is not answered in time is sent again, and counted twice.
		o.Notifier = append(o.Notifier, webhook.WithAttemptTimeout(time.Minute))
	})
	r.file("short.wav", sine(400, 20*time.Millisecond))
	var book ledger
	callback := &http.Server{Handler: &book, ReadHeaderTimeout: time.Minute}
	url := listen(t, callback)
	r.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	t.Cleanup(r.client.CloseIdleConnections)

	const perCall = 4 // operations that are notified
	use := func(n int) {
		var all sync.WaitGroup
		var next atomic.Int64
		for range 32 {
			all.Go(func() {
				for next.Add(1) <= int64(n) {
					useCall(t, r, url)
				}
			})
		}
		all.Wait()
	}
	wantAll := func(n int) {
		t.Helper()
		until(t, "all calls are terminated", func() bool { return book.terminated.Load() >= int64(n) })
		// Each is named three times: as resourceUrl, as resource and as @odata.id.
		if ends, ops := book.terminated.Load(), book.operations.Load(); ends != int64(n) || ops != int64(3*perCall*n) {
			t.Fatalf("%d ends of %d calls, and of %d operations, want %d", ends, n, ops/3, perCall*n)
		}
		until(t, "the recordings are removed", func() bool {
			left, err := os.ReadDir(r.folder)
			return err != nil || len(left) == 0
		})
	}

	warm := min(calls, 200)
	use(warm)
	wantAll(warm)
	before := measure(nil, r.client)
	began := time.Now()
	use(calls)
	took := time.Since(began)
	wantAll(warm + calls)
	after := measure(&residue{goroutines: before.goroutines + 4, files: before.files + 4}, r.client)
	t.Logf("%d calls in %v: before %+v, after %+v", calls, took, before, after)
	// All that may stay are the owners that the inbox remembers, up to 10,000, and the calls that the
	// inspector still shows.
	const shown = 8 << 10 // bytes of such a call
	most := before.heap + 2<<20 + 300*int64(min(calls, 10_000)) + shown*int64(min(calls, inspect.DefaultKeep))
	if after.goroutines > before.goroutines+4 || after.files > before.files+4 || after.heap > most {
		t.Errorf("after %d calls: %+v, before: %+v", calls, after, before)
	}
	if left, err := os.ReadDir(r.folder); err != nil || len(left) > 0 {
		t.Errorf("%d recordings are left: %v", len(left), err)
	}
}

// useCall is the whole life of a call: two plays, a record, and one that a cancel ends.
func useCall(t *testing.T, r *rig, callback string) {
	t.Helper()
	do := func(want int, method, path, body string) string {
		status, data := r.do(method, path, "bot", body)
		if status != want {
			t.Errorf("%s %s: got %d: %s", method, path, status, data)
		}
		_, id, _ := strings.Cut(string(data), `"myParticipantId":`)
		_, id, _ = strings.Cut(id, `"id":"`)
		id, _, _ = strings.Cut(id, `"`)
		return id
	}
	id := do(201, "POST", "/v1.0/communications/calls", createBody(callback))
	act := func(action, body string) {
		do(200, "POST", "/v1.0/communications/calls/"+id+"/"+action, body)
	}
	act("subscribeToTone", `{}`)
	act("playPrompt", playBody("file:short.wav", false))
	act("recordResponse", `{"playBeep":false,"stopTones":["#"]}`)
	time.Sleep(60 * time.Millisecond) // real time is meant: the caller speaks into the record, if it runs by then
	do(204, "POST", "/dev/calls/"+id+"/tones", `{"tones":"1#"}`)
	act("playPrompt", playBody("file:short.wav", true))
	act("playPrompt", playBody("file:short.wav", true))
	act("cancelMediaProcessing", `{}`)
	do(204, "DELETE", "/v1.0/communications/calls/"+id, "")
}

// listen serves on a socket until the test ends.
func listen(t *testing.T, s *http.Server) (url string) {
	t.Helper()
	l, done := newListener(t), make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(l)
	}()
	t.Cleanup(func() {
		_ = s.Close()
		<-done
	})
	return fmt.Sprintf("http://%s/", l.Addr())
}
