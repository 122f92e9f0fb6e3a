package media

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/zaf/g711"
)

// Bounds of the audio of a WAV file.
const (
	MinRate     = 4_000   // samples a second
	MaxRate     = 192_000 // samples a second
	MaxChannels = 8
	// MaxLength is how long the audio of a WAV file may be, at Rate: what has MaxPrompts bytes
	// then, 17 minutes. At another rate it is as many samples.
	MaxLength = MaxPrompts / sampleSize * time.Second / Rate
)

const (
	formatSize     = 16 // the least a "fmt " chunk may have
	extensibleSize = 40 // the least one may have that names its format by a GUID
)

// Format tags of a "fmt " chunk.
const (
	tagPCM        = 0x1
	tagFloat      = 0x3
	tagALaw       = 0x6
	tagMuLaw      = 0x7
	tagExtensible = 0xfffe // the format is the GUID's
)

// tagNames are the formats that people have, beside those that are read.
var tagNames = map[uint16]string{
	0x2: "Microsoft ADPCM", 0x11: "IMA ADPCM", 0x14: "G.723 ADPCM", 0x22: "TrueSpeech",
	0x31: "GSM 6.10", 0x40: "G.721 ADPCM", 0x42: "G.723.1", 0x45: "G.726", 0x50: "MPEG layer 1 or 2",
	0x55: "MP3", 0x64: "G.726", 0x65: "G.722", 0x83: "G.729", 0xff: "AAC", 0x160: "WMA", 0x161: "WMA",
	0x162: "WMA", 0x163: "WMA", 0x1610: "AAC", 0x674f: "Vorbis", 0x6750: "Vorbis", 0x6751: "Vorbis",
	0x676f: "Vorbis", 0x704f: "Opus", 0xf1ac: "FLAC",
}

// mediaGUID is what follows the tag in the GUID of an extensible format.
const mediaGUID = "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"

// format is how the audio of a WAV file is kept.
type format struct {
	tag      uint16
	channels int
	rate     int
	size     int // bytes of a sample of one channel
}

// parseFormat reads a "fmt " chunk.
func parseFormat(body []byte) (format, error) {
	if len(body) < formatSize {
		return format{}, fmt.Errorf(`chunk "fmt " of %d bytes, must have at least %d`,
			len(body), formatSize)
	}
	word := binary.LittleEndian.Uint16
	f := format{tag: word(body), channels: int(word(body[2:]))}
	rate := binary.LittleEndian.Uint32(body[4:])
	block, bits := int(word(body[12:])), int(word(body[14:]))
	if f.tag == tagExtensible && len(body) >= extensibleSize && string(body[26:40]) == mediaGUID {
		f.tag = word(body[24:])
	}
	switch {
	case !f.known():
		return f, fmt.Errorf("%s in WAV (format %#x), must be PCM, float, A-law or µ-law",
			f.name(), f.tag)
	case f.channels < 1 || f.channels > MaxChannels:
		return f, fmt.Errorf("%d channels, must be 1 to %d", f.channels, MaxChannels)
	case rate < MinRate || rate > MaxRate:
		return f, fmt.Errorf("%d Hz, must be %d to %d Hz", rate, MinRate, MaxRate)
	}
	f.rate = int(rate)
	f.size = (bits + 7) / 8 // a sample of fewer bits lies at the upper end of its bytes
	if f.size == 3 && block == 4*f.channels {
		f.size = 4 // so written by some, and at the upper end too
	}
	return f, f.checkSize(bits)
}

func (f format) known() bool {
	return f.tag == tagPCM || f.tag == tagFloat || f.tag == tagALaw || f.tag == tagMuLaw
}

func (f format) checkSize(bits int) error {
	switch f.tag {
	case tagPCM:
		if f.size < 1 || f.size > 4 || bits < 1 {
			return fmt.Errorf("%d bits a sample, must be 8, 16, 24 or 32 of PCM", bits)
		}
	case tagFloat:
		if f.size != 4 && f.size != 8 || bits != 8*f.size {
			return fmt.Errorf("%d bits a sample, must be 32 or 64 of float", bits)
		}
	default:
		if bits != 8 || f.size != 1 {
			return fmt.Errorf("%d bits a sample, must be 8 of %s", bits, f.name())
		}
	}
	return nil
}

func (f format) name() string {
	switch f.tag {
	case tagPCM:
		return "PCM"
	case tagFloat:
		return "float"
	case tagALaw:
		return "A-law"
	case tagMuLaw:
		return "µ-law"
	}
	if name := tagNames[f.tag]; name != "" {
		return name
	}
	return "an unknown format"
}

// wavAudio is the audio of a WAV file, as it is kept there.
type wavAudio struct {
	format

	bytes []byte
}

var errNoSamples = errors.New("no samples, must have at least one")

// check says whether there is something to hear, and not too much of it at a rate.
func (a wavAudio) check(rate int) error {
	const most = MaxPrompts / sampleSize
	switch n := a.len(); {
	case n == 0:
		return errNoSamples
	case uint64(n)*uint64(rate) > uint64(a.rate)*most:
		return fmt.Errorf("%v long, must be at most %v",
			time.Duration(n)*time.Second/time.Duration(a.rate), most*time.Second/time.Duration(rate))
	}
	return nil
}

// len returns the number of samples of each channel; a part of one counts for nothing.
func (a wavAudio) len() int { return len(a.bytes) / (a.channels * a.size) }

// in returns it in a codec.
func (a wavAudio) in(ctx context.Context, c Codec) (Audio, error) {
	samples, err := a.samples(ctx, c.Rate())
	if err != nil {
		return Audio{}, err
	}
	return NewAudio(ctx, samples, c.Rate(), c)
}

// samples returns them all at a rate.
func (a wavAudio) samples(ctx context.Context, rate int) ([]int16, error) {
	if a.rate != rate {
		return resample(ctx, a, a.rate, rate)
	}
	out := make([]int16, a.len())
	if a.tag == tagPCM && a.size == sampleSize && a.channels == 1 { // most are: a tenth of the time
		for i := range out {
			out[i] = int16(binary.LittleEndian.Uint16(a.bytes[sampleSize*i:]))
		}
		return out, nil
	}
	block := make([]float32, min(blockSize, len(out)))
	for done := 0; done < len(out); done += blockSize {
		if ctx.Err() != nil {
			return nil, cmp.Or(context.Cause(ctx), context.Canceled) // Err may say nothing
		}
		a.read(block, done)
		for i := range min(len(block), len(out)-done) {
			out[done+i] = clip16(block[i])
		}
	}
	return out, nil
}

// read fills to with the samples from the given one on, the mean of their channels: −32768 to
// 32768, and 0 beyond both ends.
func (a wavAudio) read(to []float32, from int) {
	step := a.channels * a.size
	length := a.len()
	for i := range to {
		at := from + i
		if at < 0 || at >= length {
			to[i] = 0
			continue
		}
		frame := a.bytes[at*step:][:step]
		sum := float32(0)
		for c := 0; c < step; c += a.size {
			sum += a.sample(frame[c:][:a.size])
		}
		to[i] = sum / float32(a.channels)
	}
}

// sample returns one sample of one channel.
func (a wavAudio) sample(b []byte) float32 {
	little := binary.LittleEndian
	switch {
	case a.tag == tagALaw:
		return float32(g711.DecodeAlawFrame(b[0]))
	case a.tag == tagMuLaw:
		return float32(g711.DecodeUlawFrame(b[0]))
	case a.tag == tagFloat && a.size == 8:
		return full(math.Float64frombits(little.Uint64(b)))
	case a.tag == tagFloat:
		return full(float64(math.Float32frombits(little.Uint32(b))))
	case a.size == 1:
		return float32(int(b[0])-128) * 256
	case a.size == 2:
		return float32(int16(little.Uint16(b)))
	case a.size == 3:
		return float32(int32(uint32(b[0])<<8|uint32(b[1])<<16|uint32(b[2])<<24)) / (1 << 16)
	default:
		return float32(int32(little.Uint32(b))) / (1 << 16)
	}
}

// full brings a float of full scale 1 to ours. What is beyond it, or no number, must not make its
// neighbours inaudible.
func full(x float64) float32 {
	if math.IsNaN(x) {
		return 0
	}
	return float32(max(-1, min(1, x)) * -math.MinInt16)
}
