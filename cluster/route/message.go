package route

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Requests and answers are messages of their own, not those of HTTP: reading and writing these took
// half of what a forwarded request cost besides NATS. See [fields] for how they are written.

// ofConnection reports whether a field of a header is about a connection, or about how long a
// message is: it is written anew, or does not come along.
func ofConnection(name string) bool {
	switch name {
	case "Content-Length", "Transfer-Encoding", "Connection", "Trailer":
		return true
	}
	return false
}

// ofClient reports the same of a request, and of what the client's node has done.
func ofClient(name string) bool {
	switch name {
	case "Host", "Expect", "Upgrade":
		return true
	}
	return ofConnection(name)
}

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
	head = appendHeader(head, r.Header, ofClient)
	text := append(make([]byte, 0, maxItem+len(head)+len(body)), aRequest)
	return appendText(appendText(text, head), body)
}

// readTimeout reads for how long the client of a forwarded request waits, the first of its fields.
func readTimeout(f *fields) time.Duration {
	ms := f.number()
	if ms == 0 || ms > math.MaxInt32 {
		f.cutOff()
	}
	return time.Duration(min(ms, math.MaxInt32)) * time.Millisecond //nolint:gosec // as checked
}

// readRequest reads the other fields of a forwarded request.
func readRequest(ctx context.Context, f *fields, text []byte) (*http.Request, error) {
	r := (&http.Request{
		Method: f.text(), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: make(http.Header),
	}).WithContext(ctx)
	scheme, target := f.text(), f.text()
	r.RequestURI, r.Host, r.RemoteAddr = f.text(), f.text(), f.text()
	f.header(r.Header)
	if f.bad {
		return nil, errors.New("route: a forwarded request that is cut off, or has no time")
	}
	if r.RequestURI == "" {
		r.RequestURI = target
	}
	var err error
	if r.URL, err = url.ParseRequestURI(target); err != nil {
		return nil, fmt.Errorf("route: a forwarded request: %w", err)
	}
	if scheme != "" {
		r.URL.Scheme = scheme
	}
	r.Body, r.ContentLength = http.NoBody, int64(len(text))
	if len(text) > 0 {
		b := new(body)
		b.Reset(text)
		r.Body = b
	}
	return r, nil
}

// body is that of a request.
type body struct{ bytes.Reader }

func (b *body) Close() error { return nil }

// recorder is where an owner writes the answer to a forwarded request.
type recorder struct {
	header  http.Header
	head    []byte // the status and the header, once they are written
	body    bytes.Buffer
	verdict verdict
}

func newRecorder() *recorder { return &recorder{header: make(http.Header)} }

// reset forgets what was written.
func (w *recorder) reset() {
	w.header, w.head, w.body = make(http.Header), nil, bytes.Buffer{}
}

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	if w.head == nil && status >= http.StatusOK { // not of what comes before an answer
		w.head = appendNumber(make([]byte, 0, scratch/2), uint64(status)) //nolint:gosec // as checked
		w.head = appendHeader(w.head, w.header, ofConnection)
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
