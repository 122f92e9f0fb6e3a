package route

import (
	"encoding/binary"
	"net/http"
)

// A number is written as a varint of package binary; a text as its length and its bytes; a header as
// the number of its fields, and the name and the value of each.

func appendNumber(to []byte, n uint64) []byte { return binary.AppendUvarint(to, n) }

func appendText[T ~string | ~[]byte](to []byte, s T) []byte {
	return append(appendNumber(to, uint64(len(s))), s...)
}

// appendHeader appends a header without some of its fields.
func appendHeader(to []byte, h http.Header, without map[string]bool) []byte {
	n := 0
	for name, values := range h {
		if !without[name] {
			n += len(values)
		}
	}
	to = appendNumber(to, uint64(n)) //nolint:gosec // not negative
	for name, values := range h {
		if without[name] {
			continue
		}
		for _, value := range values {
			to = appendText(appendText(to, name), value)
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

func (f *fields) header() http.Header {
	n := f.number()
	likely := min(n, 32) // what is written there may be wrong
	h, values := make(http.Header, likely), make([]string, 0, likely)
	for ; n > 0 && !f.bad; n-- {
		name, value := f.text(), f.text()
		if before := h[name]; before != nil {
			h[name] = append(before, value)
			continue
		}
		values = append(values, value)
		h[name] = values[len(values)-1 : len(values) : len(values)]
	}
	return h
}

func (f *fields) cutOff() { f.bad, f.data, f.all = true, nil, "" }
