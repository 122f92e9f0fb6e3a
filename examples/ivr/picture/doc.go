// Package picture draws a call as an SVG file: the wave forms of what the caller heard and said,
// and above them, on the same axis of time, the operations, the cancels and the keys.
//
// The file stands alone: it needs no script, no font and no other file. It follows the reader's
// choice of light or dark, has a title and a description for those who do not see it, and a tooltip
// on each thing in it.
//
// What is drawn is [Call]; layout.go decides where everything goes, wave.go what a wave form looks
// like, and call.svg.tmpl writes it.
package picture
