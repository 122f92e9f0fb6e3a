package terminal

import (
	"io"
	"os"

	"github.com/fatih/color"
	"github.com/mattn/go-isatty"
)

// Style is how a text looks on a terminal.
type Style int

// The styles.
const (
	Normal   Style = iota
	Strong         // what the reader should see first
	Faint          // what the reader may pass over
	Asked          // what somebody does
	Notified       // a notification
	Pressed        // a key
	Good           // a success
	Bad            // a failure
)

var attributes = map[Style][]color.Attribute{
	Strong: {color.Bold}, Faint: {color.Faint}, Asked: {color.FgBlue, color.Bold},
	Notified: {color.FgCyan}, Pressed: {color.FgMagenta, color.Bold},
	Good: {color.FgGreen}, Bad: {color.FgRed, color.Bold},
}

// Palette gives texts their styles. The zero Palette leaves them as they are.
type Palette struct{ coloured bool }

// Coloured is a palette with colours.
func Coloured() Palette { return Palette{true} }

// PaletteFor returns the palette for w: with colours if w is a terminal, unless the environment's
// NO_COLOR is set (https://no-color.org) or its TERM is dumb.
func PaletteFor(w io.Writer) Palette {
	f, ok := w.(*os.File)
	return Palette{ok && f != nil && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" &&
		isatty.IsTerminal(f.Fd())}
}

// Paint returns s in a style.
func (p Palette) Paint(style Style, s string) string {
	if !p.coloured || style == Normal || s == "" {
		return s
	}
	c := color.New(attributes[style]...)
	c.EnableColor() // fatih/color would decide by the process's standard output
	return c.Sprint(s)
}
