package service_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"ivrqueue/examples/ivr/service"
)

// endsCounted is how many ends of operations the metrics have.
func (r *rig) endsCounted() (n int) {
	r.tb.Helper()
	for _, found := range regexp.MustCompile(`(?m)^ivrqueue_operations_ended_total\{.*\} (\d+)$`).FindAllStringSubmatch(r.metrics(), -1) {
		count, err := strconv.Atoi(found[1])
		if err != nil {
			r.tb.Fatal(err)
		}
		n += count
	}
	return n
}

// busyCall makes a call in which everything happens that is counted, ends it, and waits until it is
// counted: the bot may be told before that.
func (r *rig) busyCall(context string) {
	r.tb.Helper()
	const operations = 4
	before := r.endsCounted()
	p := r.call()
	p.wait("is active", func(res any) bool { return at(res, "mediaState", "audio") == "active" })
	p.act("subscribeToTone", `{"clientContext":"`+context+`"}`)
	music := p.play("file:music.wav", true)
	p.hears(20 * time.Millisecond)
	p.press("12#")
	waits := p.play("file:music.wav", false)
	p.act("cancelMediaProcessing", `{"clientContext":"`+context+`"}`)
	p.wantEnd(music, 400, 8508)
	p.wantEnd(waits, 400, 8508)
	missing := p.play("file:missing.wav", false)
	p.wantEnd(missing, 400, 8536)
	p.wantEnd(p.act("recordResponse", `{"prompts":[`+missingPrompt+`]}`), 500, 8511) // a fault of ours
	p.must(204, "DELETE", "/v1.0/communications/calls/"+p.id, "bot", "")
	p.wait(p.id+" has ended", func(res any) bool { return at(res, "id") == p.id && at(res, "state") == "terminated" })
	until(r.tb, "all ends are counted", func() bool { return r.endsCounted() == before+operations })
}

const missingPrompt = `{"@odata.type":"#microsoft.graph.mediaPrompt","mediaInfo":{"@odata.type":"#microsoft.graph.mediaInfo","uri":"file:missing.wav"}}`

// metrics returns the exposition.
func (r *rig) metrics() string {
	r.tb.Helper()
	status, data := r.do("GET", "/metrics", "", "")
	if status != http.StatusOK {
		r.tb.Fatalf("/metrics: got %d: %s", status, data)
	}
	return string(data)
}

func withMusic(tb testing.TB) *rig {
	tb.Helper()
	r := start(tb)
	r.file("music.wav", sine(440, time.Second))
	return r
}

// Prometheus' own linter has nothing to say about what is exported.
func TestTheMetricsAreAsPrometheusWantsThem(t *testing.T) {
	t.Parallel()
	r := withMusic(t)
	r.busyCall("a")
	problems, err := promlint.New(strings.NewReader(r.metrics())).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// The series do not grow with calls, nor with what a client writes into its requests.
func TestTheSeriesDoNotGrowWithCalls(t *testing.T) {
	t.Parallel()
	r := withMusic(t)
	round := func(calls int) int {
		for n := range calls {
			r.busyCall(fmt.Sprintf("context-%d-%d", calls, n))
			for _, path := range []string{fmt.Sprintf("/nowhere/%d", n), fmt.Sprintf("/v1.0/communications/calls/%d", n)} {
				req, err := http.NewRequestWithContext(t.Context(), fmt.Sprintf("METHOD%d", n), r.url+path, nil)
				if err != nil {
					t.Fatal(err)
				}
				req.Host = fmt.Sprintf("host-%d.example:%d", n, 1000+n)
				w, err := r.client.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				_ = w.Body.Close()
			}
		}
		return strings.Count(r.metrics(), "\n")
	}
	// What is in the first call already is what there ever is, save for the runtime's own.
	before := round(2)
	if after := round(12); before == 0 || after != before {
		t.Errorf("%d lines after 2 calls, %d after 14", before, after)
	}
}

// The metrics are for this machine, and for the networks that are named: not for what a proxy brings.
func TestTheMetricsAreNotForEverybody(t *testing.T) {
	t.Parallel()
	s := start(t, func(o *service.Options) {
		o.MetricsFrom = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	}).service
	for _, test := range []struct {
		name, from string
		headers    []string
		want       int
	}{
		{"this machine", "127.0.0.1:1000", nil, 200},
		{"this machine, IPv6", "[::1]:1000", nil, 200},
		{"mapped", "[::ffff:10.1.2.3]:1000", nil, 200},
		{"the network", "10.1.2.3:1000", nil, 200},
		{"the first address after it", "11.0.0.0:1000", nil, 404},
		{"others", "192.0.2.1:1000", nil, 404},
		{"a proxy on this machine", "127.0.0.1:1000", []string{"X-Forwarded-For", "192.0.2.1"}, 404},
		{"a proxy of the RFC", "127.0.0.1:1000", []string{"Forwarded", "for=192.0.2.1"}, 404},
		{"one that adds a line to the client's", "127.0.0.1:1000", []string{"X-Forwarded-For", "", "X-Forwarded-For", "192.0.2.1"}, 404},
		{"nobody", "", nil, 404},
	} {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil)
		req.RemoteAddr = test.from
		for i := 0; i < len(test.headers); i += 2 {
			req.Header.Add(test.headers[i], test.headers[i+1])
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, req)
		if w.Code != test.want {
			t.Errorf("%s: got %d, want %d", test.name, w.Code, test.want)
		}
	}
}

// A service that shuts down is not ready any more, and healthy yet.
func TestAServiceThatShutsDownIsNotReady(t *testing.T) {
	t.Parallel()
	r := start(t)
	want := func(path string, status int) {
		t.Helper()
		if got, _ := r.do("GET", path, "", ""); got != status {
			t.Errorf("%s: got %d, want %d", path, got, status)
		}
	}
	want("/readyz", 204)
	if err := r.service.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	want("/readyz", 503)
	want("/healthz", 204)
	want("/metrics", 200)
}
