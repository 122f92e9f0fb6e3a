package graph

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A jsonText is a walk through a valid JSON text that knows where it is, as
// prompts[1].mediaInfo.uri. The decoder of the standard library does not: its errors name Go's
// types, it puts other characters in the place of text that is not Unicode, and it merges members
// that come twice.
type jsonText struct {
	data []byte
	at   int
	path []byte

	members    []jsonMember // of the objects that the walk is in, those of the innermost last
	superseded []jsonSpan   // members of which another one of their name comes later

	wanted int64  // an offset, or 0
	found  string // the path of the first value that ends, or whose bracket opens, there or later
}

// jsonMember is where in a text a member is: from its name to that of the next one.
type jsonMember struct {
	jsonSpan

	name string // folded
}

type jsonSpan struct{ from, to int }

// readJSON checks that all text of a valid JSON text is Unicode. It returns the text without the
// members of which another one of their name comes later: so the last one counts, whole. Names that
// differ in letter case alone are the same, as they are for the decoder.
func readJSON(data []byte) ([]byte, error) {
	t := jsonText{data: data}
	if err := t.value(); err != nil {
		return nil, err
	}
	if len(t.superseded) == 0 {
		return data, nil
	}
	slices.SortFunc(t.superseded, func(a, b jsonSpan) int { return cmp.Compare(a.from, b.from) })
	kept, at := make([]byte, 0, len(data)), 0
	for _, s := range t.superseded {
		if s.from >= at { // else it lies in one that is gone
			kept, at = append(kept, data[at:s.from]...), s.to
		}
	}
	return append(kept, data[at:]...), nil
}

// isUnicode reports whether all text of a valid JSON text is Unicode: encoding/json copies what
// somebody has encoded himself as it is, and one such string spoils the whole body for its reader.
func isUnicode(data []byte) bool {
	t := jsonText{data: data}
	return t.value() == nil
}

// pathAt returns the path of the value of a valid JSON text that ends, or whose bracket opens, at
// offset. It is empty if there is none, and for the text itself.
func pathAt(data []byte, offset int64) string {
	t := jsonText{data: data, wanted: offset}
	_ = t.value() // the text was read before
	return t.found
}

// value walks through a value, and the space around it.
func (t *jsonText) value() error {
	t.space()
	var err error
	switch t.data[t.at] {
	case '{':
		t.at++
		t.look()
		err = t.object()
	case '[':
		t.at++
		t.look()
		err = t.array()
	case '"':
		text := t.text()
		t.look()
		if why := notUnicode(text); why != "" {
			err = invalid(string(t.path), why, "Unicode text in UTF-8")
		}
	default:
		for t.at < len(t.data) && !bytes.ContainsRune([]byte(",]} \t\r\n"), rune(t.data[t.at])) {
			t.at++
		}
		t.look()
	}
	t.space()
	return err
}

// look notes the path of the value that ends or opens here, if it is the one that is wanted.
func (t *jsonText) look() {
	if t.wanted > 0 && int64(t.at) >= t.wanted {
		t.found, t.wanted = string(t.path), 0
	}
}

func (t *jsonText) space() {
	for t.at < len(t.data) && bytes.IndexByte([]byte(" \t\r\n"), t.data[t.at]) >= 0 {
		t.at++
	}
}

// text walks through a string, and returns what is between its quotes.
func (t *jsonText) text() []byte {
	t.at++
	from := t.at
	for t.data[t.at] != '"' {
		if t.data[t.at] == '\\' {
			t.at++
		}
		t.at++
	}
	t.at++
	return t.data[from : t.at-1]
}

func (t *jsonText) object() error {
	outside, path := len(t.members), len(t.path)
	for t.space(); t.data[t.at] != '}'; t.space() {
		from := t.at
		name := t.text()
		if why := notUnicode(name); why != "" {
			return invalid(cmp.Or(string(t.path), "the body"), "an object with a name that is "+why,
				"Unicode text in UTF-8")
		}
		if bytes.IndexByte(name, '\\') >= 0 {
			var plain string
			_ = json.Unmarshal(t.data[from:t.at], &plain) // a valid string
			name = []byte(plain)
		}
		if path > 0 {
			t.path = append(t.path, '.')
		}
		t.path = append(t.path, name...)
		t.space()
		t.at++ // the colon
		if err := t.value(); err != nil {
			return err
		}
		t.path = t.path[:path]
		t.comma()
		t.members = append(t.members, jsonMember{jsonSpan{from, t.at}, foldName(name)})
	}
	t.at++
	t.supersede(t.members[outside:])
	t.members = t.members[:outside]
	return nil
}

// supersede notes which of an object's members another one of the same name follows.
func (t *jsonText) supersede(members []jsonMember) {
	slices.SortFunc(members, func(a, b jsonMember) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.from, b.from))
	})
	for i := range len(members) - 1 {
		if members[i].name == members[i+1].name {
			t.superseded = append(t.superseded, members[i].jsonSpan)
		}
	}
}

func (t *jsonText) array() error {
	path := len(t.path)
	for i := int64(0); ; i++ {
		if t.space(); t.data[t.at] == ']' {
			t.at++
			return nil
		}
		t.path = append(strconv.AppendInt(append(t.path, '['), i, 10), ']')
		if err := t.value(); err != nil {
			return err
		}
		t.path = t.path[:path]
		t.comma()
	}
}

// comma walks to the next member or element, if there is one.
func (t *jsonText) comma() {
	if t.data[t.at] == ',' {
		t.at++
		t.space()
	}
}

// notUnicode says why what is between a string's quotes is not Unicode text: bytes that are not
// UTF-8, or an escape that is half a character (RFC 8259, 8.2). It is empty for text that is.
func notUnicode(text []byte) string {
	if !utf8.Valid(text) {
		return "not valid UTF-8"
	}
	for i := bytes.IndexByte(text, '\\'); i >= 0 && i < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		if i++; text[i] != 'u' {
			continue
		}
		high := text[i-1 : i+5]
		if i += 4; !between(high, 0xd800, 0xdfff) {
			continue
		}
		if !between(high, 0xd800, 0xdbff) || !between(text[i+1:], 0xdc00, 0xdfff) {
			return fmt.Sprintf("text with half a surrogate pair (%s)", high)
		}
		i += 6
	}
	return ""
}

// between reports whether a text begins with an escape, \u and four digits, of one of these.
func between(text []byte, low, high uint64) bool {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return false
	}
	n, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	return err == nil && low <= n && n <= high
}

// foldName maps names that differ in letter case alone to one.
func foldName(name []byte) string {
	return strings.Map(func(r rune) rune {
		if r < utf8.RuneSelf {
			return unicode.ToUpper(r) // ASCII upper case is the least of each orbit
		}
		least := r
		for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
			least = min(least, next)
		}
		return least
	}, string(name))
}
