package media_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"ivrqueue/internal/bounds"
	"ivrqueue/media"
)

// chunk is a piece of a WAV file; its size may be a lie.
type chunk struct {
	name string
	data []byte
	size uint32 // zero: the truth
}

// riff puts a file together.
func riff(chunks ...chunk) []byte {
	file := []byte("RIFF\x00\x00\x00\x00WAVE")
	for _, c := range chunks {
		size := c.size
		if size == 0 {
			size = uint32(len(c.data))
		}
		file = append(file, c.name...)
		file = binary.LittleEndian.AppendUint32(file, size)
		file = append(file, c.data...)
	}
	binary.LittleEndian.PutUint32(file[4:], uint32(len(file)-8))
	return file
}

// format is a "fmt " chunk.
func format(tag, channels uint16, rate uint32, bits uint16) chunk {
	var d []byte
	d = binary.LittleEndian.AppendUint16(d, tag)
	d = binary.LittleEndian.AppendUint16(d, channels)
	d = binary.LittleEndian.AppendUint32(d, rate)
	d = binary.LittleEndian.AppendUint32(d, rate*uint32(channels*bits/8))
	d = binary.LittleEndian.AppendUint16(d, channels*bits/8)
	d = binary.LittleEndian.AppendUint16(d, bits)
	return chunk{name: "fmt ", data: d}
}

// extensible is a "fmt " chunk that names its format by a GUID.
func extensible(tag uint16) chunk {
	c := format(0xfffe, 1, 16000, 16)
	c.data = append(c.data, 22, 0, 16, 0, 4, 0, 0, 0, byte(tag), byte(tag>>8))
	c.data = append(c.data, 0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71)
	return c
}

var good = format(1, 1, 16000, 16)

func data(n int) chunk { return chunk{name: "data", data: bytes.Repeat([]byte{1, 2}, n)} }

// badFiles are files that are not a prompt, and what is said of them.
var badFiles = []struct {
	name string
	file []byte
	want string
}{
	{"empty", nil, "empty file, must be a WAV file"},
	{"short", []byte("RIFF"), "4 bytes, must be a WAV file, which has more"},
	{"text", []byte("Welcome to the demo"), `begins with "Welcome to t", must be a WAV file (RIFF … WAVE)`},
	{"avi", append([]byte("RIFF\x04\x00\x00\x00AVI "), 0, 0, 0, 0), "AVI, must be a WAV file (RIFF … WAVE)"},
	{"mp3", []byte("\xff\xfb\x90\x64 and so on"), "MP3, must be a WAV file (RIFF … WAVE)"},
	{"mp3-id3", []byte("ID3\x04\x00\x00"), "MP3, must be a WAV file (RIFF … WAVE)"},
	{"ogg", []byte("OggS\x00\x02\x00\x00\x00\x00"), "Ogg, must be a WAV file (RIFF … WAVE)"},
	{"flac", []byte("fLaC\x00\x00\x00\x22"), "FLAC, must be a WAV file (RIFF … WAVE)"},
	{"aiff", []byte("FORM\x00\x00\x00\x00AIFFCOMM"), "AIFF, must be a WAV file (RIFF … WAVE)"},
	{"mp4", []byte("\x00\x00\x00\x20ftypM4A "), "MP4, must be a WAV file (RIFF … WAVE)"},
	{"html", []byte("\xef\xbb\xbf\r\n <!DOCTYPE HTML><title>Sign in</title>"), "an HTML page, must be a WAV file (RIFF … WAVE)"},
	{"json", []byte(`{"error":"gone"}`), "JSON, must be a WAV file (RIFF … WAVE)"},
	{"rf64", []byte("RF64\xff\xff\xff\xffWAVEds64"), "RF64 (a WAV file of more than 4 GiB), must be a WAV file (RIFF … WAVE)"},
	{"mp3-in-wav", riff(format(0x55, 1, 16000, 0), data(4)), "MP3 in WAV (format 0x55), must be PCM, float, A-law or µ-law"},
	{"ima-adpcm", riff(format(0x11, 1, 16000, 4), data(4)), "IMA ADPCM in WAV (format 0x11), must be PCM, float, A-law or µ-law"},
	{"gsm", riff(format(0x31, 1, 8000, 0), data(4)), "GSM 6.10 in WAV (format 0x31), must be PCM, float, A-law or µ-law"},
	{"nine-channels", riff(format(1, 9, 16000, 16), data(40)), "9 channels, must be 1 to 8"},
	{"slow", riff(format(1, 1, 3999, 16), data(4)), "3999 Hz, must be 4000 to 192000 Hz"},
	{"fast", riff(format(1, 1, 192001, 16), data(4)), "192001 Hz, must be 4000 to 192000 Hz"},
	{"64bit", riff(format(1, 1, 16000, 64), data(4)), "64 bits a sample, must be 8, 16, 24 or 32 of PCM"},
	{"0bit", riff(format(1, 1, 16000, 0), data(4)), "0 bits a sample, must be 8, 16, 24 or 32 of PCM"},
	{"float16", riff(format(3, 1, 16000, 16), data(4)), "16 bits a sample, must be 32 or 64 of float"},
	{"alaw16", riff(format(6, 1, 8000, 16), data(4)), "16 bits a sample, must be 8 of A-law"},
	{"long", riff(format(7, 1, 4000, 8), chunk{name: "data", data: make([]byte, 4000*1049)}), "17m29s long, must be at most 17m28.576s"},
	{"empty-and-a-list", riff(good, data(0), chunk{name: "LIST", data: []byte("INFO")}), "no samples, must have at least one"},
	{"no-channel", riff(format(1, 0, 16000, 16), data(4)), "0 channels, must be 1 to 8"},
	{"extensible", riff(format(0xfffe, 1, 16000, 16), data(4)), "an unknown format in WAV (format 0xfffe), must be PCM, float, A-law or µ-law"},
	{"extensible-mp3", riff(extensible(0x55), data(4)), "MP3 in WAV (format 0x55), must be PCM, float, A-law or µ-law"},
	{"half-a-sample", riff(good, chunk{name: "data", data: []byte{1}}), "no samples, must have at least one"},
	{"adpcm", riff(format(2, 1, 16000, 4), data(4)), "Microsoft ADPCM in WAV (format 0x2), must be PCM, float, A-law or µ-law"},
	{"truncated", riff(good, chunk{name: "data", data: make([]byte, 100), size: 640}), `truncated: chunk "data" says 640 bytes, the file has 100 left`},
	{"cut-off", riff(good)[:30], `truncated: chunk "fmt " says 16 bytes, the file has 10 left`},
	{"cut-off-name", riff(good, data(1))[:40], "truncated: 4 bytes where a chunk should begin"},
	{"huge-list", riff(chunk{name: "LIST", data: make([]byte, 4), size: 1 << 31}, good, data(4)), `truncated: chunk "LIST" says 2147483648 bytes, the file has 44 left`},
	{"no-data", riff(good), `no chunk "data", must have one`},
	{"no-format", riff(data(4), good), `no chunk "fmt " before "data", must have one`},
	{"short-format", riff(chunk{name: "fmt ", data: good.data[:14]}, data(4)), `chunk "fmt " of 14 bytes, must have at least 16`},
	{"no-samples", riff(good, data(0)), "no samples, must have at least one"},
}

func TestAFileThatIsNoPromptIsRefusedWithWhatIsWrongAndWhatItMustBe(t *testing.T) {
	t.Parallel()
	for _, test := range badFiles {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			samples, err := media.ReadWAV(t.Context(), bytes.NewReader(test.file))
			if err == nil || err.Error() != test.want || samples != nil {
				t.Errorf("got %d samples and %v, want %q", len(samples), err, test.want)
			}
		})
	}
}

func TestAFileTooLargeIsRefused(t *testing.T) {
	t.Parallel()
	endless := io.MultiReader(bytes.NewReader(riff(good)), zeros{})
	_, err := media.ReadWAV(t.Context(), endless)
	if want := "more than 33554432 bytes, must be at most that"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %q", err, want)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestAReadErrorIsNoBadFile(t *testing.T) {
	t.Parallel()
	broken := errors.New("disk broken")
	_, err := media.ReadWAV(t.Context(), iotest.ErrReader(broken))
	if read := (*media.ReadError)(nil); !errors.As(err, &read) || !errors.Is(err, broken) {
		t.Errorf("got %v, want a read error", err)
	}
}

// What common tools write around the samples is skipped, or understood.
func TestTheOneFormatIsReadInAnyWrapping(t *testing.T) {
	t.Parallel()
	want := []int16{0x0201, 0x0201, 0x0201}
	info := chunk{name: "LIST", data: []byte("INFOISFT\x04\x00\x00\x00demo")}
	odd := chunk{name: "junk", data: []byte{1, 2, 3, 0}, size: 3}
	unpadded := chunk{name: "LIST", data: []byte("INFOICMT\x05\x00\x00\x00hello")}
	streamed := func(size uint32) []byte {
		file := riff(good, data(3))
		binary.LittleEndian.PutUint32(file[len(file)-10:], size)
		return file
	}
	for name, file := range map[string][]byte{
		"list between":               riff(good, info, data(3)),
		"list first":                 riff(info, good, data(3)),
		"odd size":                   riff(odd, good, odd, data(3)),
		"list behind":                riff(good, data(3), info),
		"garbage behind":             append(riff(good, data(3)), 1, 2, 3),
		"longer format":              riff(chunk{name: "fmt ", data: append(slices.Clone(good.data), 0, 0)}, data(3)),
		"no pad byte":                riff(good, unpadded, data(3)),
		"extensible":                 riff(extensible(1), data(3)),
		"streamed, 2³²-1":            streamed(0xffffffff),
		"streamed, 2³¹-1":            streamed(0x7fffffff),
		"streamed, 2·10⁹":            streamed(2_000_000_000),
		"streamed, 0":                streamed(0),
		"half a sample":              riff(good, chunk{name: "data", data: []byte{1, 2, 1, 2, 1, 2, 3}}),
		"and a pad byte":             riff(good, chunk{name: "data", data: []byte{1, 2, 1, 2, 1, 2, 3, 0}, size: 7}),
		"a pad byte that is no zero": riff(good, chunk{name: "junk", data: []byte{1, 2, 3, 9}, size: 3}, data(3)),
		"wrong RIFF size":            append([]byte("RIFF\xff\xff\xff\xff"), riff(good, data(3))[8:]...),
	} {
		samples, err := media.ReadWAV(t.Context(), bytes.NewReader(file))
		if err != nil || !slices.Equal(samples, want) {
			t.Errorf("%s: got %v, %v, want %v", name, samples, err, want)
		}
	}
}

func TestWhatIsWrittenIsReadAgain(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2, 319, 320, 16000} {
		path := filepath.Join(t.TempDir(), "a.wav")
		want := append(noise(1, n), -32768, 32767, 0)
		if err := media.WriteWAV(path, want); err != nil {
			t.Fatal(err)
		}
		wantSamples(t, "read again", readWAV(t, path), want)
		if info, err := os.Stat(path); err != nil || info.Size() != int64(44+2*len(want)) {
			t.Errorf("size %d, %v, want %d", info.Size(), err, 44+2*len(want))
		}
	}
}

func TestAFileThatCannotBeWrittenIsNamedAndLeavesNothing(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	taken := filepath.Join(folder, "taken.wav")
	if err := os.MkdirAll(filepath.Join(taken, "inside"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{taken, filepath.Join(folder, "missing", "a.wav")} {
		err := media.WriteWAV(path, noise(1, 1))
		if err == nil || !strings.Contains(err.Error(), "media: write "+path) {
			t.Errorf("got %v, want an error that names %s", err, path)
		}
	}
	if got := files(t, folder); len(got) != 1 {
		t.Errorf("left behind: %v", got)
	}
}

// lying is a WAV file of 74 bytes with a LIST chunk in it that speaks of 4 GiB.
var lying = riff(
	chunk{name: "LIST", data: []byte("INFOISFT\x04\x00\x00\xff\xffemo")[:16]}, good, data(3),
)

// What reading a file costs is bounded by what the file has, not by what it says.
func TestReadingCostsWhatTheFileHas(t *testing.T) { //nolint:paralleltest // measures the process
	const many = 1 << 20
	for name, file := range map[string][]byte{
		"a size that lies":      lying,
		"chunks without bytes":  riff(good, chunk{name: "LIST", data: bytes.Repeat([]byte("ISFT\x00\x00\x00\x00"), many/8)}, data(3)),
		"chunks of a byte":      append(riff(good), bytes.Repeat([]byte("ISFT\x01\x00\x00\x00\x01"), many/9)...),
		"formats":               append(riff(), bytes.Repeat(riff(good)[12:], many/24)...),
		"samples":               riff(good, data(many/2)),
		"cut off":               riff(good, chunk{name: "data", data: make([]byte, many), size: many + 1}),
		"the most a size holds": riff(good, chunk{name: "data", data: make([]byte, many), size: math.MaxUint32}),
		"the most a LIST holds": riff(good, chunk{name: "LIST", data: make([]byte, many), size: math.MaxUint32}),
	} {
		var err error
		// The most is of a garbage collector that lets ReadAll's buffers lie.
		costs(t, name, 10*len(file)+4096, time.Second, func() {
			_, err = media.ReadWAV(t.Context(), bytes.NewReader(file))
		})
		t.Logf("%s, %d bytes: %v", name, len(file), err)
	}
}

// costs fails the test if f allocates more, or takes longer. It is only exact where nothing else
// runs.
func costs(t *testing.T, what string, bytes int, long time.Duration, f func()) {
	t.Helper()
	got, took := bounds.Measure(func() {
		f()
	})
	if got > uint64(bytes) || took > long {
		t.Errorf("%s: %d bytes and %v, want at most %d and %v", what, got, took, bytes, long)
	}
}

// Whatever the bytes, reading them is bounded in memory and time: by what there is, and by the 4 MiB
// that the filter for the rarest of rates takes.
func FuzzReadWAV(f *testing.F) {
	for _, test := range badFiles {
		f.Add(test.file)
	}
	f.Add(lying)
	f.Add(riff(good, data(3)))
	for _, tag := range []uint16{1, 3, 6, 7} {
		for _, rate := range []uint32{4000, 8000, 16001, 44100, 191999} {
			f.Add(riff(format(tag, 2, rate, map[uint16]uint16{1: 24, 3: 64, 6: 8, 7: 8}[tag]), data(100)))
		}
	}
	f.Add(riff(extensible(1), chunk{name: "data", data: []byte{1, 2, 3}, size: math.MaxUint32}))
	f.Add(riff(chunk{name: "LIST", data: []byte("INFOISFT\x04\x00\x00\x00demo")}, good, data(3)))
	f.Add(riff(chunk{name: "smpl", data: make([]byte, 60)}, chunk{name: "cue ", data: make([]byte, 28)}, good, data(3)))
	f.Fuzz(func(t *testing.T, file []byte) {
		var samples []int16
		var err error
		costs(t, "reading", 32*len(file)+4<<20, 5*time.Second, func() {
			samples, err = media.ReadWAV(t.Context(), bytes.NewReader(file))
		})
		if err != nil {
			if samples != nil || err.Error() == "" {
				t.Fatalf("got %d samples beside %v", len(samples), err)
			}
			return
		}
		if len(samples) == 0 || len(samples) > media.MaxPrompts/2 {
			t.Fatalf("%d samples", len(samples))
		}
	})
}
