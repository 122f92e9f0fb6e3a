package picture

import (
	"bytes"
	_ "embed"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/template"
	"time"

	"ivrqueue/examples/ivr/terminal"
)

// Call is what is drawn. All times are since the first sample, and those outside of the call are
// drawn at its edges. Texts may have any characters.
type Call struct {
	Title       string
	Heard, Said []int16 // at media.Rate
	Operations  []Operation
	Cancels     []Mark // with what cancelled, such as "cancelMediaProcessing"
	Keys        []Mark // with the key
}

// Operation is one row of the picture.
type Operation struct {
	Name string
	What string // such as "playPrompt welcome.wav"

	Accepted time.Duration
	Started  time.Duration // as Ended if it never did
	Ended    time.Duration // later than the call if it never did
	Result   string        // such as "200/0 completed"
	Failed   bool
}

func (o Operation) ran() bool { return o.Started < o.Ended }

// Mark is something that happens at one instant.
type Mark struct {
	At   time.Duration
	Text string
}

//go:embed call.svg.tmpl
var source string

var drawing = template.Must(template.New("call.svg").Funcs(template.FuncMap{
	"text": escape, "px": pixels,
}).Parse(source))

// Write draws c. Its error is that of w.
func Write(w io.Writer, c Call) error { return drawing.Execute(w, layOut(c)) }

// Save writes c to a file, which only its owner may read.
func Save(path string, c Call) error {
	var b bytes.Buffer
	if err := Write(&b, c); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o600)
}

// escape makes text of a string, whatever is in it.
func escape(s string) (string, error) {
	var b strings.Builder
	err := xml.EscapeText(&b, []byte(terminal.Plain(s)))
	return b.String(), err
}

// pixels writes a length or a coordinate with a tenth of a pixel.
func pixels(v float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0")
}

// seconds writes a time for people.
func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }
