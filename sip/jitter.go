package sip

import "time"

// What is heard is this much later than it came at the earliest, give or take the tolerance: 40 to
// 60 ms. A packet that was held up for less is heard in time.
const (
	jitterDelay     = 50 * time.Millisecond
	jitterTolerance = 10 * time.Millisecond
)

const (
	// ringSize is how many samples are kept, half a second: a power of two.
	ringSize = 4096

	// maxShift is how far a packet's time may be from that of those before it. One that is further
	// off is the first of a new stream: of a peer whose timestamps have jumped, or that stood still
	// over a silence.
	maxShift = 250 * time.Millisecond

	// transitWindow is for how long, at least, the fastest packet counts: the clocks of both ends
	// drift apart, by a few milliseconds in a minute.
	transitWindow = 5 * time.Second

	// maxLate is how many packets in a row may come too late to be heard before those that follow
	// are waited for.
	maxLate = 3
)

// jitter puts what the peer says into its time again. Samples lie in a ring by their timestamps, so
// packets may be of any length, come in any order, and twice; what did not come is silence. Where
// to read follows from when packets came, so that it does not matter whether, or since when,
// anybody reads.
type jitter struct {
	ring  [ringSize]int16
	known bool // there was a packet
	ssrc  uint32
	start time.Time // when the stream's first packet came
	first uint32    // its timestamp, which is position 0
	head  int64     // the position behind the newest sample

	// The transit is how much later than the first a packet came than its timestamp says: the least
	// of this window, and of the one before it.
	transit, transitBefore time.Duration
	window                 time.Time // when this one began

	reading bool // next and read are those of a frame before
	next    int64
	read    time.Time
	late    int // packets in a row
}

// put takes the samples of a packet that came now.
func (j *jitter) put(now time.Time, ssrc, timestamp uint32, samples []int16) {
	if len(samples) == 0 || len(samples) > ringSize {
		return
	}
	if !j.known || ssrc != j.ssrc {
		j.restart(now, ssrc, timestamp)
	}
	at := j.position(timestamp)
	transit := now.Sub(j.start) - duration(at)
	if shift := transit - j.fastest(); shift > maxShift || shift < -maxShift {
		j.restart(now, ssrc, timestamp)
		at, transit = 0, 0
	}
	j.measure(now, transit)
	j.notice(now, transit, at+int64(len(samples)))
	j.write(at, samples)
}

// restart begins a stream with the packet of this timestamp.
func (j *jitter) restart(now time.Time, ssrc, timestamp uint32) {
	j.known, j.ssrc, j.start, j.first = true, ssrc, now, timestamp
	j.head, j.reading, j.late = 0, false, 0
	j.transit, j.transitBefore, j.window = 0, 0, now
}

// position returns where a timestamp lies in the stream: timestamps begin anew after 2³², which
// are six days.
func (j *jitter) position(timestamp uint32) int64 {
	head := j.first + uint32(j.head)
	return j.head + int64(int32(timestamp-head))
}

func (j *jitter) fastest() time.Duration { return min(j.transit, j.transitBefore) }

func (j *jitter) measure(now time.Time, transit time.Duration) {
	switch age := now.Sub(j.window); {
	case age > 2*transitWindow:
		j.transit, j.transitBefore, j.window = transit, transit, now
	case age > transitWindow:
		j.transit, j.transitBefore, j.window = transit, j.transit, now
	default:
		j.transit = min(j.transit, transit)
	}
}

// notice has what follows waited for if packets keep coming too late: the way has become longer.
func (j *jitter) notice(now time.Time, transit time.Duration, end int64) {
	if !j.reading || end > j.next {
		j.late = 0
		return
	}
	if j.late++; j.late >= maxLate {
		j.transit, j.transitBefore, j.window = transit, transit, now
		j.reading, j.late = false, 0
	}
}

// write keeps the samples, and makes silence of what is missing before them.
func (j *jitter) write(at int64, samples []int16) {
	end := at + int64(len(samples))
	if at < 0 || end <= j.head-ringSize {
		return
	}
	for gap := max(j.head, at-ringSize); gap < at; gap++ {
		j.ring[gap%ringSize] = 0
	}
	for i, s := range samples {
		if at := at + int64(i); at >= j.head-ringSize {
			j.ring[at%ringSize] = s
		}
	}
	j.head = max(j.head, end)
}

// frame fills to with what is heard in the time before at.
func (j *jitter) frame(at time.Time, to []int16) {
	if !j.known {
		clear(to)
		return
	}
	length := int64(len(to))
	begin := position(at.Sub(j.start)-j.fastest()-jitterDelay) - length
	astray := duration(begin - j.next)
	if !j.reading || !at.Equal(j.read.Add(duration(length))) ||
		astray > jitterTolerance || astray < -jitterTolerance {
		j.next = begin
	}
	for i := range to {
		to[i] = 0
		if at := j.next + int64(i); at >= 0 && at < j.head && at >= j.head-ringSize {
			to[i] = j.ring[at%ringSize]
		}
	}
	j.reading, j.read, j.next = true, at, j.next+length
}

// duration returns how long so many samples last.
func duration(samples int64) time.Duration {
	return time.Duration(samples) * (time.Second / sampleRate) // a whole number of nanoseconds
}

// position returns how many whole samples fit into d, rounded down.
func position(d time.Duration) int64 {
	const perSample = time.Second / sampleRate // 125 µs
	n := int64(d / perSample)
	if d%perSample < 0 {
		n--
	}
	return n
}
