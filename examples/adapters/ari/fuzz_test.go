package ari_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"ivrqueue/examples/adapters/ari"
)

// Whatever an event says, reading it is bounded in memory and time, and what is read was in it.
func FuzzEvent(f *testing.F) {
	f.Add([]byte(`{"type":"PlaybackFinished","playback":{"id":"1","state":"done","target_uri":"channel:a"}}`))
	f.Add([]byte(`{"type":"PlaybackFinished","playback":null}`))
	f.Add([]byte(`{"type":"PlaybackFinished","playback":{"id":1}}`))
	f.Add([]byte(`{"TYPE":"PlaybackFinished","playback":[]}`))
	f.Add([]byte(strings.Repeat(`{"playback":`, 5000)))
	f.Add([]byte("\xff"))
	f.Fuzz(func(t *testing.T, line []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		began := time.Now()
		channel, id, state, ok := ari.Finished(line)
		took := time.Since(began)
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > uint64(64<<10+50*len(line)) || took > 5*time.Second {
			t.Errorf("%d bytes and %v for an event of %d", got, took, len(line))
		}
		// A byte that is no UTF-8 becomes a character of three.
		if ok && len(channel)+len(id)+len(state) > 3*len(line) {
			t.Errorf("%d bytes were read of %d", len(channel)+len(id)+len(state), len(line))
		}
	})
}
