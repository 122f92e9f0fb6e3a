package graph

import "sync"

// request is what a request of a client ties together until it is answered: the notifications that
// wait for the answer, and the place among its application's calls that was taken for a call which
// is to be made. Once it is answered it ties nothing. A nil request ties nothing.
type request struct {
	handler *Handler

	mu       sync.Mutex // guards everything below
	over     bool
	place    string   // the application that has it; empty if there is none
	releases []func() // of the outboxes that wait for the answer
}

// hold has the notifications of a call wait until the request is answered.
func (r *request) hold(c *Call) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.over {
		r.releases = append(r.releases, c.out.hold())
	}
}

// answered lets them go.
func (r *request) answered() {
	r.mu.Lock()
	releases := r.releases
	r.over, r.releases = true, nil
	r.mu.Unlock()
	for _, release := range releases {
		release()
	}
}

// openPlace takes a place for a call that is to be made. It reports whether the application may
// have one more.
func (r *request) openPlace(application string) bool {
	if !r.handler.accounts.openCall(application) {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.place = application
	return true
}

// takePlace gives the place to a call of the application. It reports whether there was one.
func (r *request) takePlace(application string) bool {
	if r == nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.place != application {
		return false
	}
	r.place = ""
	return true
}

// leavePlace gives the place up, if no call has it.
func (r *request) leavePlace(application string) {
	if r.takePlace(application) {
		r.handler.accounts.closeCall(application)
	}
}
