package softmedia

import "ivrqueue/operation"

// clip is something to play: the samples of some prompts, one after the other.
type clip struct {
	parts [][]int16 // each with at least one sample
	loop  bool
	fails operation.Reason // what it means when it cannot be sent

	part, off int // the next sample
}

// over reports whether all was played.
func (c *clip) over() bool { return c.part >= len(c.parts) }

// fill puts the next samples into frame, without a gap between parts, and silence behind the
// last. It returns how many samples were not that silence.
func (c *clip) fill(frame []int16) int {
	n := 0
	for n < len(frame) && !c.over() {
		part := c.parts[c.part]
		k := copy(frame[n:], part[c.off:])
		n, c.off = n+k, c.off+k
		if c.off < len(part) {
			break
		}
		c.part, c.off = c.part+1, 0
		if c.over() && c.loop {
			c.part = 0
		}
	}
	clear(frame[n:])
	return n
}
