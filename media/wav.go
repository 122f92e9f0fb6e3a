package media

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// MaxWAV is the largest WAV file that is read: 32 MiB, more than 17 minutes of audio.
const MaxWAV = 32 << 20

const sampleSize = 2 // bytes

// ReadWAV reads all of r, which must be a WAV file, and returns its samples at [Rate]. See
// [ReadAudio].
func ReadWAV(ctx context.Context, r io.Reader) ([]int16, error) {
	a, err := ReadAudio(ctx, r, Codec{})
	return a.samples, err
}

// ReadAudio reads all of r, which must be a WAV file, and returns its audio in a codec. It reads
// what people have: PCM of 8, 16, 24 or 32 bits, float of 32 or 64, A-law or µ-law, from [MinRate]
// to [MaxRate], of up to [MaxChannels] channels, of which it takes the mean, and of one sample to
// [MaxLength]. Samples that are mono, of 16 bits and of the codec's rate are as they are in the
// file.
//
// The error says what is wrong and what it must be, or what the file is instead; the file's name is
// for the caller to add. An error of r itself, or the cause of ctx if it has ended, is a
// [*ReadError]. It blocks as long as r does, and returns soon after ctx has ended.
//
// Its memory is at most some twenty times what r has, whatever the file says of itself.
func ReadAudio(ctx context.Context, r io.Reader, c Codec) (Audio, error) {
	data, err := io.ReadAll(io.LimitReader(until{ctx, r}, MaxWAV+1))
	if err != nil {
		return Audio{}, &ReadError{Err: err}
	}
	if len(data) > MaxWAV {
		return Audio{}, fmt.Errorf("more than %d bytes, must be at most that", MaxWAV)
	}
	f, body, err := chunksOf(data)
	if err != nil {
		return Audio{}, err
	}
	w := wavAudio{f, body}
	if err := w.check(c.Rate()); err != nil {
		return Audio{}, err
	}
	a, err := w.in(ctx, c)
	if err != nil {
		return Audio{}, &ReadError{Err: err}
	}
	return a, nil
}

// ReadError is a failure to read a file, as opposed to a file with the wrong contents.
type ReadError struct{ Err error }

// Error returns the cause's text.
func (e *ReadError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *ReadError) Unwrap() error { return e.Err }

// WriteWAV writes samples at [Rate] as a WAV file to path, which only its owner may read, or leaves
// nothing there: it writes beside it and renames. It blocks until the bytes are on the disk. The
// error names the file.
func WriteWAV(path string, samples []int16) error { return writeWAV(path, samples, Rate) }

func writeWAV(path string, samples []int16, rate int) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("media: write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("media: write %s: %w", path, errors.Join(err, os.Remove(f.Name())))
		}
	}()
	if err := errors.Join(encodeWAV(f, samples, rate), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// WAVSize returns how many bytes a WAV file of this length has, at [Rate].
func WAVSize(d time.Duration) int {
	return riffHeader + 2*chunkHeader + formatSize + sampleSize*Samples(d)
}

// EncodeWAV writes samples at [Rate] as a WAV file to w. It needs a buffer of a few KiB, however
// many samples there are, of which there may be 2³⁰.
func EncodeWAV(w io.Writer, samples []int16) error { return encodeWAV(w, samples, Rate) }

func encodeWAV(w io.Writer, samples []int16, rate int) error {
	size := uint32(sampleSize * len(samples))
	b := binary.LittleEndian
	header := append(make([]byte, 0, riffHeader+2*chunkHeader+formatSize), "RIFF"...)
	header = b.AppendUint32(header, 4+chunkHeader+formatSize+chunkHeader+size)
	header = append(header, "WAVEfmt "...)
	header = b.AppendUint32(header, formatSize)
	header = b.AppendUint16(header, tagPCM)
	header = b.AppendUint16(header, 1) // channels
	header = b.AppendUint32(header, uint32(rate))
	header = b.AppendUint32(header, uint32(rate*sampleSize)) // bytes a second
	header = b.AppendUint16(header, sampleSize)              // bytes a frame
	header = b.AppendUint16(header, 8*sampleSize)
	header = append(header, "data"...)
	header = b.AppendUint32(header, size)

	out := bufio.NewWriter(w) // keeps the first error
	_, _ = out.Write(header)
	for _, s := range samples {
		_, _ = out.Write(b.AppendUint16(out.AvailableBuffer(), uint16(s)))
	}
	return out.Flush()
}
