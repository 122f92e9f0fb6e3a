package softmedia

import (
	"bufio"
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

var errNoSamples = errors.New("no samples, must have at least one")

// ReadWAV reads all of r, which must be a WAV file in the one format of this engine with at least
// one sample. The error says what is wrong and what it must be; the file's name is for the caller
// to add. It blocks as long as r does. An error of r itself is a [*ReadError].
//
// Its memory is at most a few times what r has, whatever the file says of itself.
func ReadWAV(r io.Reader) ([]int16, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxWAV+1))
	if err != nil {
		return nil, &ReadError{Err: err}
	}
	if len(data) > MaxWAV {
		return nil, fmt.Errorf("more than %d bytes, must be at most that", MaxWAV)
	}
	pcm, err := pcmOf(data)
	if err != nil {
		return nil, err
	}
	samples := make([]int16, len(pcm)/sampleSize)
	for i := range samples {
		samples[i] = int16(binary.LittleEndian.Uint16(pcm[sampleSize*i:]))
	}
	return samples, nil
}

// ReadError is a failure to read a file, as opposed to a file with the wrong contents.
type ReadError struct{ Err error }

// Error returns the cause's text.
func (e *ReadError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *ReadError) Unwrap() error { return e.Err }

// WriteWAV writes samples as a WAV file to path, which only its owner may read, or leaves nothing
// there: it writes beside it and renames. It blocks until the bytes are on the disk. The error
// names the file.
func WriteWAV(path string, samples []int16) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("softmedia: write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("softmedia: write %s: %w", path, errors.Join(err, os.Remove(f.Name())))
		}
	}()
	if err := errors.Join(EncodeWAV(f, samples), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// WAVSize returns how many bytes a WAV file of this length has.
func WAVSize(d time.Duration) int {
	return riffHeader + 2*chunkHeader + fmtSize + sampleSize*Samples(d)
}

// EncodeWAV writes samples as a WAV file to w. It needs a buffer of a few KiB, however many samples
// there are, of which there may be 2³⁰.
func EncodeWAV(w io.Writer, samples []int16) error {
	size := uint32(sampleSize * len(samples))
	b := binary.LittleEndian
	header := append(make([]byte, 0, riffHeader+2*chunkHeader+fmtSize), "RIFF"...)
	header = b.AppendUint32(header, 4+chunkHeader+fmtSize+chunkHeader+size)
	header = append(header, "WAVEfmt "...)
	header = b.AppendUint32(header, fmtSize)
	header = b.AppendUint16(header, tagPCM)
	header = b.AppendUint16(header, 1) // channels
	header = b.AppendUint32(header, Rate)
	header = b.AppendUint32(header, Rate*sampleSize) // bytes a second
	header = b.AppendUint16(header, sampleSize)      // bytes a frame
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
