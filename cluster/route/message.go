package route

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Requests and answers are messages of their own, not those of HTTP: reading and writing these took
// half of what a forwarded request cost besides NATS. See [fields] for how they are written.

// Fields of requests and answers that are about a connection, or about how long a message is: they
// are written anew, or do not come along.
var (
	notOfRequests = map[string]bool{
		"Host": true, "Content-Length": true, "Transfer-Encoding": true, "Connection": true,
		"Expect": true, "Trailer": true, "Upgrade": true,
	}
	notOfAnswers = map[string]bool{
		"Content-Length": true, "Transfer-Encoding": true, "Connection": true, "Trailer": true,
	}
)

// scratch is the size of most heads, in bytes: so much is built without an allocation.
const scratch = 768

// newRequest is the item of a client's request.
func newRequest(r *http.Request, body []byte, timeout time.Duration) []byte {
	ms := min(max(1, timeout.Milliseconds()), math.MaxInt32)   // as it is read
	head := appendNumber(make([]byte, 0, scratch), uint64(ms)) //nolint:gosec // not negative
	head = appendText(head, r.Method)
	scheme := ""
	if r.TLS != nil || r.URL.Scheme == "https" {
		scheme = "https"
	}
	head = appendText(head, scheme)
	target := r.URL.RequestURI()
	head = appendText(head, target)
	sent := r.RequestURI // where another one is served
	if sent == target {
		sent = ""
	}
	head = appendText(head, sent)
	head = appendText(head, r.Host)
	head = appendText(head, r.RemoteAddr)
	head = appendHeader(head, r.Header, notOfRequests)
	text := append(make([]byte, 0, maxItem+len(head)+len(body)), aRequest)
	return appendText(appendText(text, head), body)
}

// readRequest reads a forwarded request, and for how long the client waits for its answer.
func readRequest(head, body []byte) (*http.Request, time.Duration, error) {
	f := readFields(head)
	timeout := f.number()
	r := &http.Request{
		Method: f.text(), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: make(http.Header),
	}
	scheme, target := f.text(), f.text()
	r.RequestURI, r.Host, r.RemoteAddr = f.text(), f.text(), f.text()
	f.header(r.Header)
	if f.bad || timeout == 0 || timeout > math.MaxInt32 {
		return nil, 0, errors.New("route: a forwarded request that is cut off, or has no time")
	}
	if r.RequestURI == "" {
		r.RequestURI = target
	}
	var err error
	if r.URL, err = url.ParseRequestURI(target); err != nil {
		return nil, 0, fmt.Errorf("route: a forwarded request: %w", err)
	}
	if scheme != "" {
		r.URL.Scheme = scheme
	}
	r.Body, r.ContentLength = http.NoBody, int64(len(body))
	if len(body) > 0 {
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	return r, time.Duration(timeout) * time.Millisecond, nil //nolint:gosec // as checked
}

// recorder is where an owner writes the answer to a forwarded request.
type recorder struct {
	header http.Header
	head   []byte // the status and the header, once they are written
	body   bytes.Buffer
}

func newRecorder() *recorder { return &recorder{header: make(http.Header)} }

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	if w.head == nil && status >= http.StatusOK { // not of what comes before an answer
		w.head = appendNumber(make([]byte, 0, scratch/2), uint64(status)) //nolint:gosec // as checked
		w.head = appendHeader(w.head, w.header, notOfAnswers)
	}
}

func (w *recorder) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.body.Len()+len(p) > MaxAnswer {
		return 0, fmt.Errorf("route: the answer is longer than %d bytes", MaxAnswer)
	}
	return w.body.Write(p)
}

// Flush is for http.ResponseController: there is nothing that could be sent before the end.
func (w *recorder) Flush() {}

// writeAnswer writes an answer that came back to the client.
func writeAnswer(w http.ResponseWriter, method string, head, body []byte) error {
	f := readFields(head)
	status := f.number()
	f.header(w.Header())
	if f.bad || status < http.StatusOK || status > 999 {
		clear(w.Header())
		return errors.New("route: an answer that is cut off")
	}
	bodiless := status == http.StatusNoContent || status == http.StatusNotModified
	if !bodiless {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(int(status)) //nolint:gosec // as checked
	if !bodiless && method != http.MethodHead {
		_, _ = w.Write(body) // at once; a client that is gone has its notifications
	}
	_ = http.NewResponseController(w).Flush()
	return nil
}
