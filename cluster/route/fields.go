package route

import (
	"encoding/binary"
	"net/http"
)

// A number is written as a varint of package binary; a text as its length and its bytes; a header
// as the number of its names, and for each the name, the number of its values, and these.

func appendNumber(to []byte, n uint64) []byte { return binary.AppendUvarint(to, n) }

func appendText[T ~string | ~[]byte](to []byte, s T) []byte {
	return append(appendNumber(to, uint64(len(s))), s...)
}

// appendHeader appends a header without some of its fields.
func appendHeader(to []byte, h http.Header, without func(name string) bool) []byte {
	names := 0
	for name := range h {
		if !without(name) {
			names++
		}
	}
	to = appendNumber(to, uint64(names)) //nolint:gosec // not negative
	for name, values := range h {
		if without(name) {
			continue
		}
		to = appendNumber(appendText(to, name), uint64(len(values)))
		for _, value := range values {
			to = appendText(to, value)
		}
	}
	return to
}

// cutText cuts a text off, which is a part of data.
func cutText(data []byte) (text, rest []byte, ok bool) {
	n, size := binary.Uvarint(data)
	if size <= 0 || n > uint64(len(data)-size) {
		return nil, nil, false
	}
	end := size + int(n) //nolint:gosec // no more than there is
	return data[size:end], data[end:], true
}

// fields reads numbers, texts and headers, one after the other.
type fields struct {
	data []byte // what is left
	all  string // the same; what is read is a part of it
	bad  bool   // something was cut off, and so is all that follows
}

func readFields(data []byte) *fields { return &fields{data: data, all: string(data)} }

func (f *fields) number() uint64 {
	n, size := binary.Uvarint(f.data)
	if size <= 0 {
		f.cutOff()
		return 0
	}
	f.data, f.all = f.data[size:], f.all[size:]
	return n
}

func (f *fields) text() string {
	n := f.number()
	if n > uint64(len(f.data)) {
		f.cutOff()
		return ""
	}
	s := f.all[:n]
	f.data, f.all = f.data[n:], f.all[n:]
	return s
}

// header reads a header into another one, in the place of what that has of the same names.
func (f *fields) header(into http.Header) {
	var all []string
	for names := f.number(); names > 0 && !f.bad; names-- {
		name, n := f.text(), f.number()
		if all == nil {
			all = make([]string, 0, min(names, 32)) // most have one value; the number may be wrong
		}
		first := len(all)
		for ; n > 0 && !f.bad; n-- {
			all = append(all, f.text())
		}
		into[name] = all[first:len(all):len(all)]
	}
}

func (f *fields) cutOff() { f.bad, f.data, f.all = true, nil, "" }
