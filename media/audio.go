package media

import (
	"context"
	"unsafe"
)

// Audio is sound in a codec, ready to be cut into frames. It does not change; copies share it.
type Audio struct {
	codec   Codec
	samples []int16 // of a linear codec
	payload []byte  // of the others
}

// NewAudio returns samples, which are at a rate in Hz from MinRate to MaxRate, in a codec: they are
// converted, or kept if nothing has to be, so do not change them. It fails with the cause of ctx if
// that ends meanwhile.
func NewAudio(ctx context.Context, samples []int16, rate int, c Codec) (Audio, error) {
	c = c.plain()
	samples, err := Resample(ctx, samples, rate, c.Rate())
	switch {
	case err != nil:
		return Audio{}, err
	case c.IsLinear():
		return Audio{codec: c, samples: samples}, nil
	}
	return Audio{codec: c, payload: c.Encode(make([]byte, 0, len(samples)), samples)}, nil
}

// Codec returns what it is in.
func (a Audio) Codec() Codec { return a.codec }

// Len returns the number of samples.
func (a Audio) Len() int { return len(a.samples) + len(a.payload) }

// Size returns how many bytes it takes.
func (a Audio) Size() int { return sampleSize*len(a.samples) + len(a.payload) }

// Samples returns the samples: those of a linear codec are its own, and only to be read.
func (a Audio) Samples() []int16 {
	if a.codec.IsLinear() {
		return a.samples
	}
	return a.codec.Decode(make([]int16, 0, len(a.payload)), a.payload)
}

// Payload returns the payload of a codec that is not linear, only to be read; else nil.
func (a Audio) Payload() []byte { return a.payload }

// audioID is the same for no other audio that is held: by its first sample, and, since a loader
// may cut several prompts from one, by its length.
type audioID struct {
	first unsafe.Pointer
	n     int
}

// id is the same for copies, and for nothing else that has samples.
func (a Audio) id() audioID {
	if a.codec.IsLinear() {
		return audioID{unsafe.Pointer(unsafe.SliceData(a.samples)), len(a.samples)}
	}
	return audioID{unsafe.Pointer(unsafe.SliceData(a.payload)), len(a.payload)}
}

// frame is room for 20 ms of a call.
type frame struct {
	samples []int16 // of a linear codec
	payload []byte  // of the others
}

func newFrame(c Codec) frame {
	if c.IsLinear() {
		return frame{samples: make([]int16, c.FrameSamples())}
	}
	return frame{payload: make([]byte, c.FrameSamples())}
}

func (f frame) len() int { return len(f.samples) + len(f.payload) }

// put copies audio from a sample on to a place in the frame, and returns how many samples fitted.
func (f frame) put(at int, a Audio, from int) int {
	if a.codec.IsLinear() {
		return copy(f.samples[at:], a.samples[from:])
	}
	return copy(f.payload[at:], a.payload[from:])
}

// silence fills the frame up.
func (f frame) silence(from int, c Codec) {
	if c.IsLinear() {
		clear(f.samples[from:])
		return
	}
	quiet := c.silence()
	for i := from; i < len(f.payload); i++ {
		f.payload[i] = quiet
	}
}
