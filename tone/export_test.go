package tone

// Slots returns the size of the ring.
func (s *Stream) Slots() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.slots == nil {
		return 0
	}
	return len(*s.slots)
}
