package softmedia

import (
	"encoding/binary"
	"errors"
	"fmt"
)

const (
	riffHeader     = 12 // "RIFF", size, "WAVE"
	chunkHeader    = 8  // name, size
	fmtSize        = 16 // the least a "fmt " chunk may have
	extensibleSize = 40 // the least one may have that names its format by a GUID
)

// Format tags of a "fmt " chunk.
const (
	tagPCM        = 1
	tagExtensible = 0xfffe // the format is the GUID's
)

// mediaGUID is what follows the tag in the GUID of an extensible format.
const mediaGUID = "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"

// pcmOf returns the bytes of the samples in a WAV file: a part of data, which is not copied. It
// believes no size that it reads, and looks at each chunk once, so its time is bounded by the
// number of bytes.
//
// Some writers cannot go back to fill in the size of the samples, and leave 0 or more than any file
// has: their samples reach to the end. Others leave out the zero that follows a chunk of an odd
// size.
func pcmOf(data []byte) ([]byte, error) {
	switch {
	case len(data) == 0:
		return nil, errors.New("empty file, must be a WAV file")
	case len(data) < riffHeader:
		return nil, fmt.Errorf("%d bytes, must be a WAV file, which has more", len(data))
	case string(data[:4]) != "RIFF" || string(data[8:12]) != "WAVE":
		return nil, fmt.Errorf("begins with %q, must be a WAV file (RIFF … WAVE)", data[:riffHeader])
	}
	rest, format := data[riffHeader:], false
	for len(rest) > 0 {
		if len(rest) < chunkHeader {
			return nil, fmt.Errorf("truncated: %d bytes where a chunk should begin", len(rest))
		}
		name, size := string(rest[:4]), binary.LittleEndian.Uint32(rest[4:])
		rest = rest[chunkHeader:]
		if name == "data" && (size == 0 || size > MaxWAV) {
			size = uint32(len(rest)) // at most MaxWAV
		}
		if uint64(size) > uint64(len(rest)) {
			return nil, fmt.Errorf("truncated: chunk %q says %d bytes, the file has %d left",
				name, size, len(rest))
		}
		body := rest[:size]
		switch name {
		case "fmt ":
			if err := checkFormat(body); err != nil {
				return nil, err
			}
			format = true
		case "data":
			return checkData(body, format)
		}
		rest = rest[size:]
		if size%2 == 1 && len(rest) > 0 && rest[0] == 0 { // no name begins with a zero
			rest = rest[1:]
		}
	}
	return nil, errors.New(`no chunk "data", must have one`)
}

// checkData returns the whole samples of a "data" chunk.
func checkData(body []byte, format bool) ([]byte, error) {
	switch {
	case !format:
		return nil, errors.New(`no chunk "fmt " before "data", must have one`)
	case len(body) < sampleSize:
		return nil, errNoSamples
	}
	return body[:len(body)-len(body)%sampleSize], nil
}

// checkFormat looks at a "fmt " chunk.
func checkFormat(body []byte) error {
	if len(body) < fmtSize {
		return fmt.Errorf(`chunk "fmt " of %d bytes, must have at least %d`, len(body), fmtSize)
	}
	word := binary.LittleEndian.Uint16
	tag, channels, bits := word(body), word(body[2:]), word(body[14:])
	rate := binary.LittleEndian.Uint32(body[4:])
	if tag == tagExtensible && len(body) >= extensibleSize && string(body[26:40]) == mediaGUID {
		tag = word(body[24:])
	}
	switch {
	case tag != tagPCM:
		return fmt.Errorf("audio format %#x%s, must be 0x1 (PCM)", tag, formatName(tag))
	case channels != 1:
		return fmt.Errorf("%d channels, must be 1 (mono)", channels)
	case rate != Rate:
		return fmt.Errorf("%d Hz, must be %d Hz", rate, Rate)
	case bits != 8*sampleSize:
		return fmt.Errorf("%d bits a sample, must be %d", bits, 8*sampleSize)
	}
	return nil
}

func formatName(tag uint16) string {
	switch tag {
	case 3:
		return " (float)"
	case 6:
		return " (A-law)"
	case 7:
		return " (µ-law)"
	case tagExtensible:
		return " (extensible)"
	default:
		return ""
	}
}
