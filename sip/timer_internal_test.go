package sip

import (
	"slices"
	"testing"
	"time"
)

func TestGrant(t *testing.T) {
	const half = 30 * time.Minute
	tests := []struct {
		name  string
		asked asked
		want  interval
		short bool
	}{
		{"the peer knows nothing of it", asked{}, interval{}, false},
		{"the peer has not asked", asked{supported: true}, interval{half, peer}, false},
		{"it asks for less", asked{90 * time.Second, "", true}, interval{90 * time.Second, peer}, false},
		{"it asks for more", asked{time.Hour, "uac", true}, interval{half, peer}, false},
		{"we are to refresh", asked{half, "uas", true}, interval{half, ourselves}, false},
		{"too short", asked{89 * time.Second, "uac", true}, interval{}, true},
		{"too short, by a proxy", asked{89 * time.Second, "", false}, interval{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, short := grant(tt.asked, half); got != tt.want || short != tt.short {
				t.Errorf("got %v and %v, want %v and %v", got, short, tt.want, tt.short)
			}
		})
	}
}

func TestGranted(t *testing.T) {
	tests := []struct {
		name, header string
		want         interval
	}{
		{"the peer refreshes", "1800;refresher=uas", interval{30 * time.Minute, peer}},
		{"we refresh", " 1800 ; Refresher=UAC", interval{30 * time.Minute, ourselves}},
		{"nobody is named", "1800", interval{30 * time.Minute, ourselves}},
		{"no number", "soon;refresher=uas", interval{}},
		{"too short", "5", interval{}},
		{"nothing", "", interval{}},
		{"too large a number", "99999999999", interval{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			length, refresher := parseInterval(tt.header)
			if got := granted(asked{length, refresher, true}); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestASessionEndsABitBeforeItsTime(t *testing.T) {
	for length, want := range map[time.Duration]time.Duration{
		90 * time.Second: time.Minute, 1800 * time.Second: 1768 * time.Second,
	} {
		if got := (interval{length: length}).expiry(); got != want {
			t.Errorf("got %v of %v, want %v", got, length, want)
		}
	}
}

func TestRepeats(t *testing.T) {
	var pauses []float64
	since, last := time.Duration(0), time.Duration(0)
	for {
		last = repeats(since, last)
		if last == 0 {
			break
		}
		since += last
		pauses = append(pauses, last.Seconds())
	}
	want := []float64{0.5, 1, 2, 4, 4, 4, 4, 4, 4, 4, 0.5}
	if !slices.Equal(pauses, want) || since != 32*time.Second {
		t.Errorf("got %v, %v in all, want %v", pauses, since, want)
	}
}

func TestStages(t *testing.T) {
	all := []step{dial, ring, pickUp, confirm, end}
	want := map[stage][]step{
		fresh: {dial, end}, trying: {ring, pickUp, confirm, end}, ringing: {ring, pickUp, confirm, end},
		answered: {confirm, end}, established: {end}, ended: nil,
	}
	for from, may := range want {
		for _, s := range all {
			at := from
			if got := at.take(s); got != slices.Contains(may, s) || !got && at != from {
				t.Errorf("step %d from stage %d: got %v and stage %d", s, from, got, at)
			}
		}
	}
}
