package graph

import (
	"sync"
	"time"
)

// accounts bound what each application may have and do: calls, requests per second, and bytes that
// are kept for it. An application without any of them has no account.
type accounts struct {
	maxCalls    int   // of one application; 0: no limit
	maxRequests int   // of one application in a second; 0: no limit
	maxBytes    int64 // of one application; 0: no limit
	maxPerCall  int64 // bytes of one call; 0: no limit

	mu    sync.Mutex // guards everything below, and the accounts
	byID  map[string]*account
	swept int // how many accounts the last sweep left
}

// account is what one application has at the moment.
type account struct {
	calls int   // that live, are being made, or whose end is not delivered yet
	bytes int64 // that are kept for it
	pace  pace
}

// of returns the application's account. Accounts are made as applications come; those of
// applications that have gone are removed when there are twice as many as were left the last time.
func (a *accounts) of(application string, now time.Time) *account {
	if acc := a.byID[application]; acc != nil {
		return acc
	}
	if len(a.byID) >= 2*a.swept+16 {
		for id, acc := range a.byID {
			if acc.calls == 0 && acc.bytes == 0 && acc.pace.rested(now) {
				delete(a.byID, id)
			}
		}
		a.swept = len(a.byID)
	}
	if a.byID == nil {
		a.byID = make(map[string]*account)
	}
	acc := new(account)
	a.byID[application] = acc
	return acc
}

// request counts a request. It returns how long the application should wait with it: zero if the
// request may pass.
func (a *accounts) request(application string, now time.Time) time.Duration {
	if a.maxRequests == 0 {
		return 0
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.of(application, now).pace.next(a.maxRequests, now)
}

// openCall counts a call that is to be made, and reports whether the application may have it.
func (a *accounts) openCall(application string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	acc := a.of(application, time.Now())
	if a.maxCalls > 0 && acc.calls >= a.maxCalls {
		return false
	}
	acc.calls++
	return true
}

// adoptCall counts a call that the platform brings. It is not refused: it is there.
func (a *accounts) adoptCall(application string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.of(application, time.Now()).calls++
}

func (a *accounts) closeCall(application string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.of(application, time.Now()).calls--
}

// reserve counts bytes that are to be kept for a call, which has kept what is given already. It
// reports whether they may be.
func (a *accounts) reserve(application string, kept *int64, bytes int64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	acc := a.of(application, time.Now())
	if a.maxPerCall > 0 && *kept+bytes > a.maxPerCall ||
		a.maxBytes > 0 && acc.bytes+bytes > a.maxBytes {
		return false
	}
	*kept += bytes
	acc.bytes += bytes
	return true
}

// release takes back what was reserved.
func (a *accounts) release(application string, kept *int64, bytes int64) {
	if bytes == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	*kept -= bytes
	a.of(application, time.Now()).bytes -= bytes
}

// pace is a token bucket: so many requests a second, and at most those of one second at once. Its
// zero value is full.
type pace struct{ due time.Time } // when it is full again

// next takes a token. It returns how long it takes until there is one: zero if it was there.
func (p *pace) next(perSecond int, now time.Time) time.Duration {
	each := time.Second / time.Duration(perSecond)
	due := p.due
	if due.Before(now) {
		due = now
	}
	if wait := due.Sub(now) - (time.Second - each); wait > 0 {
		return wait
	}
	p.due = due.Add(each)
	return 0
}

// rested reports whether the bucket is full.
func (p *pace) rested(now time.Time) bool { return !p.due.After(now) }
