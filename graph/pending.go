package graph

import "sync"

// pendingAnswer is what a request of a client ties together until it is answered: the notifications
// that wait for the answer, and the place among its application's calls that was taken for a call
// which is to be made. Afterwards it ties nothing, and neither does a nil one.
type pendingAnswer struct {
	handler *Handler

	mu       sync.Mutex // guards everything below
	over     bool
	place    string   // the application that has it; empty if there is none
	releases []func() // of the outboxes that wait for the answer
}

// hold has the notifications of a call wait until the request is answered.
func (p *pendingAnswer) hold(c *Call) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.over {
		p.releases = append(p.releases, c.out.hold())
	}
}

// holds reports whether there are any.
func (p *pendingAnswer) holds() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.releases) > 0
}

// answered releases them.
func (p *pendingAnswer) answered() {
	p.mu.Lock()
	releases := p.releases
	p.over, p.releases = true, nil
	p.mu.Unlock()
	for _, release := range releases {
		release()
	}
}

// openPlace takes a place for a call that is to be made. It reports whether the application may
// have one more.
func (p *pendingAnswer) openPlace(application string) bool {
	if !p.handler.accounts.openCall(application) {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.place = application
	return true
}

// takePlace gives the place to a call of the application. It reports whether there was one.
func (p *pendingAnswer) takePlace(application string) bool {
	if p == nil {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.place != application {
		return false
	}
	p.place = ""
	return true
}

// leavePlace gives the place up, if no call has it.
func (p *pendingAnswer) leavePlace(application string) {
	if p.takePlace(application) {
		p.handler.accounts.closeCall(application)
	}
}
