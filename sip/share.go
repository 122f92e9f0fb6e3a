package sip

import (
	"net/netip"
	"slices"
	"time"
)

// shares say how much of what there is a source has: the address that requests come from. A source
// may have as much as is free besides, so half at most, and whoever comes new finds something.
// Trunks, through which many call, may have all; where there are any, all others together have no
// more than one source would, so that half is left for trunks however many sources there are.
type shares struct {
	trunks []netip.Prefix
	taken  map[netip.Addr]int // by source, without trunks; under the zero address by all of them
}

func newShares(trunks []netip.Prefix) shares {
	return shares{trunks: trunks, taken: make(map[netip.Addr]int)}
}

// open reports whether a source may have one more when so much is free.
func (s *shares) open(source netip.Addr, free int) bool {
	switch {
	case s.isTrunk(source):
		return free > 0
	case len(s.trunks) > 0 && s.taken[netip.Addr{}] >= free:
		return false
	default:
		return s.taken[source] < free
	}
}

// add counts what a source has taken or, if it is negative, has given back.
func (s *shares) add(source netip.Addr, count int) {
	if s.isTrunk(source) {
		return
	}
	for _, of := range []netip.Addr{source, {}} {
		if s.taken[of] += count; s.taken[of] == 0 {
			delete(s.taken, of)
		}
	}
}

func (s *shares) isTrunk(source netip.Addr) bool {
	return slices.ContainsFunc(s.trunks, func(p netip.Prefix) bool { return p.Contains(source) })
}

// sharedBucket lets so many through in a second, of each source its share.
type sharedBucket struct {
	bucket

	shares shares
	since  time.Time // of what is counted
}

func newSharedBucket(rate int, trunks []netip.Prefix) sharedBucket {
	return sharedBucket{bucket: newBucket(rate), shares: newShares(trunks)}
}

// take takes so many at once, for a source.
func (b *sharedBucket) take(now time.Time, source netip.Addr, count int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now.Sub(b.since) >= time.Second {
		b.since = now
		clear(b.shares.taken)
	}
	n := b.fill(now, count)
	if b.left < float64(n) || !b.shares.open(source, int(b.left)) {
		return false
	}
	b.left -= float64(n)
	b.shares.add(source, n)
	return true
}
