package media

import (
	"encoding/binary"
	"errors"
	"fmt"
)

const (
	riffHeader  = 12 // "RIFF", size, "WAVE"
	chunkHeader = 8  // name, size
)

// chunksOf returns the audio of a WAV file: its format, and the bytes of its "data" chunk, which
// are a part of data and not copied. It believes no size that it reads, and looks at each chunk
// once, so its time is bounded by the number of bytes.
//
// Some writers cannot go back to fill in the size of the audio, and leave 0 or more than any file
// has: their audio reaches to the end. Others leave out the byte that follows a chunk of an odd
// size.
func chunksOf(data []byte) (format, []byte, error) {
	if err := checkHeader(data); err != nil {
		return format{}, nil, err
	}
	rest, f, found := data[riffHeader:], format{}, false
	for len(rest) > 0 {
		if len(rest) < chunkHeader {
			return f, nil, fmt.Errorf("truncated: %d bytes where a chunk should begin", len(rest))
		}
		name, size := string(rest[:4]), binary.LittleEndian.Uint32(rest[4:])
		rest = rest[chunkHeader:]
		if name == "data" && (size > MaxWAV || size == 0 && !onlyChunks(rest)) {
			size = uint32(len(rest)) // at most MaxWAV
		}
		if uint64(size) > uint64(len(rest)) {
			return f, nil, fmt.Errorf("truncated: chunk %q says %d bytes, the file has %d left",
				name, size, len(rest))
		}
		body := rest[:size]
		switch name {
		case "fmt ":
			var err error
			if f, err = parseFormat(body); err != nil {
				return f, nil, err
			}
			found = true
		case "data":
			if !found {
				return f, nil, errors.New(`no chunk "fmt " before "data", must have one`)
			}
			return f, body, nil
		}
		rest = rest[size:]
		if size%2 == 1 && padded(rest) {
			rest = rest[1:]
		}
	}
	return f, nil, errors.New(`no chunk "data", must have one`)
}

func checkHeader(data []byte) error {
	switch {
	case len(data) == 0:
		return errors.New("empty file, must be a WAV file")
	case isWAV(data):
		return nil
	}
	if other := nameOf(data); other != "" {
		return fmt.Errorf("%s, must be a WAV file (RIFF … WAVE)", other)
	}
	if len(data) < riffHeader {
		return fmt.Errorf("%d bytes, must be a WAV file, which has more", len(data))
	}
	return fmt.Errorf("begins with %q, must be a WAV file (RIFF … WAVE)", data[:riffHeader])
}

func isWAV(data []byte) bool {
	return len(data) >= riffHeader && string(data[:4]) == "RIFF" && string(data[8:12]) == "WAVE"
}

// padded reports whether rest, which follows a chunk of an odd size, begins with a byte to skip:
// a zero, with which no name begins, or any other before a name that must come.
func padded(rest []byte) bool {
	switch {
	case len(rest) == 0:
		return false
	case rest[0] == 0:
		return true
	case len(rest) < 5:
		return false
	}
	name := string(rest[1:5])
	return name == "data" || name == "fmt "
}

// onlyChunks reports whether rest is nothing or whole chunks to the end: what follows a "data"
// chunk that is empty indeed.
func onlyChunks(rest []byte) bool {
	for len(rest) >= chunkHeader {
		size := uint64(binary.LittleEndian.Uint32(rest[4:]))
		size += size % 2
		rest = rest[chunkHeader:]
		if size > uint64(len(rest)) {
			return false
		}
		rest = rest[size:]
	}
	return len(rest) == 0
}
