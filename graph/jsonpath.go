package graph

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// pathAt returns the path of the value of a JSON text that ends, or whose bracket ends, at offset:
// prompts[1].mediaInfo.uri. The text is one that the decoder has taken as JSON.
//
// The decoder's own errors name Go's types and no indexes.
func pathAt(data []byte, offset int64) string {
	type level struct {
		name  string // of the member that is being read
		index int    // of the element that is being read
		array bool
		key   bool // the next token is a member's name
	}
	var levels []level
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber() // a number that no float64 holds is a token like another
	for {
		token, err := decoder.Token()
		if err != nil {
			return ""
		}
		top := len(levels) - 1
		if name, ok := token.(string); ok && top >= 0 && levels[top].key {
			levels[top].name, levels[top].key = name, false
			continue
		}
		switch delim, _ := token.(json.Delim); delim {
		case '}', ']':
			levels = levels[:top]
			continue
		case '{', '[':
			if top >= 0 {
				levels[top].key = !levels[top].array
				levels[top].index++
			}
			if decoder.InputOffset() < offset {
				levels = append(levels, level{array: delim == '[', key: delim == '{'})
				continue
			}
		default:
			if top >= 0 {
				levels[top].key = !levels[top].array
				levels[top].index++
			}
			if decoder.InputOffset() < offset {
				continue
			}
		}
		var path []byte
		for _, l := range levels {
			if l.array {
				path = append(strconv.AppendInt(append(path, '['), int64(l.index-1), 10), ']')
				continue
			}
			if len(path) > 0 {
				path = append(path, '.')
			}
			path = append(path, l.name...)
		}
		return string(path)
	}
}
