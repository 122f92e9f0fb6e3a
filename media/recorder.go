package media

import (
	"time"

	"ivrqueue/operation"
)

// recorder keeps what the caller says and knows when that ends. Its owner calls add for each frame.
type recorder struct {
	limits operation.RecordResponse
	codec  Codec // of the line; what is kept is linear
	ear    detector
	kept   []int16
}

func newRecorder(limits operation.RecordResponse, c Codec, level float64) *recorder {
	return &recorder{limits: limits, codec: c, ear: newDetector(level, c.FrameSamples())}
}

// add takes the next frame and returns why the recording ends with it, or zero.
func (r *recorder) add(frame []int16) operation.Reason {
	r.kept = append(r.kept, frame...)
	r.ear.add(frame)
	silence := r.ear.silence()
	switch {
	case !r.ear.spoke && silence >= r.limits.InitialSilence:
		return operation.InitialSilence
	case r.ear.spoke && silence >= r.limits.MaxSilence:
		return operation.MaxSilence
	case r.length() >= r.limits.MaxDuration:
		return operation.MaxDuration
	}
	return 0
}

func (r *recorder) length() time.Duration { return r.codec.Duration(len(r.kept)) }
