package sip

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"ivrqueue/tone"
)

// The content types of keys in an INFO request. They are in no RFC; phones agree on them.
const (
	dtmfRelay = "application/dtmf-relay" // lines "Signal=5" and "Duration=160"
	dtmfPlain = "application/dtmf"       // the key alone

	contentKeys = dtmfRelay + ", " + dtmfPlain
)

// infoKey returns the key of an INFO request's body, if there is one.
func infoKey(contentType, body string) (tone.Tone, bool) {
	switch mediaType(contentType) {
	case dtmfRelay:
		for line := range strings.Lines(body) {
			name, value, found := strings.Cut(line, "=")
			if found && strings.EqualFold(strings.TrimSpace(name), "Signal") {
				return signalTone(strings.TrimSpace(value))
			}
		}
		return 0, false
	case dtmfPlain:
		text := strings.TrimSpace(body)
		if name, value, found := strings.Cut(text, "="); found && strings.EqualFold(name, "Signal") {
			text = strings.TrimSpace(value)
		}
		return signalTone(text)
	default:
		return 0, false
	}
}

// signalTone returns the tone of a key's character, or of its number in RFC 4733.
func signalTone(s string) (tone.Tone, bool) {
	if len(s) == 1 {
		t, err := tone.FromChar(rune(s[0]))
		return t, err == nil
	}
	if len(s) == 2 && s[0] >= '0' && s[0] <= '9' {
		number, err := strconv.ParseUint(s, 10, 8)
		if t := eventTone(uint8(number)); err == nil && t.Valid() {
			return t, true
		}
	}
	return 0, false
}

// What order waits for.
const (
	orderWait = 100 * time.Millisecond // for a request that is missing
	orderMost = 16                     // requests that wait at once
)

// order brings the keys of INFO requests into the order of the requests' numbers (CSeq), which UDP
// does not keep. A key waits while a request before it is missing, but not for long: it may never
// come.
type order struct {
	begun   bool  // last is known
	last    int64 // number of the last request that was in its turn; -1 before number 0
	waiting []numbered
}

// numbered is a request that came before its turn, with the key that it brings or none.
type numbered struct {
	number uint32
	key    tone.Tone
	came   time.Time
}

// add takes a request of the dialog, with its key or none, and returns the keys whose turn it is.
func (o *order) add(now time.Time, number uint32, key tone.Tone) []tone.Tone {
	if !o.begun { // the peer's first request in the dialog
		o.begun, o.last = true, int64(number)-1
	}
	known := func(n numbered) bool { return n.number == number }
	if int64(number) <= o.last || slices.ContainsFunc(o.waiting, known) {
		return nil
	}
	at, _ := slices.BinarySearchFunc(o.waiting, number, func(n numbered, number uint32) int {
		return int(int64(n.number) - int64(number))
	})
	o.waiting = slices.Insert(o.waiting, at, numbered{number, key, now})
	return o.due(now)
}

// due returns the keys whose turn it is now.
func (o *order) due(now time.Time) []tone.Tone {
	var keys []tone.Tone
	for len(o.waiting) > 0 {
		first := o.waiting[0]
		turn := int64(first.number) == o.last+1 || len(o.waiting) > orderMost ||
			slices.ContainsFunc(o.waiting, func(n numbered) bool { return now.Sub(n.came) >= orderWait })
		if !turn {
			break
		}
		o.last = int64(first.number)
		if first.key.Valid() {
			keys = append(keys, first.key)
		}
		o.waiting = slices.Delete(o.waiting, 0, 1)
	}
	return keys
}

// wait returns how long it is until due has something to report, and whether it ever will.
func (o *order) wait(now time.Time) (time.Duration, bool) {
	if len(o.waiting) == 0 {
		return 0, false
	}
	oldest := slices.MinFunc(o.waiting, func(a, b numbered) int { return a.came.Compare(b.came) })
	return max(0, orderWait-now.Sub(oldest.came)), true
}
