package softmedia

import (
	"encoding/binary"
	"errors"
	"fmt"
)

const (
	riffHeader  = 12 // "RIFF", size, "WAVE"
	chunkHeader = 8  // name, size
	fmtSize     = 16 // the least a "fmt " chunk may have
)

// checkChunks walks the chunks of a WAV file up to its samples and believes no size in it. The
// decoder that comes after it would take a cut-off file for a short one, round an odd size up, and
// allocate whatever a broken header asks for.
func checkChunks(data []byte) error {
	switch {
	case len(data) == 0:
		return errors.New("empty file, must be a WAV file")
	case len(data) < riffHeader:
		return fmt.Errorf("%d bytes, must be a WAV file, which has more", len(data))
	case string(data[:4]) != "RIFF" || string(data[8:12]) != "WAVE":
		return fmt.Errorf("begins with %q, must be a WAV file (RIFF … WAVE)", data[:riffHeader])
	}
	format := false
	for at := riffHeader; at < len(data); {
		rest := len(data) - at
		if rest < chunkHeader {
			return fmt.Errorf("truncated: %d bytes where a chunk should begin", rest)
		}
		name := string(data[at : at+4])
		size := int64(binary.LittleEndian.Uint32(data[at+4:]))
		at, rest = at+chunkHeader, rest-chunkHeader
		if size > int64(rest) {
			return fmt.Errorf("truncated: chunk %q says %d bytes, the file has %d left", name, size, rest)
		}
		switch name {
		case "fmt ":
			if size < fmtSize {
				return fmt.Errorf("chunk %q of %d bytes, must have at least %d", name, size, fmtSize)
			}
			format = true
		case "data":
			return checkData(size, format)
		}
		at += int(size + size%2) // chunks begin at even places
	}
	return errors.New(`no chunk "data", must have one`)
}

func checkData(size int64, format bool) error {
	switch {
	case !format:
		return errors.New(`no chunk "fmt " before "data", must have one`)
	case size == 0:
		return errNoSamples
	case size%(bitDepth/8) != 0:
		return fmt.Errorf("%d bytes of samples, must be a whole number of %d-bit samples", size, bitDepth)
	}
	return nil
}
