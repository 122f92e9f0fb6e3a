package graph

// Batch is how many notifications are sent at once.
const Batch = batch

// OutboxRoom is how many notifications the call's outbox has memory for.
func (c *Call) OutboxRoom() int {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	return cap(c.out.waiting)
}

// Kept is how many operations that have ended the handler keeps.
func (h *Handler) Kept() int {
	h.retention.mu.Lock()
	defer h.retention.mu.Unlock()
	return h.retention.ended.Len()
}

// Observed is how many calls the handler observes.
func (h *Handler) Observed() int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return len(h.observed)
}

// Accounts is how many applications have an account.
func (h *Handler) Accounts() int {
	h.accounts.mu.Lock()
	defer h.accounts.mu.Unlock()
	return len(h.accounts.byID)
}

// Busy is how many applications have a call, or bytes that are reserved.
func (h *Handler) Busy() int {
	h.accounts.mu.Lock()
	defer h.accounts.mu.Unlock()
	busy := 0
	for _, a := range h.accounts.byID {
		if a.calls != 0 || a.bytes != 0 {
			busy++
		}
	}
	return busy
}

// ReadJSON reads a valid JSON text.
func ReadJSON(data []byte) ([]byte, error) { return readJSON(data) }

// Route is an endpoint.
type Route struct {
	Method, Path, Page string
	Missing            bool // answered with 501
}

func isMissing(r route) bool {
	for _, m := range missing {
		if r.method == m.method && r.path == callsPattern+m.path {
			return true
		}
	}
	return false
}

// Routes are the endpoints of the handler.
func (h *Handler) Routes() (routes []Route) {
	for _, r := range h.routes() {
		routes = append(routes, Route{r.method, r.path, r.page, isMissing(r)})
	}
	return routes
}

// IsPathOfCalls reports whether a path is one of calls.
func IsPathOfCalls(path string) bool {
	_, ok := parsePath(path)
	return ok
}
