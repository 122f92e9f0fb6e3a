package picture_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"ivrqueue/examples/ivr/picture"
	"ivrqueue/media"
)

// element is an element of the file, with all that is in it.
type element struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Text     string     `xml:",chardata"`
	Children []element  `xml:",any"`
}

func (e element) attr(name string) string {
	for _, a := range e.Attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// all returns the elements of a name and a class, at any depth.
func (e element) all(name, class string) (found []element) {
	if e.XMLName.Local == name && (class == "" || slices.Contains(strings.Fields(e.attr("class")), class)) {
		found = append(found, e)
	}
	for _, c := range e.Children {
		found = append(found, c.all(name, class)...)
	}
	return found
}

// drawn draws a call, and reads the file as any reader of XML would.
func drawn(t *testing.T, c picture.Call) element {
	t.Helper()
	var b bytes.Buffer
	if err := picture.Write(&b, c); err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []string{"NaN", "Inf", "no value", "ZgotmplZ", "%!"} {
		if strings.Contains(b.String(), wrong) {
			t.Errorf("%q is in the file", wrong)
		}
	}
	var e element
	dec := xml.NewDecoder(&b)
	if err := dec.Decode(&e); err != nil {
		t.Fatal(err)
	}
	if end, err := dec.Token(); err == nil && len(bytes.TrimSpace([]byte(fmt.Sprintf("%s", end)))) > 0 {
		t.Errorf("%q is behind the end", end)
	}
	return e
}

// call is one of 10 s with a sound from 1 s to 2 s.
func call() picture.Call {
	heard := make([]int16, 10*media.Rate)
	for i := media.Rate; i < 2*media.Rate; i++ {
		heard[i] = int16(8000 * math.Sin(float64(i)/10))
	}
	return picture.Call{
		Title: "A call", Heard: heard,
		Operations: []picture.Operation{
			{"welcome", "playPrompt welcome.wav", time.Second, time.Second, 2 * time.Second, "200/0 completed", false},
			{"menu", "playPrompt menu.wav", time.Second, 2 * time.Second, 3 * time.Second, "400/8508 cancelled", true},
			{"record", "recordResponse", time.Second, 3 * time.Second, 3 * time.Second, "400/8508 cancelled", true},
			{"endless", "", 4 * time.Second, 5 * time.Second, math.MaxInt64, "", false},
		},
		Cancels: []picture.Mark{{3 * time.Second, "cancel"}, {3 * time.Second, "again"}, {9900 * time.Millisecond, "late"}},
		Keys:    []picture.Mark{{2500 * time.Millisecond, "1"}, {2600 * time.Millisecond, "#"}},
	}
}

func TestEverythingOfTheCallIsInThePicture(t *testing.T) {
	t.Parallel()
	c := call()
	svg := drawn(t, c)
	if got := svg.attr("role") + " " + svg.attr("aria-labelledby"); got != "img call-title call-description" {
		t.Errorf("for those who do not see it: %q", got)
	}
	titles, descriptions := svg.all("title", ""), svg.all("desc", "")
	if len(descriptions) != 1 || titles[0].attr("id") != "call-title" || titles[0].Text != c.Title || descriptions[0].attr("id") != "call-description" {
		t.Errorf("title %+v, description %+v", titles[0], descriptions)
	}
	var operations, cancels, keys []string
	for _, g := range svg.all("g", "operation") {
		bars := fmt.Sprint(len(g.all("rect", "wait")), len(g.all("rect", "")))
		operations = append(operations, g.Children[0].Text+" | "+g.attr("class")+" "+bars)
	}
	for _, g := range svg.all("g", "cancel") {
		cancels = append(cancels, g.Children[0].Text)
	}
	for _, g := range svg.all("g", "key") {
		if tip := g.Children[0]; tip.XMLName.Local == "title" { // else it is the legend's
			keys = append(keys, tip.Text)
		}
	}
	for _, test := range []struct{ got, want []string }{
		{operations, []string{
			"welcome (playPrompt welcome.wav): accepted at 1.00 s, started at 1.00 s, ended at 2.00 s with 200/0 completed | operation completed 0 1",
			"menu (playPrompt menu.wav): accepted at 1.00 s, started at 2.00 s, ended at 3.00 s with 400/8508 cancelled | operation failed 1 2",
			"record (recordResponse): accepted at 1.00 s, never started, ended at 3.00 s with 400/8508 cancelled | operation failed waited 1 1",
			"endless: accepted at 4.00 s, started at 5.00 s | operation completed 1 2",
		}},
		{cancels, []string{"cancel at 3.00 s", "again at 3.00 s", "late at 9.90 s"}},
		{keys, []string{"The caller presses 1 at 2.50 s", "The caller presses # at 2.60 s"}},
	} {
		if !slices.Equal(test.got, test.want) {
			t.Errorf("got  %q\nwant %q", test.got, test.want)
		}
	}
	for _, words := range append(slices.Clone(cancels), "Key 1", "Key #", "record (recordResponse)") {
		if !strings.Contains(descriptions[0].Text, words) {
			t.Errorf("%q is not in the description:\n%s", words, descriptions[0].Text)
		}
	}

	// No label covers another: what is at about the same instant is on levels.
	seen := make(map[string]bool)
	for _, text := range svg.all("text", "over") {
		at := text.attr("x") + " " + text.attr("y")
		if seen[at] {
			t.Errorf("two labels at %s", at)
		}
		seen[at] = true
	}
	circles := svg.all("circle", "")
	if a, b := circles[len(circles)-2].attr("cy"), circles[len(circles)-1].attr("cy"); a == b {
		t.Errorf("two keys that are close are both at %s", a)
	}
}

// The wave form is where the sound is, and flat where there is none; a direction that ends before
// the other is silent from there on.
func TestTheWaveFormIsThatOfTheSound(t *testing.T) {
	t.Parallel()
	svg := drawn(t, call())
	heard, said := svg.all("path", "heard"), svg.all("path", "said")
	if len(heard) != 1 || len(said) != 1 {
		t.Fatalf("%d and %d wave forms, want one each", len(heard), len(said))
	}
	spread := func(d string, from, to float64) float64 {
		low, high := math.Inf(1), math.Inf(-1)
		for _, point := range strings.FieldsFunc(d, func(r rune) bool { return strings.ContainsRune("MLZ", r) }) {
			x, y, _ := strings.Cut(point, " ")
			px, errX := strconv.ParseFloat(x, 64)
			py, errY := strconv.ParseFloat(y, 64)
			if errX != nil || errY != nil {
				t.Fatalf("%q is no point", point)
			}
			if second := (px - 190) / 98.2; second >= from && second < to {
				low, high = min(low, py), max(high, py)
			}
		}
		return high - low
	}
	if got := spread(heard[0].attr("d"), 1.05, 1.95); got < 90 || got > 110 {
		t.Errorf("the sound is %v pixels high, want most of 110", got)
	}
	for _, silent := range []float64{
		spread(heard[0].attr("d"), 0, 0.95), spread(heard[0].attr("d"), 2.05, 10), spread(said[0].attr("d"), 0, 10),
	} {
		if silent != 0 {
			t.Errorf("silence is %v pixels high", silent)
		}
	}
}

// Whatever the texts, the times and the samples are, the file is one that can be read.
func TestAnyCallIsDrawn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]picture.Call{
		"nothing":     {},
		"one sample":  {Heard: []int16{1}},
		"loudest":     {Heard: []int16{math.MinInt16, math.MaxInt16}, Said: make([]int16, 20_000)},
		"out of time": {Operations: []picture.Operation{{Accepted: -time.Hour, Started: math.MinInt64, Ended: math.MaxInt64}, {Accepted: math.MaxInt64}}, Keys: []picture.Mark{{math.MinInt64, "1"}, {math.MaxInt64, "2"}}, Cancels: []picture.Mark{{math.MaxInt64, "x"}}},
		"an hour":     {Heard: make([]int16, 3600*media.Rate)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			drawn(t, c)
		})
	}
	for _, text := range []string{
		"", `</text><script>alert("1")</script>`, "]]>&amp;<!--", "\x1b]0;title\a\x00\xff\u202e\u009b31m\ufffe", "é漢字🎵", strings.Repeat("long ", 1000),
	} {
		c := call()
		c.Title = text
		for i := range c.Operations {
			c.Operations[i].Name, c.Operations[i].What, c.Operations[i].Result = text, text, text
		}
		for i := range c.Keys {
			c.Keys[i].Text, c.Cancels[i].Text = text, text
		}
		svg := drawn(t, c)
		if got := len(svg.all("script", "")); got > 0 {
			t.Errorf("%q: %d scripts", text, got)
		}
		if got := len(svg.all("g", "operation")); got != len(c.Operations) {
			t.Errorf("%q: %d operations", text, got)
		}
		if strings.ContainsAny(fmt.Sprint(svg), "\x1b\x00\a\u202e\u009b") {
			t.Errorf("%q: a control character is in the file", text)
		}
	}
}

func TestAFailureToWriteIsReported(t *testing.T) {
	t.Parallel()
	r, w := io.Pipe()
	_ = r.Close()
	if err := picture.Write(w, call()); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v", err)
	}
	if err := picture.Save(filepath.Join(t.TempDir(), "nowhere", "call.svg"), call()); err == nil {
		t.Error("no error")
	}
}
