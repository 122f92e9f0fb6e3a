package graph

import (
	"errors"
	"fmt"
	"sync"

	"github.com/google/uuid"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/tone"
)

// Attachment is what the handler needs to know of a call of the platform's.
type Attachment struct {
	// Queue is the call's queue. It must have the handler among its observers: make it with
	// queue.WithObserver(handler).
	Queue *queue.Queue

	// Tones is the call's tone stream.
	Tones *tone.Stream

	// Application is the id of the application that owns the call, as Authenticate returns it.
	Application string

	// CallbackURI is where the application is notified. If the platform does not deliver itself it
	// must be an address that the Notifier takes.
	CallbackURI string

	// ID is the call's id on the wire. Default, and for the zero id: a random one.
	ID uuid.UUID

	// State is the one that the call has come to. Default, for the zero State: Establishing. The
	// application is notified of it.
	State State

	// Resource is what the call shows besides.
	Resource Resource
}

// Call is a call on the wire. Attach makes it, Detach ends it. It must not be copied; its methods
// are safe for concurrent use, and none waits.
type Call struct {
	handler *Handler
	given   Attachment // its State is the first one
	out     outbox
	history *history
	kept    int64 // bytes that are kept for it; guarded by handler.accounts.mu
	failing bool  // the last notification could not be delivered; for the outbox's goroutine

	mu       sync.Mutex // guards everything below
	state    State      // the last one set
	tones    *tone.Handler
	result   *ResultInfo // of a call that was detached
	hangUp   bool        // a client has asked for it
	quiet    bool        // its queue has told its last event
	finished bool        // its last notification was put
}

// ConversationEnded is the result of a call that ended as calls do.
func ConversationEnded() ResultInfo {
	return ResultInfo{Code: 200, Subcode: 5001, Message: "The conversation has ended."}
}

// Attach puts a call of the platform's on the wire, until Detach. Its application is notified of
// its state, then of every operation's end. A call that a client asked for is attached with
// [NewCall.Attach].
//
// Errors: [ErrAttached], [ErrShutDown], queue.ErrClosed, and errors that name what is wrong. With
// an error nothing was attached.
func (h *Handler) Attach(a Attachment) (*Call, error) { return h.attach(a, nil) }

// Attach is [Handler.Attach] for the call that the client asked for: nothing is told of the call
// before the client has its answer.
func (n NewCall) Attach(a Attachment) (*Call, error) {
	if n.pending == nil {
		return nil, errors.New("graph: Attach: a NewCall that CreateCall did not get")
	}
	return n.pending.handler.attach(a, n.pending)
}

// attach puts a call on the wire, by a request that is pending or by none.
func (h *Handler) attach(a Attachment, by *pendingAnswer) (*Call, error) {
	if err := h.complete(&a); err != nil {
		return nil, fmt.Errorf("graph: Attach: %w", err)
	}
	c := &Call{handler: h, given: a, state: a.State}
	c.out.init(h.config.outbox, c.send, func(busy bool) { h.drain.note(c, busy) }, c.over)

	h.mu.Lock() // held until what lives is in the history: only then is the call observed
	defer h.mu.Unlock()
	switch {
	case h.shut:
		return nil, ErrShutDown
	case h.calls[a.ID] != nil, h.observed[a.Queue] != nil:
		return nil, ErrAttached
	}
	now := a.Queue.Snapshot()
	if now.Closed {
		return nil, queue.ErrClosed
	}
	c.history = h.retention.newHistory(a.Application)
	if now.Running != nil {
		c.history.add(now.Running, nil)
	}
	for _, op := range now.Waiting {
		c.history.add(op, nil)
	}
	h.calls[a.ID], h.observed[a.Queue] = c, c
	if !by.takePlace(a.Application) {
		h.accounts.adoptCall(a.Application)
	}
	by.hold(c)
	c.out.enqueue(pendingNotification{state: c.state}, false)
	return c, nil
}

// complete checks an attachment and fills in what may be left out.
func (h *Handler) complete(a *Attachment) error {
	switch {
	case a.Queue == nil:
		return errors.New("nil Queue")
	case a.Tones == nil:
		return errors.New("nil Tones")
	case a.Application == "":
		return errors.New("empty Application")
	case !a.Queue.ObservedBy(h):
		return errors.New("the Queue was not made with queue.WithObserver(handler)")
	}
	if err := h.checkCallback(a.CallbackURI); err != nil {
		return err
	}
	if a.State.Call == "" {
		a.State.Call = Establishing
	}
	if err := a.State.check(); err != nil {
		return err
	}
	for _, id := range []*string{&a.Resource.CallChainID, &a.Resource.MyParticipantID} {
		if *id == "" {
			*id = uuid.NewString()
		}
	}
	if a.ID == uuid.Nil {
		a.ID = uuid.New()
	}
	return nil
}

func (s State) check() error {
	if !s.Call.valid() {
		return fmt.Errorf("state %q, must be one of %q", s.Call, callStates[:len(callStates)-1])
	}
	if !s.Audio.valid() {
		return fmt.Errorf("audio %q, must be active, inactive, or empty", s.Audio)
	}
	return nil
}

// ID returns the call's id on the wire.
func (c *Call) ID() uuid.UUID { return c.given.ID }

// Application returns the id of the application that owns the call.
func (c *Call) Application() string { return c.given.Application }

// Queue returns the call's queue.
func (c *Call) Queue() *queue.Queue { return c.given.Queue }

// Tones returns the call's tone stream.
func (c *Call) Tones() *tone.Stream { return c.given.Tones }

// State returns what the call is doing: Terminated once it was detached.
func (c *Call) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.result != nil {
		return State{Call: Terminated}
	}
	return c.state
}

// SetState says what the call is doing now; the application is notified if that is something new.
// Media can be asked for from Established on. It is [ErrDetached] after Detach, and an error that
// names the state if there is no such one; Terminated is for Detach to set.
func (c *Call) SetState(s State) error {
	if err := s.check(); err != nil {
		return fmt.Errorf("graph: SetState: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.result != nil {
		return ErrDetached
	}
	if s != c.state {
		c.state = s
		c.out.enqueue(pendingNotification{state: s}, false)
	}
	return nil
}

// Detach takes the call off the wire: from now on there is no such call for a client. It closes the
// queue and ends the tone stream, where the platform has not done so with a cause of its own.
// The application is notified of every operation's end, with the partial recording of a record
// that the call's end broke off, of the tones that were pressed before, and then, as the last, that
// the call is terminated with this result; for the zero result with [ConversationEnded]. Detach
// does not wait for that; Handler.Shutdown does. To detach it again is [ErrDetached] and does
// nothing.
func (c *Call) Detach(r ResultInfo) error {
	if r == (ResultInfo{}) {
		r = ConversationEnded()
	}
	c.mu.Lock()
	if c.result != nil {
		c.mu.Unlock()
		return ErrDetached
	}
	c.result = &r
	tones := c.tones
	c.mu.Unlock()

	c.handler.hide(c)
	c.given.Queue.Close(nil)
	c.given.Tones.End()
	if tones == nil {
		c.finish()
		return nil
	}
	go func() { // there is something to tell, and this waits until it was put
		<-tones.Done()
		c.finish()
	}()
	return nil
}

// finish puts the last notification, once the call is detached and everything else was put.
func (c *Call) finish() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.result == nil || !c.quiet || c.finished || c.tones != nil && !isClosed(c.tones.Done()) {
		return
	}
	c.finished = true
	c.history.close(c.given.Application)
	c.out.enqueue(pendingNotification{state: State{Call: Terminated}, result: c.result}, false)
	c.handler.forget(c)
}

// reserve reports whether so many bytes more may be kept for the call, and counts them.
func (c *Call) reserve(bytes int64) bool {
	return c.handler.accounts.reserve(c.given.Application, &c.kept, bytes)
}

// release takes back what was reserved.
func (c *Call) release(bytes int64) {
	c.handler.accounts.release(c.given.Application, &c.kept, bytes)
}

// over is told when everything of the call was told, or given up.
func (c *Call) over() { c.handler.accounts.closeCall(c.given.Application) }

// observe is told what happens in the call's queue, on a goroutine of the queue's. It may wait for
// room in the outbox.
func (c *Call) observe(e queue.Event) {
	switch e.Kind {
	case queue.Accepted:
		reg, _ := e.Operation.Value().(*registration)
		c.release(c.history.add(e.Operation, reg))
	case queue.Started:
	case queue.Ended:
		if cost, found := c.history.end(e.Operation); found {
			c.tellEnd(e, cost)
		}
	case queue.Released:
		c.out.settle(e.Operation, e.Result.Recording)
	case queue.Closed:
		c.out.settle(nil, operation.Recording{})
		c.mu.Lock()
		c.quiet = true
		c.mu.Unlock()
		c.finish()
	}
}

// tellEnd puts the notification of an operation's end, and keeps of what was reserved for the
// operation as much as the notification takes.
func (c *Call) tellEnd(e queue.Event, reserved int64) {
	n := pendingNotification{change: ended(c.given.ID, e.Operation, e.Result.Recording)}
	if c.awaitsRecording(e) {
		n.awaits = e.Operation
	}
	if reserved > 0 {
		n.cost = noticeCost + int64(len(e.Operation.ClientContext()))
	}
	c.release(reserved - n.cost)
	if !c.out.enqueue(n, true) {
		c.release(n.cost)
	}
}

// awaitsRecording reports whether an ended operation is a record that the end of the call broke
// off. What it recorded comes with Released; if Released never comes, Closed does.
func (c *Call) awaitsRecording(e queue.Event) bool {
	return kindOf(e.Operation) == operation.KindRecordResponse &&
		(e.Result.Reason == operation.CallEnded || e.Result.Reason == operation.ShutDown) &&
		e.Result.Recording == operation.Recording{} && !e.Operation.Times().Started.IsZero() &&
		c.given.Queue.Snapshot().Closed
}

// subscribe has the tones told that are pressed from now on, if that is not so already.
func (c *Call) subscribe() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.result != nil {
		return ErrDetached
	}
	if c.tones != nil {
		return nil
	}
	s, err := c.given.Tones.Handle(tone.All, func(e tone.Event) {
		c.mu.Lock()
		state := c.state
		c.mu.Unlock()
		c.out.enqueue(pendingNotification{state: state, sequence: e.Seq, tone: e.Tone}, true)
	})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDetached, err)
	}
	c.tones = s
	return nil
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// current returns the state with its version.
func (c *Call) current() (State, uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state, c.out.currentVersion()
}

// beginHangUp reports whether the platform is to be asked to hang up: a client wants it, and none
// has before.
func (c *Call) beginHangUp() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.hangUp || c.result != nil {
		return false
	}
	c.hangUp = true
	if c.state.Call != Terminating {
		c.state.Call = Terminating
		c.out.enqueue(pendingNotification{state: c.state}, false)
	}
	return true
}

// hangUpFailed lets another client try.
func (c *Call) hangUpFailed() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hangUp = false
}

// render writes a notification out.
func (c *Call) render(n *pendingNotification) notification {
	if n.change != nil {
		return notification{typePrefix + "commsNotification", "deleted", n.change.ODataID, n.change}
	}
	url := callURL(c.given.ID)
	change := &callChange{
		Type: typePrefix + "call", ODataID: url, ETag: etag(n.version), State: n.state.Call,
		MediaState: newMediaState(n.state.Audio),
	}
	what := "updated"
	switch {
	case n.result != nil:
		what = "deleted"
		change.ResultInfo = newResultInfo(*n.result)
	case n.sequence != 0:
		change.ToneInfo = &toneInfo{typePrefix + "toneInfo", n.sequence, n.tone}
	case n.state.Call == Incoming:
		what = "created"
	}
	return notification{typePrefix + "commsNotification", what, url, change}
}

// resource shows the call as it is, or as it was attached.
func (c *Call) resource(s State, base string) *callResource {
	r := &c.given.Resource
	v := &callResource{
		Type: typePrefix + "call", State: s.Call, Direction: r.Direction,
		CallbackURI: c.given.CallbackURI, CallChainID: r.CallChainID, Source: r.Source,
		Targets: r.Targets, RequestedModalities: r.RequestedModalities, MediaConfig: r.MediaConfig,
		MyParticipantID: r.MyParticipantID, ID: c.given.ID.String(),
		Context: base + "/$metadata#app/calls/$entity", Subject: orNull(r.Subject),
		MediaState: newMediaState(s.Audio),
	}
	if r.RingingTimeoutInSeconds != 0 {
		v.RingingTimeoutInSeconds = &r.RingingTimeoutInSeconds
	}
	return v
}
