package terminal

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Plain returns s with each character that is not for reading, such as those that command a
// terminal or turn the direction of the text, as its number, as in \u001b; and each byte that is
// no UTF-8 as U+FFFD. JSON stays the same JSON.
func Plain(s string) string { return plain(s, false) }

// PlainLines is Plain, but lets lines end.
func PlainLines(s string) string { return plain(s, true) }

func plain(s string, lines bool) string {
	ok := func(r rune) bool { return unicode.IsPrint(r) || lines && r == '\n' }
	if utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return !ok(r) }) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if ok(r) {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) { // as JSON has it
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String()
}
