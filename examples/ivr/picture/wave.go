package picture

import (
	"math"
	"strings"
)

// envelope returns the outline of samples as an SVG path: for each pixel across, the highest and
// the lowest of its samples. Behind the last one is silence, up to all samples.
func envelope(samples []int16, all int, area box, gain float64) string {
	columns := int(area.width)
	var top, bottom strings.Builder
	middle, half := area.y+area.height/2, area.height/2
	y := func(sample int16) string {
		level := max(-1, min(1, float64(sample)/-math.MinInt16*gain))
		return pixels(middle - half*level)
	}
	lows := make([]int16, columns)
	for x := range columns {
		from, to := x*all/columns, max(x*all/columns+1, (x+1)*all/columns)
		var high int16
		for _, s := range samples[min(from, len(samples)):min(to, len(samples))] {
			high, lows[x] = max(high, s), min(lows[x], s)
		}
		command := "L"
		if x == 0 {
			command = "M"
		}
		top.WriteString(command + pixels(area.x+float64(x)) + " " + y(high))
	}
	for x := columns - 1; x >= 0; x-- {
		bottom.WriteString("L" + pixels(area.x+float64(x)) + " " + y(lows[x]))
	}
	return top.String() + bottom.String() + "Z"
}

// gainOf returns the gain by which the loudest sample just fits, the same for both directions, but
// no more than 8: noise is not blown up.
func gainOf(directions ...[]int16) float64 {
	const most, room = 8, 0.94
	loudest := 1.0
	for _, samples := range directions {
		for _, s := range samples {
			loudest = max(loudest, math.Abs(float64(s)))
		}
	}
	return min(most, room*-math.MinInt16/loudest)
}
