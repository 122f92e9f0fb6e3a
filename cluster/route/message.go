package route

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
)

// Headers of the NATS messages that carry HTTP messages.
const (
	headScheme = "Scheme"  // of the client's request: https, or none
	headURI    = "Uri"     // as the client sent it, where another one is served
	headRemote = "Remote"  // the client's address
	headTime   = "Timeout" // milliseconds that the client waits
	headHeld   = "Held"    // of an answer: what waits for it, to be released
	headSize   = "Size"    // of an answer that is longer than its message
	headRest   = "Rest"    // of one, and of a request for it: its name
	headOffset = "Offset"  // of a request for the rest
	headFenced = "Fenced"  // of an answer: the owner has lost the right to give one
	headBusy   = "Busy"    // of an answer: the owner serves as many as it can
)

// Members of the headers of requests and of answers that are about a connection, or about how long
// a message is: they are written anew, or do not come along.
var (
	notOfRequests = map[string]bool{
		"Host": true, "Content-Length": true, "Transfer-Encoding": true, "Connection": true,
		"Expect": true, "Trailer": true, "Upgrade": true,
	}
	notOfAnswers = map[string]bool{
		"Content-Length": true, "Transfer-Encoding": true, "Connection": true, "Trailer": true,
	}
)

// reader reads the first line and the header of a message, in no more memory than that needs.
func reader(text []byte) *bufio.Reader {
	return bufio.NewReaderSize(bytes.NewReader(text), min(len(text), 4096))
}

// forward writes a request of a client as a message.
func forward(
	subject string, r *http.Request, body []byte, timeout time.Duration,
) (*nats.Msg, error) {
	m := nats.NewMsg(subject)
	if r.TLS != nil || r.URL.Scheme == "https" {
		m.Header.Set(headScheme, "https")
	}
	if r.RequestURI != "" && r.RequestURI != r.URL.RequestURI() {
		m.Header.Set(headURI, r.RequestURI)
	}
	m.Header.Set(headRemote, r.RemoteAddr)
	m.Header.Set(headTime, strconv.FormatInt(timeout.Milliseconds(), 10))
	var text bytes.Buffer
	text.Grow(len(body) + 1024)
	fmt.Fprintf(&text, "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n",
		r.Method, r.URL.RequestURI(), r.Host, len(body))
	err := r.Header.WriteSubset(&text, notOfRequests)
	text.WriteString("\r\n")
	text.Write(body)
	m.Data = text.Bytes()
	return m, err
}

// receive reads a forwarded request. Its context ends when the client waits no longer.
func receive(m *nats.Msg) (r *http.Request, cancel context.CancelFunc, err error) {
	r, err = http.ReadRequest(reader(m.Data))
	if err != nil {
		return nil, nil, fmt.Errorf("route: a forwarded request: %w", err)
	}
	ms, err := strconv.Atoi(m.Header.Get(headTime))
	if err != nil || ms <= 0 {
		return nil, nil, errors.New("route: a forwarded request without a time")
	}
	r.RemoteAddr = m.Header.Get(headRemote)
	if uri := m.Header.Get(headURI); uri != "" {
		r.RequestURI = uri
	}
	if m.Header.Get(headScheme) == "https" {
		r.URL.Scheme = "https"
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(ms)*time.Millisecond)
	return r.WithContext(ctx), cancel, nil
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

// bytes writes the answer out, with its first line and its header.
func (w *recorder) bytes() []byte {
	w.WriteHeader(http.StatusOK)
	var text bytes.Buffer
	text.Grow(w.body.Len() + 512)
	fmt.Fprintf(&text, "HTTP/1.1 %03d \r\nContent-Length: %d\r\n", w.status, w.body.Len())
	_ = w.sent.WriteSubset(&text, notOfAnswers) // to memory
	text.WriteString("\r\n")
	text.Write(w.body.Bytes())
	return text.Bytes()
}

// answer writes an answer that came back to the client.
func answer(w http.ResponseWriter, r *http.Request, text []byte) error {
	a, err := http.ReadResponse(reader(text), r)
	if err != nil {
		return fmt.Errorf("route: an answer: %w", err)
	}
	defer a.Body.Close() //nolint:errcheck // it is in memory
	maps.Copy(w.Header(), a.Header)
	if a.StatusCode == http.StatusNoContent || a.StatusCode == http.StatusNotModified {
		w.Header().Del("Content-Length")
	}
	w.WriteHeader(a.StatusCode)
	if _, body, _ := bytes.Cut(text, []byte("\r\n\r\n")); len(body) > 0 && a.Body != http.NoBody {
		_, _ = w.Write(body) // at once, and without a buffer; a client that is gone has its notifications
	}
	_ = http.NewResponseController(w).Flush()
	return nil
}
