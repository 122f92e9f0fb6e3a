package bench

import (
	"sync"
	"time"

	"ivrqueue/tone"
)

// Keypad is a call whose tones somebody has subscribed to. To press a key publishes it, takes it
// with every subscription, and returns how many had it.
type Keypad func(tone.Tone) int

// Keys is our tone stream.
func Keys(subscribers int) Keypad {
	stream := new(tone.Stream)
	subs := make([]*tone.Subscription, subscribers)
	for i := range subs {
		subs[i] = stream.Subscribe()
	}
	return func(t tone.Tone) (got int) {
		if _, err := stream.Publish(t); err != nil {
			panic(err)
		}
		for _, sub := range subs {
			if _, ok := sub.TryNext(); ok {
				got++
			}
		}
		return got
	}
}

// ChanKeys is what one writes by hand: a buffered channel for each subscription, and a publisher
// that drops the newest tone of one that is full, without telling how many.
func ChanKeys(subscribers int) Keypad {
	var mu sync.Mutex // guards seq
	var seq uint64
	subs := make([]chan tone.Event, subscribers)
	for i := range subs {
		subs[i] = make(chan tone.Event, 256)
	}
	return func(t tone.Tone) (got int) {
		mu.Lock()
		seq++
		e := tone.Event{Seq: seq, Time: time.Now(), Tone: t}
		for _, sub := range subs {
			select {
			case sub <- e:
			default:
			}
		}
		mu.Unlock()
		for _, sub := range subs {
			select {
			case <-sub:
				got++
			default:
			}
		}
		return got
	}
}

// BaselineKeys is the least: a lock, a clock read and a store for the tone, and a lock and a load
// for each subscription.
func BaselineKeys(subscribers int) Keypad {
	var mu sync.Mutex // guards last
	var last tone.Event
	return func(t tone.Tone) (got int) {
		mu.Lock()
		last = tone.Event{Seq: last.Seq + 1, Time: time.Now(), Tone: t}
		mu.Unlock()
		for range subscribers {
			mu.Lock()
			if e := last; e.Tone == t {
				got++
			}
			mu.Unlock()
		}
		return got
	}
}
