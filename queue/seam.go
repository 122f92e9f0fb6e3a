package queue

// Every critical section begins with enter and ends with leave. They are the seams of the engine:
// between them the lock decides who is next, so whoever holds goroutines up there decides how they
// interleave. Only tests do, to try schedules that a machine would show once in a million calls;
// without a seam both are a comparison, which does not show in any benchmark.

// enter takes the lock, for a caller or a timer, or for one who has these roles.
func (q *Queue) enter(as roles) {
	if seam := q.config.seam; seam != nil {
		seam(as)
	}
	q.mu.Lock()
}

// leave releases it.
func (q *Queue) leave(as roles) {
	q.mu.Unlock()
	if seam := q.config.seam; seam != nil {
		seam(as)
	}
}
