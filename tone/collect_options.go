package tone

import (
	"errors"
	"fmt"
	"time"
)

// DigitLimit is how many digits a collection takes at most.
const DigitLimit = 128

// CollectOptions say what [Subscription.Collect] collects. The zero value takes [DigitLimit] tones
// of any kind and has no timeout: with nothing but the
// zero value, Collect waits for 128 keys, the end of the stream or of ctx.
//
// Digits are complete when there are at least Min of them and Pattern or Match, if there is one,
// accepts them. A collection goes on while more digits could be accepted.
type CollectOptions struct {
	// Min is how many digits there must be at least, 0 to Max. A stop tone that comes before is
	// not acceptable: NoMatch.
	Min int

	// Max is how many digits end the collection, Min to DigitLimit. 0 stands for DigitLimit.
	Max int

	// StopTones end the collection. They are no digits: Min, Max, Pattern and Match do not see
	// them. Defaults to none.
	StopTones Set

	// KeepStopTone appends the stop tone that was pressed to Collected.Digits.
	KeepStopTone bool

	// FirstTimeout is how long to wait for the first tone. 0 is for ever.
	FirstTimeout time.Duration

	// FirstAfter delays the beginning of FirstTimeout until this channel is closed or sent to: the
	// Done channel of a prompt's operation. What is pressed before counts. Defaults to nil: it
	// begins when Collect is called. If it never closes, FirstTimeout never begins.
	FirstAfter <-chan struct{}

	// InterDigitTimeout is how long to wait for each tone after the first one. When it ends the
	// collection, complete digits are Matched. 0 is for ever.
	InterDigitTimeout time.Duration

	// TermTimeout is how long a stop tone may still follow when the digits are complete and no
	// more of them can follow: so that the '#' after the last digit of a PIN is not taken as the
	// answer to the next question. Any other tone ends it and is left for the next collection.
	// Defaults to 0: such digits end the collection at once. It needs StopTones.
	TermTimeout time.Duration

	// OverallTimeout bounds the whole collection, from the call of Collect on, whatever was
	// pressed. When it ends the collection, complete digits are Matched. 0 is for ever.
	OverallTimeout time.Duration

	// Pattern is what the digits must match. Digits that cannot come to match any more end the
	// collection. Defaults to nil: any digits. There can be a Pattern or a Match, not both.
	Pattern *Pattern

	// Match judges the digits, of [Tone.Char], after each of them. It is called by Collect, on the
	// goroutine that called that, with no lock held: it may block and call everything but Collect,
	// Next and TryNext of the same subscription; if it panics, Collect does. Defaults to nil: any
	// digits.
	Match func(digits string) Verdict

	// TypeAhead says which of the tones count that came before. Defaults to all that the
	// subscription has not read.
	TypeAhead TypeAhead
}

// Verdict is what CollectOptions.Match says of digits.
type Verdict uint8

// The verdicts. Every other value counts as Invalid, and Collected.Err names it.
const (
	Incomplete Verdict = iota + 1 // more of them are needed
	Complete                      // nothing more is needed; if there are fewer than Min: as Incomplete
	Invalid                       // they are not acceptable, whatever follows
)

// check returns an error that names what is wrong with the options.
func (o *CollectOptions) check() error {
	switch {
	case o.Max < 0 || o.Max > DigitLimit:
		return fmt.Errorf("tone: Collect: Max %d, must be 0 to %d", o.Max, DigitLimit)
	case o.Min < 0 || o.Min > o.most():
		return fmt.Errorf("tone: Collect: Min %d, must be 0 to %d, the maximum", o.Min, o.most())
	case o.StopTones&^All != 0:
		return errors.New("tone: Collect: StopTones has what is no tone")
	case o.KeepStopTone && o.StopTones == 0:
		return errors.New("tone: Collect: KeepStopTone without StopTones")
	case o.TermTimeout != 0 && o.StopTones == 0:
		return errors.New("tone: Collect: TermTimeout without StopTones")
	case o.Pattern != nil && o.Match != nil:
		return errors.New("tone: Collect: both Pattern and Match")
	case o.Pattern != nil && o.Pattern.states == nil:
		return errors.New("tone: Collect: Pattern was not made by CompilePattern")
	case o.StopTones == All:
		return errors.New("tone: Collect: StopTones has all tones, no digit is left")
	}
	return o.checkTimeouts()
}

func (o *CollectOptions) checkTimeouts() error {
	for _, t := range [...]struct {
		field string
		value time.Duration
	}{
		{"FirstTimeout", o.FirstTimeout},
		{"InterDigitTimeout", o.InterDigitTimeout},
		{"TermTimeout", o.TermTimeout},
		{"OverallTimeout", o.OverallTimeout},
	} {
		if t.value < 0 {
			return fmt.Errorf("tone: Collect: %s %v, must not be negative", t.field, t.value)
		}
	}
	return nil
}

// most returns how many digits there can be.
func (o *CollectOptions) most() int {
	if o.Max == 0 {
		return DigitLimit
	}
	return o.Max
}
