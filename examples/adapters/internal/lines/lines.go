// Package lines reads lines that somebody else writes, who may write one that never ends.
//
// It is not safe for concurrent use, and returns the reader's errors.
package lines

import (
	"bufio"
	"errors"
	"io"
)

// Max is how long a line may be, in bytes, without its end: 64 KiB.
const Max = 64 << 10

// Reader reads lines in a buffer of fixed size. New makes it.
type Reader struct{ in *bufio.Reader }

// New returns a reader of r's lines.
func New(r io.Reader) *Reader { return &Reader{bufio.NewReaderSize(r, Max+len("\r\n"))} }

// Next returns the next line, without its end; it is only valid until Next is called again. Of a
// line that is too long it returns the first Max bytes, and cut. The last line needs no end.
func (r *Reader) Next() (line []byte, cut bool, err error) {
	line, err = r.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		line = append([]byte(nil), line[:Max]...) // the rest goes through the same buffer
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = r.in.ReadSlice('\n')
		}
		cut = true
	}
	switch {
	case cut && (err == nil || errors.Is(err, io.EOF)):
		return line, true, nil
	case errors.Is(err, io.EOF) && len(line) > 0:
		return line, false, nil
	case err != nil:
		return nil, false, err
	}
	line = line[:len(line)-1]
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	return line[:min(len(line), Max)], len(line) > Max, nil
}
