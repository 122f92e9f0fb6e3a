package main

import (
	"bytes"
	"image/color"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

var (
	accent = color.RGBA{0x0b, 0x6e, 0x99, 0xff}
	good   = color.RGBA{0x2e, 0x8b, 0x57, 0xff}
	bad    = color.RGBA{0xc0, 0x39, 0x2b, 0xff}
	ink    = color.RGBA{0x33, 0x3b, 0x42, 0xff}
	faint  = color.RGBA{0xdd, 0xe1, 0xe5, 0xff}
)

// palette has ours in blues, the channel designs in greens, the baseline in grey, the rest in
// earth.
var palette = map[string]color.Color{
	"inline":          accent,
	"inline, awaited": color.RGBA{0x1b, 0x3a, 0x6b, 0xff},
	"default":         color.RGBA{0x3f, 0xa7, 0xd6, 0xff},
	"blocking":        color.RGBA{0x9a, 0xd1, 0xe8, 0xff},
	"chan":            color.RGBA{0x7d, 0xb8, 0x6a, 0xff},
	"hand":            color.RGBA{0x2e, 0x7d, 0x32, 0xff},
	"pond":            color.RGBA{0xd9, 0x8e, 0x32, 0xff},
	"workerpool":      color.RGBA{0xc9, 0x6f, 0x4a, 0xff},
	"ants":            color.RGBA{0xb0, 0x4a, 0x5a, 0xff},
	"protoactor":      color.RGBA{0x7e, 0x57, 0xa0, 0xff},
	"looplab":         color.RGBA{0xa3, 0x8d, 0x6d, 0xff},
	"baseline":        color.RGBA{0x8a, 0x93, 0x9b, 0xff},
}

func colorOf(who string) color.Color {
	if c, ok := palette[who]; ok {
		return c
	}
	return ink
}

// save writes the chart, what its lines are beside it. Its words are text, so that they can be
// searched and read aloud.
func (c chart) save(file string) error {
	w, h := font.Length(c.width)*vg.Centimeter, font.Length(c.height)*vg.Centimeter
	svg := vgsvg.New(w, h)
	paper := draw.New(svg)
	paper.FillPolygon(color.White, []vg.Point{{}, {X: w}, {X: w, Y: h}, {Y: h}})
	right := 0.6 * vg.Centimeter
	if c.legend != nil {
		right = 4 * vg.Centimeter
		c.legend.Top, c.legend.Left = true, true
		c.legend.Draw(draw.Crop(paper, w-right+0.3*vg.Centimeter, 0, 0, -1.2*vg.Centimeter))
	}
	c.plot.Draw(draw.Crop(paper, 0.3*vg.Centimeter, -right, 0.2*vg.Centimeter, -0.2*vg.Centimeter))
	var out bytes.Buffer
	if _, err := svg.WriteTo(&out); err != nil {
		return err
	}
	// Whoever does not have the font that was measured gets one of its kind.
	picture := bytes.ReplaceAll(out.Bytes(), []byte("font-family:Liberation Sans;"),
		[]byte("font-family:'Liberation Sans',Arial,Helvetica,sans-serif;"))
	return os.WriteFile(file, picture, 0o644)
}

func newPlot(title string) *plot.Plot {
	p := plot.New()
	p.Title.Text = title
	p.Title.TextStyle.Font.Size = 14
	p.Title.Padding = 8
	p.BackgroundColor = color.White
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Color, a.Label.TextStyle.Color, a.Tick.Label.Color = ink, ink, ink
		a.Tick.Color = faint
	}
	return p
}

// bar is one of a chart of them.
type bar struct {
	name   string
	length float64
	label  string
	color  color.Color
}

// barsPlot lays bars on their sides, so that names and figures can be read.
func barsPlot(title, unit string, bars []bar) *plot.Plot {
	p := newPlot(title)
	p.HideY()
	p.X.Label.Text = unit
	p.X.Min, p.X.Tick.Marker = 0, whole{}
	p.Y.Label.Text = " " // so that there is room for the names
	names, longest := make([]string, len(bars)), 0.0
	for i, b := range bars {
		names[i], longest = b.name, math.Max(longest, b.length)
		shape, err := plotter.NewBarChart(plotter.Values{b.length}, 13)
		if err != nil {
			panic(err) // only for no values
		}
		shape.Horizontal, shape.XMin = true, float64(i)
		shape.Color, shape.LineStyle.Width = b.color, 0
		p.Add(shape, labelAt(b.length, float64(i), " "+b.label))
	}
	p.NominalY(names...)
	p.Y.Tick.Label.Font.Size = 10
	p.X.Max = longest * 1.2 // room for the last label
	return p
}

// shades tell the parts of stacked bars apart.
var shades = []color.Color{
	color.RGBA{0x0b, 0x6e, 0x99, 0xff},
	color.RGBA{0x3f, 0xa7, 0xd6, 0xff},
	color.RGBA{0x9a, 0xd1, 0xe8, 0xff},
	color.RGBA{0x7d, 0xb8, 0x6a, 0xff},
	color.RGBA{0xd9, 0x8e, 0x32, 0xff},
	color.RGBA{0xb0, 0x4a, 0x5a, 0xff},
	color.RGBA{0x7e, 0x57, 0xa0, 0xff},
	color.RGBA{0x2e, 0x7d, 0x32, 0xff},
	color.RGBA{0xb8, 0xbf, 0xc5, 0xff},
}

// stackedPlot lays bars on their sides, each made of parts, which the legend names.
func stackedPlot(
	title, unit string, bars, parts []string, lengths [][]float64,
) (*plot.Plot, *plot.Legend) {
	p, legend := newPlot(title), newLegend()
	p.HideY()
	p.X.Label.Text = unit
	p.X.Min, p.X.Tick.Marker = 0, whole{}
	p.Y.Label.Text = " " // so that there is room for the names
	var below *plotter.BarChart
	for i, part := range parts {
		shape, err := plotter.NewBarChart(plotter.Values(lengths[i]), 15)
		if err != nil {
			panic(err) // only for no values
		}
		shape.Horizontal = true
		shape.Color, shape.LineStyle.Width = shades[i%len(shades)], 0
		if below != nil {
			shape.StackOn(below)
		}
		p.Add(shape)
		legend.Add(part, shape)
		below = shape
	}
	p.NominalY(bars...)
	p.Y.Tick.Label.Font.Size = 10
	return p, legend
}

func newLegend() *plot.Legend {
	legend := plot.NewLegend()
	legend.TextStyle.Font.Size, legend.TextStyle.Color = 10, ink
	legend.Padding = 3
	return &legend
}

func labelAt(x, y float64, s string) *plotter.Labels {
	l, err := plotter.NewLabels(plotter.XYLabels{XYs: plotter.XYs{{X: x, Y: y}}, Labels: []string{s}})
	if err != nil {
		panic(err) // only for figures that are none
	}
	l.TextStyle[0].Font.Size = 9
	l.TextStyle[0].Color = ink
	l.TextStyle[0].YAlign = text.YCenter
	return l
}

// mark is an upright line across bars.
func mark(x float64, bars int) *plotter.Line {
	l, err := plotter.NewLine(plotter.XYs{{X: x, Y: -0.6}, {X: x, Y: float64(bars) - 0.4}})
	if err != nil {
		panic(err) // only for figures that are none
	}
	l.Color, l.Dashes = ink, []vg.Length{vg.Points(4), vg.Points(3)}
	return l
}

// line is one of a chart of them.
type line struct {
	name   string
	points plotter.XYs
	color  color.Color
	dashed bool
}

func (l *line) add(x, y float64) {
	if !math.IsNaN(y) && y > 0 {
		l.points = append(l.points, plotter.XY{X: x, Y: y})
	}
}

// lineOf is a figure against a number in the benchmark's name.
func lineOf(all *results, name, pattern, unit string) line {
	l := line{name: name, color: colorOf(name)}
	before, after, _ := strings.Cut(pattern, "%s")
	for _, n := range all.names {
		rest, ok := strings.CutPrefix(n, before)
		if !ok {
			continue
		}
		if x, err := strconv.ParseFloat(strings.TrimSuffix(rest, after), 64); err == nil {
			l.add(x, all.median(n, unit))
		}
	}
	return l
}

// lines draws lines, both scales logarithmic, and labels them.
func lines(title, x, y string, all []line) (*plot.Plot, *plot.Legend) {
	p, legend := newPlot(title), newLegend()
	p.X.Label.Text, p.Y.Label.Text = x, y
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.X.Tick.Marker, p.Y.Tick.Marker = powers{}, decades{}
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = faint, faint
	p.Add(grid)
	for _, l := range all {
		drawn, dots, err := plotter.NewLinePoints(l.points)
		if err != nil {
			panic(err) // only for figures that are none
		}
		drawn.Color, drawn.Width = l.color, vg.Points(1.8)
		if l.dashed {
			drawn.Dashes = []vg.Length{vg.Points(5), vg.Points(3)}
		}
		dots.Shape, dots.Color, dots.Radius = draw.CircleGlyph{}, l.color, vg.Points(2.4)
		p.Add(drawn, dots)
		legend.Add(l.name, drawn, dots)
	}
	return p, legend
}

// whole are ticks with whole numbers.
type whole struct{}

// Ticks implements plot.Ticker.
func (whole) Ticks(lo, hi float64) []plot.Tick {
	ticks := plot.DefaultTicks{}.Ticks(lo, hi)
	for i, t := range ticks {
		if t.Label != "" {
			ticks[i].Label = thousands(int(t.Value))
		}
	}
	return ticks
}

// decades are ticks of a logarithmic scale, with the numbers that people write.
type decades struct{}

// Ticks implements plot.Ticker.
func (decades) Ticks(lo, hi float64) (ticks []plot.Tick) {
	for e := math.Floor(math.Log10(lo)); e <= math.Ceil(math.Log10(hi)); e++ {
		for m := 1.0; m < 10; m++ {
			t := plot.Tick{Value: m * math.Pow(10, e)}
			if m == 1 || m == 2 || m == 5 {
				t.Label = digits(t.Value)
			}
			ticks = append(ticks, t)
		}
	}
	return ticks
}

// powers are those of ten only.
type powers struct{}

// Ticks implements plot.Ticker.
func (powers) Ticks(lo, hi float64) []plot.Tick {
	return slices.DeleteFunc(decades{}.Ticks(lo, hi), func(t plot.Tick) bool {
		_, part := math.Modf(math.Log10(t.Value))
		return part != 0
	})
}
