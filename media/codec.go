package media

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/zaf/g711"
)

// Codec is how a line carries audio: linear samples at a rate, or G.711. All are mono and of 16
// bits, and code each sample by itself. The zero Codec is linear at [Rate]. Codecs may be compared.
type Codec struct {
	law  law
	rate int // Hz; zero for Rate
}

type law uint8

const (
	linearLaw law = iota
	muLaw
	aLaw
)

// The codecs of ITU-T G.711, at 8 kHz, by their names in RFC 3551.
var (
	PCMU = Codec{muLaw, 8000} // µ-law
	PCMA = Codec{aLaw, 8000}  // A-law
)

// MaxLineRate is the highest rate of a line, in Hz.
const MaxLineRate = 48_000

// Linear returns the codec of linear samples at a rate in Hz: from MinRate to MaxLineRate, in steps
// of 50, so that 20 ms are a whole number of them.
func Linear(rate int) (Codec, error) {
	if rate < MinRate || rate > MaxLineRate || rate%framesPerSecond != 0 {
		return Codec{}, fmt.Errorf("media: rate is %d Hz, must be %d to %d Hz, a multiple of %d",
			rate, MinRate, MaxLineRate, framesPerSecond)
	}
	return Codec{linearLaw, rate}.plain(), nil
}

// plain makes codecs that are the same equal.
func (c Codec) plain() Codec {
	if c.rate == Rate && c.law == linearLaw {
		return Codec{}
	}
	return c
}

// Rate returns the samples a second.
func (c Codec) Rate() int {
	if c.rate == 0 {
		return Rate
	}
	return c.rate
}

// IsLinear reports whether the samples are linear.
func (c Codec) IsLinear() bool { return c.law == linearLaw }

// FrameSamples returns how many samples a frame of 20 ms has.
func (c Codec) FrameSamples() int { return c.Rate() / framesPerSecond }

// Duration returns how long so many samples last, rounded down to the nanosecond.
func (c Codec) Duration(samples int) time.Duration {
	rate := c.Rate()
	whole, rest := samples/rate, samples%rate // times a second, all are too many within days
	return time.Duration(whole)*time.Second + time.Duration(rest)*time.Second/time.Duration(rate)
}

// String returns the name of RFC 3551 and the rate, such as "PCMU/8000".
func (c Codec) String() string {
	return fmt.Sprintf("%s/%d", [...]string{"L16", "PCMU", "PCMA"}[c.law], c.Rate())
}

// Encode appends the samples to a payload: a byte for each of G.711, two for each linear one, the
// more significant one first (RFC 3551, 4.5.11 and 4.5.14).
func (c Codec) Encode(to []byte, samples []int16) []byte {
	for _, s := range samples {
		switch c.law {
		case muLaw:
			to = append(to, g711.EncodeUlawFrame(s))
		case aLaw:
			to = append(to, g711.EncodeAlawFrame(s))
		default:
			to = binary.BigEndian.AppendUint16(to, uint16(s))
		}
	}
	return to
}

// Decode appends the samples of a payload. Of a linear one a last odd byte is left out.
func (c Codec) Decode(to []int16, payload []byte) []int16 {
	switch c.law {
	case muLaw:
		for _, b := range payload {
			to = append(to, g711.DecodeUlawFrame(b))
		}
	case aLaw:
		for _, b := range payload {
			to = append(to, g711.DecodeAlawFrame(b))
		}
	default:
		for ; len(payload) >= sampleSize; payload = payload[sampleSize:] {
			to = append(to, int16(binary.BigEndian.Uint16(payload)))
		}
	}
	return to
}

// silence is a byte of a payload of silence.
func (c Codec) silence() byte {
	if c.IsLinear() {
		return 0
	}
	return c.Encode(nil, make([]int16, 1))[0]
}
