package softmedia

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/go-audio/audio"
	"github.com/go-audio/wav"
)

// MaxWAV is the largest WAV file that is read: 32 MiB, more than 17 minutes of audio.
const MaxWAV = 32 << 20

const (
	bitDepth = 16
	channels = 1
	pcm      = 1 // WAVE_FORMAT_PCM
)

var errNoSamples = errors.New("no samples, must have at least one")

// ReadWAV reads all of r, which must be a WAV file in the one format of this engine with at least
// one sample. The error says what is wrong and what it must be; the file's name is for the caller
// to add. It blocks as long as r does. An error of r itself is a [*ReadError].
func ReadWAV(r io.Reader) ([]int16, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxWAV+1))
	if err != nil {
		return nil, &ReadError{Err: err}
	}
	if len(data) > MaxWAV {
		return nil, fmt.Errorf("more than %d bytes, must be at most that", MaxWAV)
	}
	if err := checkChunks(data); err != nil {
		return nil, err
	}
	d := wav.NewDecoder(bytes.NewReader(data))
	d.ReadInfo()
	if err := d.Err(); err != nil {
		return nil, err
	}
	if err := checkFormat(d); err != nil {
		return nil, err
	}
	buf, err := d.FullPCMBuffer()
	if err != nil {
		return nil, err
	}
	if len(buf.Data) == 0 {
		return nil, errNoSamples
	}
	samples := make([]int16, len(buf.Data))
	for i, v := range buf.Data {
		samples[i] = int16(v) //nolint:gosec // the decoder made it of 16 bits
	}
	return samples, nil
}

func checkFormat(d *wav.Decoder) error {
	switch {
	case d.WavAudioFormat != pcm:
		return fmt.Errorf("audio format %#x%s, must be 0x1 (PCM)",
			d.WavAudioFormat, formatName(d.WavAudioFormat))
	case d.NumChans != channels:
		return fmt.Errorf("%d channels, must be %d (mono)", d.NumChans, channels)
	case d.SampleRate != Rate:
		return fmt.Errorf("%d Hz, must be %d Hz", d.SampleRate, Rate)
	case d.BitDepth != bitDepth:
		return fmt.Errorf("%d bits a sample, must be %d", d.BitDepth, bitDepth)
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
	case 0xfffe:
		return " (extensible)"
	default:
		return ""
	}
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
	if err := encode(f, samples); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

func encode(w io.WriteSeeker, samples []int16) error {
	data := make([]int, len(samples))
	for i, s := range samples {
		data[i] = int(s)
	}
	e := wav.NewEncoder(w, Rate, bitDepth, channels, pcm)
	err := e.Write(&audio.IntBuffer{
		Format:         &audio.Format{NumChannels: channels, SampleRate: Rate},
		Data:           data,
		SourceBitDepth: bitDepth,
	})
	if err != nil {
		return err
	}
	return e.Close() // also syncs a file
}
