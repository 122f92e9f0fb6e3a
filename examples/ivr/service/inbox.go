package service

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"

	"ivrqueue/graph"
)

// Bounds of the inbox; the oldest go first.
const (
	InboxMax      = 1000    // notifications
	InboxBytes    = 4 << 20 // of them
	inboxCalls    = 10_000  // of which it knows whose they are
	inboxBodySize = 1 << 20
)

// inbox is a callback address for bots that have none: it takes notifications, and shows them to
// the application whose calls they are of.
type inbox struct {
	mu     sync.Mutex // guards the block below
	owners *lru.Cache[uuid.UUID, string]
	got    []letter
	bytes  int // of the notifications
}

// letter is a notification, and whose it is.
type letter struct {
	owner        string
	notification json.RawMessage
}

func newInbox() *inbox {
	owners, _ := lru.New[uuid.UUID, string](inboxCalls) // fails for sizes below 1 only
	return &inbox{owners: owners}
}

// expect makes the inbox take notifications of a call.
func (b *inbox) expect(call uuid.UUID, owner string) { b.owners.Add(call, owner) }

// notifications are those of one post, as many as are kept: anybody may post, and a megabyte has
// room for half a million of nothing.
type notifications []json.RawMessage

// UnmarshalJSON reads a list that is not too long.
func (n *notifications) UnmarshalJSON(data []byte) error {
	in := json.NewDecoder(bytes.NewReader(data))
	if begin, err := in.Token(); err != nil || begin != json.Delim('[') {
		return errors.New("service: no list")
	}
	for in.More() {
		if len(*n) == InboxMax {
			return errors.New("service: too many notifications")
		}
		var raw json.RawMessage
		if err := in.Decode(&raw); err != nil {
			return err
		}
		*n = append(*n, raw)
	}
	return nil
}

// take is where notifications are posted to.
func (b *inbox) take(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Value notifications `json:"value"`
	}
	in := http.MaxBytesReader(w, r.Body, inboxBodySize)
	if err := json.NewDecoder(in).Decode(&body); err != nil {
		graph.WriteError(w, r, http.StatusBadRequest, "BadRequest",
			"The body must be commsNotifications.")
		return
	}
	var got []letter
	for _, raw := range body.Value {
		var n struct {
			ResourceURL string `json:"resourceUrl"`
		}
		_ = json.Unmarshal(raw, &n) // what has none is of no call
		rest, _ := strings.CutPrefix(n.ResourceURL, "/communications/calls/")
		id, _, _ := strings.Cut(rest, "/")
		call, err := uuid.Parse(id)
		if err != nil {
			continue
		}
		if owner, ok := b.owners.Get(call); ok {
			got = append(got, letter{owner, raw})
		}
	}
	b.keep(got)
	w.WriteHeader(http.StatusAccepted)
}

// keep keeps letters within the bounds.
func (b *inbox) keep(got []letter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, l := range got {
		b.got = append(b.got, l)
		b.bytes += len(l.notification)
	}
	over := 0
	for len(b.got)-over > InboxMax || b.bytes > InboxBytes {
		b.bytes -= len(b.got[over].notification)
		over++
	}
	b.got = slices.Delete(b.got, 0, over)
}

// of returns what came for an application, the oldest first.
func (b *inbox) of(owner string) []json.RawMessage {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := []json.RawMessage{}
	for _, l := range b.got {
		if l.owner == owner {
			all = append(all, l.notification)
		}
	}
	return all
}

// readInbox lists the notifications that came for the application.
func (s *Service) readInbox(w http.ResponseWriter, r *http.Request) {
	s.of(func(w http.ResponseWriter, _ *http.Request, app graph.Application) {
		answer(w, http.StatusOK, map[string]any{"value": s.inbox.of(app.ID)})
	})(w, r)
}
