package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"ivrqueue/examples/ivr/terminal"
)

// timeline prints what happens in a call, one line for each thing, with the seconds since it began.
// It is safe for concurrent use. An error of the writer is kept and printing goes on.
type timeline struct {
	start time.Time

	mu  sync.Mutex // guards the block below
	w   io.Writer
	err error
}

const row = "%7s  %-10s  %-46s  %s\n"

func newTimeline(w io.Writer) *timeline {
	l := &timeline{start: time.Now(), w: w}
	l.print("\n"+row, "time", "operation", "what happens", "result or tone")
	return l
}

// line prints that something happened to who at an instant; result may be empty.
func (l *timeline) line(at time.Time, who, what, result string) {
	const most = 10 // characters of a name
	if runes := []rune(who); len(runes) > most {
		who = string(runes[:most-1]) + "…"
	}
	l.print(row, fmt.Sprintf("%.3f", at.Sub(l.start).Seconds()),
		terminal.Plain(who), terminal.Plain(what), terminal.Plain(result))
}

// now prints something that happens now.
func (l *timeline) now(who, what, result string) { l.line(time.Now(), who, what, result) }

func (l *timeline) print(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	for len(text) > 1 && text[len(text)-2] == ' ' { // no blanks before the line's end
		text = text[:len(text)-2] + "\n"
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := io.WriteString(l.w, text); err != nil && l.err == nil {
		l.err = err
	}
}

// failed returns the first error of the writer.
func (l *timeline) failed() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// seconds formats a duration for people.
func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

// milliseconds formats a short duration for people.
func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}
