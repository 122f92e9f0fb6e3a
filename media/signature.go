package media

import (
	"bytes"
	"strings"
)

// signatures are how files begin that people take for WAV files, or get instead of one.
var signatures = []struct {
	at          int
	magic, name string
}{
	{8, "AVI ", "AVI"},
	{0, "RIFX", "RIFX (a WAV file of big-endian numbers)"},
	{0, "RF64", "RF64 (a WAV file of more than 4 GiB)"},
	{0, "BW64", "BW64 (a WAV file of more than 4 GiB)"},
	{0, "riff", "Wave64"},
	{0, "OggS", "Ogg"},
	{0, "fLaC", "FLAC"},
	{0, "ID3", "MP3"},
	{0, "\xff\xfb", "MP3"},
	{0, "\xff\xfa", "MP3"}, // MPEG 1, layer 3
	{0, "\xff\xf3", "MP3"},
	{0, "\xff\xf2", "MP3"}, // MPEG 2
	{0, "\xff\xe3", "MP3"},
	{0, "\xff\xe2", "MP3"}, // MPEG 2.5
	{0, "\xff\xf1", "AAC"},
	{0, "\xff\xf9", "AAC"},
	{8, "AIFF", "AIFF"},
	{8, "AIFC", "AIFF"},
	{0, ".snd", "AU"},
	{0, "caff", "CAF"},
	{0, "#!AMR", "AMR"},
	{4, "ftyp", "MP4"},
	{0, "\x1a\x45\xdf\xa3", "Matroska or WebM"},
	{0, "\x30\x26\xb2\x75", "ASF (WMA)"},
	{0, "MThd", "MIDI"},
	{0, "\x1f\x8b", "gzip"},
	{0, "PK\x03\x04", "ZIP"},
	{0, "%PDF", "PDF"},
}

// nameOf returns what a file is that is no WAV file, as far as its first bytes show; else "".
func nameOf(data []byte) string {
	for _, s := range signatures {
		if len(data) >= s.at && bytes.HasPrefix(data[s.at:], []byte(s.magic)) {
			return s.name
		}
	}
	head := data[:min(len(data), 512)]
	head = bytes.TrimSpace(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")))
	text := strings.ToLower(string(head))
	switch {
	case strings.HasPrefix(text, "<!doctype html"), strings.HasPrefix(text, "<html"):
		return "an HTML page"
	case strings.HasPrefix(text, "<?xml"):
		return "XML"
	case strings.HasPrefix(text, `{"`):
		return "JSON"
	default:
		return ""
	}
}
