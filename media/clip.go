package media

import "ivrqueue/operation"

// clip is something to play: some prompts, one after the other.
type clip struct {
	prompts *loading
	loop    bool
	fails   operation.Reason // what it means when it cannot be sent

	part, off int // the next sample
}

// over reports whether all was played.
func (c *clip) over() bool { return c.part >= len(c.prompts.prompts) }

// fill puts the next samples into frame, without a gap between prompts, and silence behind the last
// that is there. It returns how many samples were not that silence. A loop asks lastLoop at its
// end.
func (c *clip) fill(f frame, codec Codec, lastLoop func() bool) (n int, err error) {
	for n < f.len() && !c.over() {
		part, err := c.prompts.part(c.part)
		if err != nil {
			return n, err
		}
		if part.Len() == 0 { // is being loaded
			break
		}
		if c.off < part.Len() { // else it was to begin beyond its end
			k := f.put(n, part, c.off)
			n, c.off = n+k, c.off+k
		}
		if c.off < part.Len() {
			break
		}
		c.part, c.off = c.part+1, 0
		if c.over() && c.loop && !lastLoop() {
			c.part = 0
		}
	}
	f.silence(n, codec)
	return n, nil
}
