package graph

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// pathAt returns the path of the value of a JSON text that ends, or whose bracket opens, at offset:
// prompts[1].mediaInfo.uri. It is empty if there is none, and for the text itself. The decoder's
// own errors name Go's types and no indexes, but the offset.
func pathAt(data []byte, offset int64) string {
	var path jsonPath
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber() // a number that no float64 holds is a value like another
	for {
		token, err := decoder.Token()
		if err != nil {
			return ""
		}
		delim, _ := token.(json.Delim)
		switch {
		case delim == '}' || delim == ']':
			path = path[:len(path)-1]
			continue
		case path.names(token):
			continue
		case decoder.InputOffset() >= offset:
			return path.String()
		case delim != 0:
			path = append(path, jsonLevel{array: delim == '[', named: true, index: -1})
		}
	}
}

// jsonPath is where in a text a reader of its tokens is.
type jsonPath []jsonLevel

type jsonLevel struct {
	array bool
	index int    // of an array: the element
	name  string // of an object: the member
	named bool   // its value was read, so the next token is a name
}

// names reports whether a token is the name of a member. If it is not, it begins a value.
func (p jsonPath) names(token json.Token) bool {
	if len(p) == 0 {
		return false
	}
	last := &p[len(p)-1]
	if last.array {
		last.index++
		return false
	}
	if last.named {
		last.name, _ = token.(string)
	}
	last.named = !last.named
	return !last.named
}

// String writes the path.
func (p jsonPath) String() string {
	var path []byte
	for _, l := range p {
		switch {
		case l.array:
			path = append(strconv.AppendInt(append(path, '['), int64(l.index), 10), ']')
		case len(path) > 0:
			path = append(append(path, '.'), l.name...)
		default:
			path = append(path, l.name...)
		}
	}
	return string(path)
}
