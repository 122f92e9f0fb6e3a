package inspect

import (
	"log/slog"
	"net/http"
	"strconv"
	"strings"
)

// ServeHTTP serves the page, and what keeps it up to date. It authenticates nobody: whoever mounts
// the handler decides who gets here.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Security-Policy", h.page.policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Set("Cache-Control", "no-store")
	rest, below := strings.CutPrefix(r.URL.Path, h.config.path)
	switch {
	case !below || rest != "" && rest != "events":
		http.Error(w, "not found", http.StatusNotFound)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		header.Set("Allow", "GET, HEAD")
		http.Error(w, "only GET and HEAD are there", http.StatusMethodNotAllowed)
	case rest == "events":
		h.serveEvents(w, r)
	default:
		header.Set("Content-Type", "text/html; charset=utf-8")
		header.Set("Content-Length", strconv.Itoa(len(h.page.body)))
		_, _ = w.Write(h.page.body) // a client that is gone misses it
	}
}

// serveEvents streams the list of calls, or the call with the number in the query.
func (h *Handler) serveEvents(w http.ResponseWriter, r *http.Request) {
	// Another site's page could read nothing of it, but could take the streams away.
	if site := r.Header.Get("Sec-Fetch-Site"); site == "cross-site" || site == "same-site" {
		http.Error(w, "not for other sites", http.StatusForbidden)
		return
	}
	sees, ok := h.sight(r)
	if !ok {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	var one *call
	if r.URL.RawQuery != "" {
		number, err := strconv.ParseUint(r.URL.Query().Get("call"), 10, 64)
		if err != nil {
			http.Error(w, "call must be the number of a call", http.StatusBadRequest)
			return
		}
		if one = h.numbered(number); one == nil || !sees(one) {
			http.Error(w, "there is no such call", http.StatusNotFound)
			return
		}
	}
	if r.Method == http.MethodHead {
		w.Header().Set("Content-Type", eventStream)
		return
	}
	if why := h.enter(); why != "" {
		w.Header().Set("Retry-After", "5")
		http.Error(w, why, http.StatusServiceUnavailable)
		return
	}
	defer h.leave()
	s := newStream(w, r)
	defer s.release()
	if one != nil {
		h.watchCall(s, one)
	} else {
		h.watchCalls(s, sees)
	}
}

// sight returns which calls the request may see. It reports false if the platform's function
// panicked.
func (h *Handler) sight(r *http.Request) (sees func(*call) bool, ok bool) {
	if h.config.owner == nil {
		return func(*call) bool { return true }, true
	}
	defer func() {
		if v := recover(); v != nil {
			slog.Default().Error("inspect: WithOwner's function panicked", slog.Any("panic", v))
			sees, ok = nil, false
		}
	}()
	owner, all := h.config.owner(r)
	return func(c *call) bool { return all || c.ownedBy(owner) }, true
}

// numbered returns the call with this number, or nil.
func (h *Handler) numbered(n uint64) *call {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.numbers[n]
}

// enter takes a place for a stream, or says why there is none.
func (h *Handler) enter() (why string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return "the inspector was closed"
	case h.streams == h.config.streams:
		return "too many are watching"
	}
	h.streams++
	return ""
}

func (h *Handler) leave() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.streams--
}
