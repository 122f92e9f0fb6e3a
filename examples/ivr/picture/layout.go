package picture

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"ivrqueue/media"
)

// Measures of the picture, in pixels.
const (
	width      = 1200.0
	left       = 190.0 // of the axis; names stand to the left of it
	right      = width - 28
	rowHeight  = 26.0
	waveHeight = 110.0
	gap        = 14.0
	flagHeight = 18.0
	letter     = 6.4 // the width of a letter of a label, about

	nameLetters = 22 // have room in the margin
)

// box is a rectangle.
type box struct{ x, y, width, height float64 }

// X, Y, Width and Height are for the template.
func (b box) X() float64      { return b.x }
func (b box) Y() float64      { return b.y }
func (b box) Width() float64  { return b.width }
func (b box) Height() float64 { return b.height }

// view is a call as the template draws it.
type view struct {
	Title, Subtitle string
	Description     []string
	Width, Height   float64
	Left, Right     float64

	Operations []row
	Tracks     []track
	Cancels    []flag
	Keys       []flag
	Ticks      []tick

	Top, Bottom float64 // of the lines across
	KeysAt      float64 // where their name stands
}

// row is an operation.
type row struct {
	Class, Name, Tip string
	Middle           float64
	Wait, Run        box
	Result           string
	ResultAt         float64
	ResultBefore     bool // the result stands before the bar: there is no room behind it
}

// track is a direction of the call.
type track struct {
	Class, Name, Path string
	Box               box
}

// Middle is the y of silence.
func (t track) Middle() float64 { return t.Box.y + t.Box.height/2 }

// flag is a cancel or a key.
type flag struct {
	X, Y      float64 // Y is that of its label
	Text, Tip string
	Before    bool // the label stands before the line
}

type tick struct {
	X    float64
	Text string
}

// axis is where times go.
type axis struct{ length time.Duration }

func (a axis) x(at time.Duration) float64 {
	at = max(0, min(at, a.length))
	return left + (right-left)*float64(at)/float64(a.length)
}

// layOut decides where everything goes: from the top to the bottom the flags of the cancels, a row
// for each operation, the two directions, the keys, and the axis.
func layOut(c Call) view {
	samples := max(len(c.Heard), len(c.Said), media.Samples(time.Second))
	a := axis{media.Duration(samples)}
	v := view{
		Title: c.Title, Width: width, Left: left, Right: right,
		Subtitle: fmt.Sprintf("%.1f s · %s · %s · %s", a.length.Seconds(),
			count(len(c.Operations), "operation"), count(len(c.Cancels), "cancel"),
			count(len(c.Keys), "key")),
	}
	y := 104.0 // below the title and the legend
	var levels int
	v.Cancels, levels = flags(c.Cancels, a, y)
	y += float64(levels)*flagHeight + 4
	v.Top = y
	y += 6
	for _, o := range c.Operations {
		v.Operations = append(v.Operations, rowOf(o, a, y))
		y += rowHeight
	}
	gain := gainOf(c.Heard, c.Said)
	for _, t := range []struct {
		class, name string
		samples     []int16
	}{{"heard", "The caller heard", c.Heard}, {"said", "The caller said", c.Said}} {
		y += gap
		area := box{left, y, right - left, waveHeight}
		v.Tracks = append(v.Tracks, track{
			t.class, t.name, envelope(t.samples, samples, area, gain), area,
		})
		y += waveHeight
	}
	y += gap
	v.Keys, levels = keys(c.Keys, a, y)
	v.KeysAt = y + rowHeight/2
	y += float64(levels)*rowHeight + 6
	v.Bottom = y
	v.Ticks = a.ticks()
	v.Height = y + 40
	v.Description = describe(c, a)
	return v
}

// flags places the labels of the cancels, on as many levels as it takes.
func flags(marks []Mark, a axis, top float64) (placed []flag, levels int) {
	var taken taken
	for _, m := range marks {
		x, wide := a.x(m.At), textWidth(m.Text)+12
		f := flag{X: x, Text: m.Text, Tip: m.Text + " at " + seconds(m.At)}
		from := x
		if x+wide > right {
			f.Before, from = true, x-wide
		}
		f.Y = top + float64(taken.level(from, wide))*flagHeight
		placed = append(placed, f)
	}
	return placed, len(taken)
}

// keys places the keys, on as many levels as it takes.
func keys(marks []Mark, a axis, top float64) (placed []flag, levels int) {
	const wide = 19
	var taken taken
	for _, m := range marks {
		f := flag{
			X: a.x(m.At), Text: m.Text, Tip: "The caller presses " + m.Text + " at " + seconds(m.At),
		}
		f.Y = top + (float64(taken.level(f.X-wide/2, wide))+0.5)*rowHeight
		placed = append(placed, f)
	}
	return placed, max(1, len(taken))
}

// taken is how far each level is covered with labels.
type taken []float64

// level returns the first level that has room, and takes it.
func (t *taken) level(from, wide float64) int {
	level := 0
	for level < len(*t) && (*t)[level] > from {
		level++
	}
	if level == len(*t) {
		*t = append(*t, 0)
	}
	(*t)[level] = from + wide
	return level
}

// rowOf places an operation.
func rowOf(o Operation, a axis, y float64) row {
	const thick, least = 14.0, 2.0
	bar := func(from, to time.Duration) box {
		x := a.x(from)
		return box{x, y + (rowHeight-thick)/2, a.x(to) - x, thick}
	}
	r := row{
		Class: "completed", Name: shortened(o.Name, nameLetters), Tip: tip(o, a),
		Middle: y + rowHeight/2, Result: o.Result,
		Wait: bar(o.Accepted, min(o.Started, o.Ended)), Run: bar(o.Started, o.Ended),
	}
	if o.Failed {
		r.Class = "failed"
	}
	switch {
	case o.ran():
		r.Run.width = max(least, r.Run.width) // one sees that it ran
	default:
		r.Class += " waited"
		r.Wait.width = max(least, r.Wait.width)
		r.Run.width = 0
	}
	if r.Wait.width < least {
		r.Wait.width = 0 // one would not see it
	}
	r.ResultAt = a.x(o.Ended) + 8
	if r.ResultAt+textWidth(o.Result) > right {
		r.ResultBefore, r.ResultAt = true, a.x(o.Accepted)-8
	}
	return r
}

// ticks are at full seconds or multiples of them, at least 60 pixels apart.
func (a axis) ticks() (all []tick) {
	var step time.Duration
	for _, step = range []time.Duration{
		time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 20 * time.Second,
		30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute,
	} {
		if a.x(step)-left >= 60 {
			break
		}
	}
	for at := time.Duration(0); at <= a.length; at += step {
		all = append(all, tick{a.x(at), fmt.Sprintf("%d s", at/time.Second)})
	}
	return all
}

// describe describes the picture in words, a sentence for each thing.
func describe(c Call, a axis) []string {
	all := []string{"Two wave forms, what the caller heard and what the caller said, over " +
		seconds(a.length) + "."}
	for _, o := range c.Operations {
		all = append(all, tip(o, a)+".")
	}
	for _, m := range c.Cancels {
		all = append(all, "Cancel: "+m.Text+" at "+seconds(m.At)+".")
	}
	for _, m := range c.Keys {
		all = append(all, "Key "+m.Text+" at "+seconds(m.At)+".")
	}
	return all
}

// tip describes an operation in words.
func tip(o Operation, a axis) string {
	var b strings.Builder
	b.WriteString(o.Name)
	if o.What != "" {
		b.WriteString(" (" + o.What + ")")
	}
	b.WriteString(": accepted at " + seconds(o.Accepted))
	if o.ran() {
		b.WriteString(", started at " + seconds(o.Started))
	} else {
		b.WriteString(", never started")
	}
	if o.Ended <= a.length {
		b.WriteString(", ended at " + seconds(o.Ended))
	}
	if o.Result != "" {
		b.WriteString(" with " + o.Result)
	}
	return b.String()
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

func textWidth(s string) float64 { return letter * float64(utf8.RuneCountInString(s)) }

// shortened cuts a text that has more characters than most.
func shortened(s string, most int) string {
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return s
}
