package route

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
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

// appendRequest appends a request of a client, with its body.
func appendRequest(to []byte, r *http.Request, body []byte, timeout time.Duration) []byte {
	head := appendNumber(make([]byte, 0, scratch), uint64(timeout.Milliseconds())) //nolint:gosec // > 0
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
	return appendText(appendText(to, head), body)
}

// readRequest reads a forwarded request, and for how long the client waits for its answer.
func readRequest(head, body []byte) (*http.Request, time.Duration, error) {
	f := readFields(head)
	timeout := f.number()
	r := &http.Request{Method: f.text(), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}
	scheme, target := f.text(), f.text()
	r.RequestURI, r.Host, r.RemoteAddr, r.Header = f.text(), f.text(), f.text(), f.header()
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
	status int
	header http.Header
	sent   http.Header // as it was when the status was written
	body   bytes.Buffer
}

func newRecorder() *recorder { return &recorder{header: make(http.Header)} }

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK { // not of what comes before an answer
		w.status, w.sent = status, w.header.Clone()
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

// bytes is the answer, for [writeAnswer].
func (w *recorder) bytes() []byte {
	w.WriteHeader(http.StatusOK)
	head := appendNumber(make([]byte, 0, scratch), uint64(w.status)) //nolint:gosec // of three digits
	head = appendHeader(head, w.sent, notOfAnswers)
	text := appendText(make([]byte, 0, len(head)+w.body.Len()+8), head)
	return append(text, w.body.Bytes()...)
}

// writeAnswer writes an answer that came back to the client.
func writeAnswer(w http.ResponseWriter, method string, text []byte) error {
	head, body, ok := cutText(text)
	f := readFields(head)
	status, header := int(f.number()), f.header() //nolint:gosec // it is checked
	if !ok || f.bad || status < http.StatusOK || status > 999 {
		return errors.New("route: an answer that is cut off")
	}
	maps.Copy(w.Header(), header)
	bodiless := status == http.StatusNoContent || status == http.StatusNotModified
	if !bodiless {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(status)
	if !bodiless && method != http.MethodHead {
		_, _ = w.Write(body) // at once; a client that is gone has its notifications
	}
	_ = http.NewResponseController(w).Flush()
	return nil
}
