package ari_test

import (
	"strings"
	"testing"
	"time"

	"ivrqueue/examples/adapters/ari"
	"ivrqueue/internal/bounds"
)

// Whatever an event says, reading it is bounded in memory and time, and what is read was in it.
func FuzzEvent(f *testing.F) {
	f.Add([]byte(`{"type":"PlaybackFinished","playback":{"id":"1","state":"done","target_uri":"channel:a"}}`))
	f.Add([]byte(`{"type":"PlaybackFinished","playback":null}`))
	f.Add([]byte(`{"type":"PlaybackFinished","playback":{"id":1}}`))
	f.Add([]byte(`{"TYPE":"PlaybackFinished","playback":[]}`))
	f.Add([]byte(strings.Repeat(`{"playback":`, 5000)))
	f.Add([]byte(`{"type":"RecordingFinished","recording":{"name":"1","state":"done","duration":-1}}`))
	f.Add([]byte(`{"type":"ChannelDtmfReceived","digit":"#","channel":{"id":"a"}}`))
	f.Add([]byte("\xff"))
	f.Fuzz(func(t *testing.T, line []byte) {
		var all [5]string
		var ok bool
		got, took := bounds.Measure(func() {
			all[0], all[1], all[2], all[3], all[4], ok = ari.Parse(line)
		})
		if got > uint64(64<<10+50*len(line)) || took > 5*time.Second {
			t.Errorf("%d bytes and %v for an event of %d", got, took, len(line))
		}
		// A byte that is no UTF-8 becomes a character of three.
		if read := len(strings.Join(all[:], "")); ok && read > 3*len(line) {
			t.Errorf("%d bytes were read of %d", read, len(line))
		}
	})
}
