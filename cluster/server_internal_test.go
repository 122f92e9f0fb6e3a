package cluster

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// What could not be written is lost to package nats, which goes on; so the connection ends.
func TestAConnectionEndsWhenNobodyReads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer theirs.Close()
		c, began := written{ours}, time.Now()
		n, err := c.Write([]byte("SUB x 1\r\n"))
		if n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != writeTime {
			t.Errorf("got %d, %v after %v", n, err, time.Since(began))
		}
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("it is read on: %v", err)
		}
	})
}
