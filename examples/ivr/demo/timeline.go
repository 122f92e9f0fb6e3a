package demo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"ivrqueue/examples/ivr/terminal"
)

// row is a line of the timeline.
type row struct {
	who, what, context, id, details string
	style                           style
}

// style is how a row looks: the style of who and what, and that of the details.
type style struct{ what, details terminal.Style }

var (
	asked     = style{terminal.Asked, terminal.Normal}
	answered  = style{terminal.Faint, terminal.Faint}
	refused   = style{terminal.Bad, terminal.Bad}
	notified  = style{terminal.Notified, terminal.Normal}
	completed = style{terminal.Notified, terminal.Good}
	failed    = style{terminal.Notified, terminal.Bad}
	pressed   = style{terminal.Pressed, terminal.Pressed}
)

// timeline prints what happens in the call, one line for each thing, with the seconds since it
// began. It is safe for concurrent use. An error of the writer is kept and printing goes on.
type timeline struct {
	start   time.Time // set before anything happens
	palette terminal.Palette
	bodies  bool // under their lines

	mu   sync.Mutex // guards the block below
	w    io.Writer
	err  error
	keep bool         // exchanges are kept
	kept bytes.Buffer // in full
}

// begin begins the time, and names the columns.
func (t *timeline) begin() {
	t.start = time.Now()
	line := columns("time", row{
		who: "who", what: "what", context: "client context", id: "id", details: "details",
	}, terminal.Palette{})
	t.say("%s", t.palette.Paint(terminal.Faint, line)+"\n")
}

// show prints a row, and with -json a body under it if there is one.
func (t *timeline) show(r row, body []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := fmt.Sprintf("%.3f", time.Since(t.start).Seconds())
	t.print("%s\n", columns(at, r, t.palette))
	if t.bodies && len(body) > 0 {
		t.print("%s\n", indented(body, "         "))
	}
}

// columns lays out a row.
func columns(at string, r row, p terminal.Palette) string {
	cell := func(style terminal.Style, s string, wide int) string {
		s = fitted(terminal.Plain(s), wide)
		return p.Paint(style, s) + strings.Repeat(" ", wide-utf8.RuneCountInString(s)) + "  "
	}
	line := p.Paint(terminal.Faint, fmt.Sprintf("%7s", at)) + "  " +
		cell(r.style.what, r.who, 8) + cell(r.style.what, r.what, 26) +
		cell(r.style.details, r.context, 20) + cell(terminal.Faint, r.id, 8) +
		p.Paint(r.style.details, terminal.Plain(r.details))
	return strings.TrimRight(line, " ")
}

// fitted cuts what is wider than its column.
func fitted(s string, wide int) string {
	if runes := []rune(s); len(runes) > wide {
		return string(runes[:wide-1]) + "…"
	}
	return s
}

// indented is JSON on many lines, or a text that is no JSON; neither commands a terminal.
func indented(body []byte, margin string) string {
	var text bytes.Buffer
	if json.Indent(&text, bytes.TrimSpace(body), margin, "  ") != nil {
		return margin + fmt.Sprintf("%q", body)
	}
	return margin + terminal.PlainLines(text.String())
}

// record keeps exchanges from now on, or no longer.
func (t *timeline) record(on bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.keep = on
}

// exchanged keeps a message in full, if messages are kept.
func (t *timeline) exchanged(head string, body []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.keep {
		return
	}
	first, more, _ := strings.Cut(terminal.PlainLines(head), "\n")
	t.kept.WriteString("\n" + t.palette.Paint(terminal.Strong, first) + "\n" + more)
	if len(body) > 0 {
		t.kept.WriteString("\n" + indented(body, "") + "\n")
	}
}

// exchanges returns the messages that were kept.
func (t *timeline) exchanges() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.kept.String()
}

func (t *timeline) say(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.print(format, args...)
}

func (t *timeline) print(format string, args ...any) {
	if _, err := fmt.Fprintf(t.w, format, args...); err != nil && t.err == nil {
		t.err = err
	}
}

// failed returns the first error of the writer.
func (t *timeline) failed() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}
