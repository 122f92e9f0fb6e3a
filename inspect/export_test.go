package inspect

// Size returns how many calls are kept.
func (h *Handler) Size() int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if h.live+len(h.ended) != len(h.numbers) {
		return -1
	}
	return len(h.numbers)
}

// Queues returns how many queues are kept.
func (h *Handler) Queues() int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return len(h.calls)
}
