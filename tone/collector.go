package tone

import (
	"fmt"
	"time"
)

// collector decides how a collection goes on: it gets each tone, and the beginning of the
// first timeout, and answers when to end, and why. It has no lock, clock, timer or goroutine.
//
// What ends a collection depends on the times of the tones alone, not on when somebody came to look
// at them: a tone counts if it was published before the deadline or at that very instant, and one
// that was published later does not. It is left in the subscription.
type collector struct {
	rules CollectOptions
	left  []lengths // of the pattern, without stop tones

	began      time.Time
	firstBegan bool
	first      time.Time // when the first timeout began
	last       time.Time // when the last tone counted

	digits   []byte // as characters
	state    uint16 // of the pattern
	complete bool
	final    Reason // no more digits can follow, a stop tone can: it ends for this or for that

	tones []Event
	lost  uint64
	err   error
}

// newCollector returns one that begins at this time. It is an error if the options are not valid.
func newCollector(rules CollectOptions, began time.Time) (*collector, error) {
	if err := rules.check(); err != nil {
		return nil, err
	}
	c := &collector{rules: rules, began: began, last: began, state: 1}
	c.complete = rules.Min == 0 && rules.Match == nil
	if p := rules.Pattern; p != nil {
		c.left = p.left
		if p.tones&rules.StopTones != 0 {
			c.left = p.reach(rules.StopTones)
		}
		c.complete = c.complete && p.states[1].matches
		if low, high := max(rules.Min, 1), rules.most(); !c.left[1].within(low, high) {
			return nil, fmt.Errorf("tone: Collect: Pattern %q matches nothing of %d to %d digits"+
				" that are no stop tones", p, low, high)
		}
	}
	c.tones = make([]Event, 0, min(rules.most()+1, 8))
	return c, nil
}

// beginFirst begins the first timeout.
func (c *collector) beginFirst(at time.Time) { c.firstBegan, c.first = true, at }

// deadline returns when the collection ends if no tone comes, and why. There is none if the reason
// is zero.
func (c *collector) deadline() (at time.Time, why Reason) {
	pressed := len(c.digits) > 0
	switch {
	case c.final != 0:
		at, why = c.last.Add(c.rules.TermTimeout), c.final
	case pressed && c.rules.InterDigitTimeout > 0:
		at, why = c.last.Add(c.rules.InterDigitTimeout), InterDigitTimeout
	case !pressed && c.firstBegan && c.rules.FirstTimeout > 0:
		at, why = c.first.Add(c.rules.FirstTimeout), FirstTimeout
	}
	if t := c.rules.OverallTimeout; t > 0 {
		if end := c.began.Add(t); why == 0 || end.Before(at) {
			at, why = end, OverallTimeout
		}
	}
	switch {
	case why == 0:
	case c.final != 0:
		why = c.final
	case pressed && c.complete:
		why = Matched
	}
	return at, why
}

// refuses returns why a tone that was published at this time is not one of the collection, which
// has ended before; zero if it is one of it.
func (c *collector) refuses(t Tone, published time.Time) Reason {
	if c.final != 0 && !c.rules.StopTones.Contains(t) {
		return c.final
	}
	if at, why := c.deadline(); why != 0 && c.counts(published).After(at) {
		return why
	}
	return 0
}

// counts returns when a tone counts: one that was typed ahead counts from the beginning.
func (c *collector) counts(published time.Time) time.Time {
	if published.Before(c.began) {
		return c.began
	}
	return published
}

// press takes a tone that is not refused. It returns why the collection ends, or zero if it goes
// on.
func (c *collector) press(e Event) Reason {
	c.tones = append(c.tones, e)
	c.lost += e.Lost
	c.last = c.counts(e.Time)
	if c.rules.StopTones.Contains(e.Tone) {
		return c.stop(e.Tone)
	}
	c.digits = append(c.digits, e.Tone.Char())
	more := c.judge(e.Tone)
	switch {
	case more:
		return 0
	case !c.complete:
		return NoMatch
	case len(c.digits) == c.rules.most():
		c.final = MaxDigits
	default:
		c.final = Matched
	}
	if c.rules.TermTimeout > 0 {
		return 0
	}
	return c.final
}

// stop takes a stop tone.
func (c *collector) stop(t Tone) Reason {
	if c.rules.KeepStopTone {
		c.digits = append(c.digits, t.Char())
	}
	if !c.complete {
		return NoMatch
	}
	return StopTone
}

// judge finds out whether the digits are complete, the last of which is t, and returns whether more
// of them could be.
func (c *collector) judge(t Tone) (more bool) {
	n := len(c.digits)
	c.complete, more = n >= c.rules.Min, n < c.rules.most()
	switch {
	case c.rules.Pattern != nil:
		c.state = c.rules.Pattern.states[c.state].next[t]
		c.complete = c.complete && c.left[c.state].within(0, 0)
		more = c.left[c.state].within(max(c.rules.Min-n, 1), c.rules.most()-n)
	case c.rules.Match != nil:
		switch v := c.rules.Match(string(c.digits)); v {
		case Complete:
			more = more && !c.complete
		case Incomplete:
			c.complete = false
		case Invalid:
			c.complete, more = false, false
		default:
			c.complete, more = false, false
			c.err = fmt.Errorf("tone: Collect: Match returned Verdict(%d),"+
				" must be Incomplete, Complete or Invalid", v)
		}
	}
	return more
}

// end returns the result.
func (c *collector) end(why Reason, err error) Collected {
	if err == nil {
		err = c.err
	}
	return Collected{why, string(c.digits), c.tones, c.lost, err}
}
