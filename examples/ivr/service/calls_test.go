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

// measure looks when what ends has ended: goroutines that are on their way out are waited for.
func measure(clients ...*http.Client) (m residue) {
	for range 200 {
		for _, c := range clients {
			c.CloseIdleConnections()
		}
		runtime.GC()
		now := residue{goroutines: runtime.NumGoroutine(), files: -1}
		if open, err := os.ReadDir("/proc/self/fd"); err == nil {
			now.files = len(open)
		}
		if now.goroutines == m.goroutines && now.files == m.files {
			break
		}
		m = now
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
	})
	r.file("short.wav", sine(400, 20*time.Millisecond))
	var book ledger
	callback := &http.Server{Handler: &book, ReadHeaderTimeout: time.Minute}
	url := listen(t, callback)
	r.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	t.Cleanup(r.client.CloseIdleConnections)

	const perCall = 4 // operations that are told
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
		for range 3000 {
			if book.terminated.Load() == int64(n) {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		// Each is named twice: as resourceUrl and as @odata.id.
		if ends, ops := book.terminated.Load(), book.operations.Load(); ends != int64(n) || ops != int64(2*perCall*n) {
			t.Fatalf("%d ends of %d calls, and of %d operations, want %d", ends, n, ops/2, perCall*n)
		}
		for range 1000 { // recordings have their time
			if left, err := os.ReadDir(r.folder); err != nil || len(left) == 0 {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
	}

	warm := min(calls, 200)
	use(warm)
	wantAll(warm)
	before := measure(r.client)
	began := time.Now()
	use(calls)
	took := time.Since(began)
	wantAll(warm + calls)
	after := measure(r.client)
	t.Logf("%d calls in %v: before %+v, after %+v", calls, took, before, after)
	// The owners that the inbox remembers, up to 10,000, are all that may stay.
	most := before.heap + 2<<20 + 300*int64(min(calls, 10_000))
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
	time.Sleep(60 * time.Millisecond)
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
