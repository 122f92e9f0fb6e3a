package bench

import (
	"runtime"

	"ivrqueue/queue"
)

// held is a call of ours whose operations last until they are cancelled.
type held struct {
	line

	media   lasting
	receipt queue.Receipt
}

func openHeld(m *manner, s Setting) *held {
	h := new(held)
	h.line = m.open(&h.media, s)
	return h
}

func (h *held) Do(*Work) { panic("bench: nothing would end it") }

func (h *held) Hold(w *Work, awaited bool) Op {
	op := h.enqueue(w)
	if awaited {
		op.Done()
	}
	return op
}

func (h *held) CancelAll() int {
	h.receipt = h.queue.CancelAll()
	return h.receipt.Len()
}

func (h *held) Cancelled() (ops []Op) {
	for op := range h.receipt.Cancelled() {
		ops = append(ops, op)
	}
	return ops
}

// Settle looks until the media is where it is to be: by default a goroutine of the queue's own
// calls it.
func (h *held) Settle() {
	for {
		s := h.queue.Snapshot()
		if s.Running != nil && s.Running == h.media.current.Load() ||
			s.Running == nil && s.Stopping == nil && s.Undelivered == 0 {
			return
		}
		runtime.Gosched()
	}
}
