package sip

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// counts is where the counting begins anew.
const counts = 30000

// arrival is a packet of a counting peer: sample n is worth n+1, so that it shows where it is from.
type arrival struct {
	at        time.Duration
	ssrc      uint32
	timestamp uint32
	samples   int
}

// paced are packets of so many samples, each sent when its last sample was said.
func paced(to, size int) []arrival {
	var all []arrival
	for n := 0; n < to; n += size {
		all = append(all, arrival{
			at: duration(int64(n + size)), timestamp: uint32(n), samples: size,
		})
	}
	return all
}

// hear puts the packets as they come, and returns what is heard from one time to another, in frames
// of 20 ms.
func hear(packets []arrival, from, to time.Duration) []int16 {
	var j jitter
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	packets = slices.SortedStableFunc(slices.Values(packets), func(a, b arrival) int {
		return int(a.at - b.at)
	})
	var heard []int16
	frame := make([]int16, frameSamples)
	for at := from; at <= to; at += 20 * time.Millisecond {
		for len(packets) > 0 && packets[0].at <= at {
			p := packets[0]
			samples := make([]int16, p.samples)
			for i := range samples {
				samples[i] = int16((p.timestamp+uint32(i))%counts + 1)
			}
			j.put(start.Add(p.at), p.ssrc, p.timestamp, samples)
			packets = packets[1:]
		}
		j.frame(start.Add(at), frame)
		heard = append(heard, frame...)
	}
	return heard
}

// breaks returns where the samples do not count on, and how many are silent.
func breaks(samples []int16) (at []int, silent int) {
	for i, s := range samples {
		if s == 0 {
			silent++
		}
		if i > 0 && s != samples[i-1]%counts+1 && s != 0 && samples[i-1] != 0 {
			at = append(at, i)
		}
	}
	return at, silent
}

func TestWhatIsSaidIsHeardWhole(t *testing.T) {
	late := func(packets []arrival, by func(i int) time.Duration) []arrival {
		for i := range packets {
			packets[i].at += by(i)
		}
		return packets
	}
	random := rand.New(rand.NewPCG(1, 2))
	tests := []struct {
		name    string
		packets []arrival
		silent  int // at most
	}{
		{"20 ms", paced(16000, 160), 0},
		{"10 ms", paced(16000, 80), 0},
		{"30 ms", paced(16080, 240), 0},
		{"60 ms", paced(16320, 480), 0},
		{"late by up to 40 ms", late(paced(16000, 160), func(int) time.Duration {
			return time.Duration(random.IntN(int(40 * time.Millisecond)))
		}), 0},
		{"out of order", late(paced(16000, 160), func(i int) time.Duration {
			return time.Duration(i%3) * 15 * time.Millisecond
		}), 0},
		{"twice", slices.Concat(paced(16000, 160), paced(16000, 160)), 0},
		{"twice, and late", slices.Concat(paced(16000, 160),
			late(paced(16000, 160), func(int) time.Duration { return 70 * time.Millisecond })), 0},
		{"one of twenty is lost", slices.DeleteFunc(paced(16000, 160), func(a arrival) bool {
			return a.timestamp%3200 == 1600
		}), 5 * 160},
		{"timestamps begin anew", paced(16000, 160), 0},
	}
	for i := range tests[len(tests)-1].packets {
		tests[len(tests)-1].packets[i].timestamp += 1<<32 - 8000 // and so the counting
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			// It begins in the middle: whatever was there before has no part in it.
			heard := hear(tt.packets, 500*time.Millisecond, 1900*time.Millisecond)
			at, silent := breaks(heard)
			if tt.name == "timestamps begin anew" {
				at = nil // where the counting does
			}
			if len(at) > 0 || silent > tt.silent {
				t.Errorf("got breaks at %v and %d silent samples, want none and %d", at, silent, tt.silent)
			}
		})
	}
}

func TestWhatIsHeardIs40To60MillisecondsOld(t *testing.T) {
	for _, size := range []int{80, 160, 240, 480} {
		heard := hear(paced(16000, size), time.Second, time.Second)
		// The last sample of the frame was said so long before.
		said := duration(int64(heard[len(heard)-1]))
		behind := time.Second - said - duration(int64(size)) // a packet waits until it is full
		if behind < 40*time.Millisecond || behind > 60*time.Millisecond {
			t.Errorf("packets of %d samples are heard after %v, want 40 to 60 ms", size, behind)
		}
	}
}

func TestSilenceIsKeptWhereThePeerSuppressesIt(t *testing.T) {
	// It says nothing for a second; its timestamps go on.
	packets := append(paced(4000, 160), paced(4000, 160)...)
	for i := 25; i < len(packets); i++ {
		packets[i].timestamp += 12000
		packets[i].at += 1500 * time.Millisecond
	}
	heard := hear(packets, 200*time.Millisecond, 2*time.Second)
	silent := 0
	for _, s := range heard {
		if s == 0 {
			silent++
		}
	}
	if want := 8000; silent < want-200 || silent > want+200 {
		t.Errorf("got %d silent samples, want about %d", silent, want)
	}
}

func TestTheBufferFindsItsWayAgain(t *testing.T) {
	begin := 300 * time.Millisecond
	tests := []struct {
		name  string
		shift func(i int, a *arrival) // of packets from the 50th on, at 1 s
	}{
		{"timestamps stand still over a silence", func(_ int, a *arrival) { a.at += 3 * time.Second }},
		{"timestamps jump", func(_ int, a *arrival) { a.timestamp += 1 << 30 }},
		{"timestamps jump back", func(_ int, a *arrival) { a.timestamp -= 1 << 30 }},
		{"another stream", func(_ int, a *arrival) { a.ssrc, a.timestamp = 7, a.timestamp+999 }},
		{"the way gets longer", func(_ int, a *arrival) { a.at += 120 * time.Millisecond }},
		{"the way gets shorter", func(_ int, a *arrival) { a.at -= 120 * time.Millisecond }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			packets := paced(32000, 160)
			for i := 50; i < len(packets); i++ {
				tt.shift(i, &packets[i])
			}
			last := packets[len(packets)-1].at - 100*time.Millisecond
			heard := hear(packets, begin, last)
			at, silent := breaks(heard[len(heard)-8000:]) // of the last second
			if len(at) > 0 || silent > 0 {
				t.Errorf("got breaks at %v and %d silent samples at the end, want none", at, silent)
			}
		})
	}
}

func TestClocksMayDrift(t *testing.T) {
	// For ten minutes the peer's clock is slower or faster by 0.03 %: 18 ms in a minute.
	for _, drift := range []float64{-0.0003, 0.0003} {
		packets := paced(600*8000, 160)
		for i := range packets {
			packets[i].at += time.Duration(drift * float64(packets[i].at))
		}
		heard := hear(packets, time.Second, 590*time.Second)
		if _, silent := breaks(heard); silent > 30*80 {
			t.Errorf("got %d silent samples, want some in each minute", silent)
		}
	}
}

func TestNothingIsHeardBeforeAnythingIsSaid(t *testing.T) {
	heard := hear(nil, 0, time.Second)
	if _, silent := breaks(heard); silent != len(heard) {
		t.Errorf("got %d silent samples of %d, want all", silent, len(heard))
	}
}

func TestABufferThatIsNotReadDoesNotGrowOld(t *testing.T) {
	// A recording begins after an hour in which the peer has talked.
	packets := paced(3600*8000, 160)
	heard := hear(packets, 3599*time.Second, 3599*time.Second+500*time.Millisecond)
	if at, silent := breaks(heard); len(at) > 0 || silent > 0 {
		t.Errorf("got breaks at %v and %d silent samples, want none", at, silent)
	}
}

func TestPositionsAreTimes(t *testing.T) {
	for _, d := range []time.Duration{0, 125 * time.Microsecond, -time.Second, 365 * 24 * time.Hour} {
		if got := duration(position(d)); got != d {
			t.Errorf("got %v, want %v", got, d)
		}
	}
}
