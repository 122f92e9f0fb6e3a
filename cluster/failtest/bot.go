package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"ivrqueue/webhook"
)

// bots are where all notifications and frames arrive.
type bots struct {
	server *http.Server
	url    string
	phones *net.UDPConn

	mu      sync.Mutex // guards everything below
	calls   map[uuid.UUID]*told
	waiting map[string]chan struct{} // for the ends of operations, by id
	strange []string                 // what can't be understood, and contradictions
}

// told is what has arrived of a call.
type told struct {
	ends    map[string]string // of operations, by id: the text of the notification
	ended   time.Time         // when it was first told that the call is terminated
	byHeir  time.Time         // when an end with 500/9999 was first told
	last    time.Time         // frame, as it arrived
	repeats int               // notifications that came again, with the same bytes
}

func newBots(host string) (*bots, error) {
	b := &bots{calls: make(map[uuid.UUID]*told), waiting: make(map[string]chan struct{})}
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0")) //nolint:noctx // at once
	if err != nil {
		return nil, err
	}
	b.url = "http://" + l.Addr().String() + "/cb"
	b.server = &http.Server{Handler: b, ReadHeaderTimeout: 5 * time.Second}
	go b.server.Serve(l) //nolint:errcheck // until it is closed
	b.phones, err = net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP(host)})
	if err != nil {
		return nil, err
	}
	_ = b.phones.SetReadBuffer(4 << 20) // as much as there may be
	go b.hear()
	return b, nil
}

func (b *bots) close() {
	_ = b.server.Shutdown(context.Background())
	_ = b.phones.Close()
}

// forget forgets what was told so far.
func (b *bots) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls, b.strange = make(map[uuid.UUID]*told), nil
}

// hear takes frames.
func (b *bots) hear() {
	buffer := make([]byte, 128)
	for {
		n, err := b.phones.Read(buffer)
		if err != nil {
			return
		}
		if n < 24 {
			continue
		}
		sent := time.Unix(0, int64(binary.BigEndian.Uint64(buffer[n-8:]))) //nolint:gosec // a time
		b.mu.Lock()
		t := b.of(uuid.UUID(buffer[:16]))
		if sent.After(t.last) {
			t.last = sent
		}
		b.mu.Unlock()
	}
}

// wait waits until the end of an operation was notified.
func (b *bots) wait(call uuid.UUID, op string) error {
	b.mu.Lock()
	if b.of(call).ends[op] != "" {
		b.mu.Unlock()
		return nil
	}
	came := make(chan struct{})
	b.waiting[op] = came
	b.mu.Unlock()
	const most = 30 * time.Second
	over := time.NewTimer(most)
	defer over.Stop()
	select {
	case <-came:
		return nil
	case <-over.C:
		return fmt.Errorf("the end of operation %s of call %s was not notified within %v", op, call, most)
	}
}

func (b *bots) of(id uuid.UUID) *told {
	t := b.calls[id]
	if t == nil {
		t = &told{ends: make(map[string]string)}
		b.calls[id] = t
	}
	return t
}

func (b *bots) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := time.Now()
	var all struct{ Value []json.RawMessage }
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(body, &all)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		b.strange = append(b.strange, fmt.Sprintf("a notification that can't be read: %v", err))
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	for _, text := range all.Value {
		b.take(now, r.Header.Get(webhook.HeaderID), string(text))
	}
	w.WriteHeader(http.StatusAccepted)
}

// take notes one notification.
func (b *bots) take(now time.Time, delivery, text string) {
	var n struct {
		Resource     string
		ResourceData struct {
			ID, State, Status string
			ResultInfo        struct{ Code, Subcode int }
		}
	}
	_ = json.Unmarshal([]byte(text), &n)
	parts := strings.Split(n.Resource, "/")
	if len(parts) < 4 {
		b.strange = append(b.strange, "of no call: "+text)
		return
	}
	id, err := uuid.Parse(parts[3])
	if err != nil {
		b.strange = append(b.strange, "of no call: "+text)
		return
	}
	t, d := b.of(id), n.ResourceData
	if d.ResultInfo.Subcode == 9999 && t.byHeir.IsZero() {
		t.byHeir = now
	}
	key := d.ID
	switch {
	case d.State == "terminated":
		if t.ended.IsZero() {
			t.ended = now
		}
	case d.State != "":
		return
	}
	switch before, ok := t.ends[key]; {
	case !ok:
		t.ends[key] = text
		if waits, ok := b.waiting[key]; ok {
			delete(b.waiting, key)
			close(waits)
		}
		if !t.ended.IsZero() && d.State == "" {
			b.strange = append(b.strange, "told after terminated, delivery "+delivery+": "+text)
		}
	case before != text:
		b.strange = append(b.strange, "told twice, with other bytes:\n      "+before+"\n      "+text)
	default:
		t.repeats++
	}
}
