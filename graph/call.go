package graph

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

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

	// ID is the call's id on the wire. Default, and for the zero id: one of [WithCallIDs].
	ID uuid.UUID

	// State is the one that the call has come to. Default, for the zero State: Establishing. The
	// application is notified of it.
	State State

	// Resource is what the call shows besides.
	Resource Resource

	// Value is the platform's own datum: it comes back with each [webhook.Delivery] and
	// [DeliveryFailure] of the call, and from [Call.Value]. Nothing here looks at it.
	Value any
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
	counts  deliveries
	debt    *debt         // nil without a ledger
	done    chan struct{} // closed when the last notification has gone

	acting chan struct{} // full while the platform does what a client asked of the call

	mu          sync.Mutex // guards everything below
	state       State      // the last one set
	established bool       // media can be asked for
	incoming    incoming
	muted       bool
	tones       *tone.Handler
	result      *ResultInfo // of a call that was detached
	hangUp      bool        // a client has asked for it
	introduced  bool        // the participants were sent with established
	quiet       bool        // its queue has delivered its last event
	finished    bool        // its last notification was put
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

// Attach is [Handler.Attach] for the call that the client asked for: no notification of the call is
// sent before the client has its answer. a needs n's Application.ID, CallbackURI and Resource too.
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
	c := &Call{
		handler: h, given: a, state: a.State, established: a.State.Call.established(true),
		acting: make(chan struct{}, 1), done: make(chan struct{}),
	}
	lost := func(dropped []pendingNotification) { c.discard(dropped, ErrShutDown) }
	c.out.init(h.config.outbox, c.send, lost, func(busy bool) { h.drain.note(c, busy) }, c.over)
	if h.config.ledger != nil {
		c.debt = &debt{call: c, ledger: h.config.ledger}
		c.out.debt = c.debt
	}

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
	c.history.debt = c.debt
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
	c.mu.Lock()
	defer c.mu.Unlock()
	c.notifyState()
	c.debt.described()
	if c.state.Call == Incoming {
		c.incoming.timer = time.AfterFunc(h.config.answerTimeout, c.expire)
	}
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
	if err := a.Resource.check(); err != nil {
		return err
	}
	for _, id := range []*string{&a.Resource.CallChainID, &a.Resource.MyParticipantID} {
		if *id == "" {
			*id = uuid.NewString()
		}
	}
	if a.ID == uuid.Nil {
		a.ID = h.config.newCallID()
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

// String names the call by its id, for logs: what is given to package fmt would be read without the
// lock otherwise.
func (c *Call) String() string { return "call " + c.given.ID.String() }

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

// mustBeEstablished returns an error of a call that media can't be asked for.
func (c *Call) mustBeEstablished() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.result != nil:
		return ErrDetached
	case !c.established:
		return errNotEstablished
	default:
		return nil
	}
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
	c.setState(s)
	return nil
}

// setState changes the state, and notifies the bot if it is another; c.mu is held.
func (c *Call) setState(s State) {
	if s == c.state {
		return
	}
	c.state, c.established = s, s.Call.established(c.established)
	if s.Call != Incoming {
		c.incoming.stop()
	}
	c.notifyState()
}

// notifyState puts the notification of the state, and with the first established that of the
// participants; c.mu is held.
func (c *Call) notifyState() {
	c.out.enqueue(pendingNotification{state: c.state}, false)
	if c.handler.config.roster && !c.introduced && c.state.Call == Established {
		c.introduced = true
		c.notifyRoster(0)
	}
}

// Detach takes the call off the wire: from now on there is no such call for a client. It closes the
// queue and ends the tone stream, where the platform has not done so with another cause.
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
	c.incoming.stop()
	tones := c.tones
	c.mu.Unlock()

	c.handler.hide(c)
	c.given.Queue.Close(nil)
	c.given.Tones.End()
	if tones == nil {
		c.finish()
		return nil
	}
	go func() { // notifications are to be put, and this waits for them
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

// over is called once, when everything of the call was delivered, or failed for good.
func (c *Call) over() {
	c.debt.close()
	c.handler.accounts.closeCall(c.given.Application)
	close(c.done)
}

// observe gets the events of the call's queue, on a goroutine of the queue's. It may wait for
// room in the outbox.
func (c *Call) observe(e queue.Event) {
	switch e.Kind {
	case queue.Accepted:
		reg, _ := e.Operation.Value().(*registration)
		c.release(c.history.add(e.Operation, reg))
	case queue.Started:
	case queue.Ended:
		if shown, cost, found := c.history.end(e.Operation); found {
			c.notifyEnd(e, shown.Outcome, cost)
		}
	case queue.Released:
		if c.out.holdsFor(e.Operation) {
			r := e.Result()
			outcome := c.handler.kinds.outcomeOf(kindOf(e.Operation), r)
			c.out.settle(e.Operation, r.Recording, outcome)
		}
	case queue.Late: // what a bot learns of it came with Released
	case queue.Closed:
		c.out.settle(nil, operation.Recording{}, nil)
		c.mu.Lock()
		c.quiet = true
		c.mu.Unlock()
		c.finish()
	}
}

// notifyEnd puts the notification of an operation's end, and keeps of what was reserved for the
// operation as much as the notification takes.
func (c *Call) notifyEnd(e queue.Event, outcome json.RawMessage, reserved int64) {
	url := operationURL(c.given.ID, e.Operation.ID(), c.handler.config.guids)
	n := pendingNotification{
		change: c.handler.kinds.ended(url, e.Operation, e.Result().Recording, outcome),
		owed:   c.owedNotice(e.Operation),
	}
	if c.awaitsMedia(e, outcome) {
		n.awaits = e.Operation
	}
	if reserved > 0 {
		n.cost = noticeCost + int64(len(e.Operation.ClientContext())+len(outcome))
	}
	c.release(reserved - n.cost)
	c.out.enqueue(n, true)
}

// awaitsMedia reports whether an ended operation is one that the end of the call broke off before
// its media had given the recording, or the outcome, that its kind has. It comes with Released; if
// Released never comes, Closed does.
func (c *Call) awaitsMedia(e queue.Event, outcome json.RawMessage) bool {
	r, kind := e.Result(), kindOf(e.Operation)
	own := c.handler.kinds.of(kind)
	return (kind == operation.KindRecordResponse && r.Recording == operation.Recording{} ||
		own != nil && own.Outcome != nil && outcome == nil) &&
		(r.Reason == operation.CallEnded || r.Reason == operation.ShutDown) &&
		!e.Operation.Times().Started.IsZero() && c.given.Queue.Snapshot().Closed
}

// subscribe has the tones notified that are pressed from now on, if that is not so already.
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
	c.setState(State{Call: Terminating, Audio: c.state.Audio})
	return true
}

// hangUpFailed lets another client try. A call that came in, and is not decided, has
// the time to be decided on once more, and ends with it.
func (c *Call) hangUpFailed() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hangUp = false
	if c.given.State.Call == Incoming && !c.established && !c.incoming.decided && c.result == nil {
		c.incoming.stop()
		c.incoming.timer = time.AfterFunc(c.handler.config.answerTimeout, c.expire)
	}
}

// render writes a notification out.
func (c *Call) render(n *pendingNotification) notification {
	r := &c.given.Resource
	switch {
	case n.change != nil:
		return endOfOperation(c.given.ID, n.change)
	case n.result != nil:
		return endOfCall(c.given.ID, r.Direction, c.callback(), n.version, n.result)
	}
	v, change := noticeOfCall(c.given.ID, r.Direction, c.callback(), n.version, n.state)
	if n.roster != nil {
		v.ResourceURL, v.Resource = v.ResourceURL+"/participants", v.Resource+"/participants"
		v.ResourceData = c.participants(*n.roster)
		return v
	}
	switch {
	case n.sequence != 0:
		change.ToneInfo = &toneInfo{typePrefix + "toneInfo", n.sequence, n.tone}
		return v
	case n.state.Call == Incoming:
		v.ChangeType = "created"
		change.Source, change.Targets = r.Source, r.Targets
		change.RequestedModalities = r.RequestedModalities
	}
	// With states alone: there are few of them, so these may be long.
	change.ChatInfo, change.MeetingInfo = r.ChatInfo, r.MeetingInfo
	return v
}

// noticeOfCall is a notification of a call itself, and what it shows of the call.
func noticeOfCall(
	id uuid.UUID, direction, callback string, version uint64, s State,
) (notification, *callChange) {
	change := &callChange{
		Type: typePrefix + "call", ODataID: callURL(id), ETag: etag(version), ID: id.String(),
		State: s.Call, Direction: direction, MediaState: newMediaState(s.Audio),
	}
	return notification{
		Type: typePrefix + "commsNotification", ChangeType: "updated", ResourceURL: callURL(id),
		Resource: "/app/calls/" + id.String(), CallbackURI: callback, ResourceData: change,
	}, change
}

// endOfCall is the last notification of a call.
func endOfCall(
	id uuid.UUID, direction, callback string, version uint64, r *ResultInfo,
) notification {
	v, change := noticeOfCall(id, direction, callback, version, State{Call: Terminated})
	v.ChangeType = "deleted"
	change.ResultInfo = newResultInfo(*r)
	return v
}

// endOfOperation is the notification of an operation's end.
func endOfOperation(id uuid.UUID, change *operationChange) notification {
	return notification{
		Type: typePrefix + "commsNotification", ChangeType: "deleted", ResourceURL: change.ODataID,
		Resource:     "/app/calls/" + id.String() + "/operations/" + change.ID,
		ResourceData: change,
	}
}

// callURL is the resourceUrl of a call.
func callURL(id uuid.UUID) string { return "/communications/calls/" + id.String() }

// operationURL is the resourceUrl of an operation of a call.
func operationURL(call, id uuid.UUID, guids bool) string {
	if guids {
		return callURL(call) + "/operations/" + id.String()
	}
	return "/communications/calls/" + dashless(call) + "/operations/" + dashless(id)
}

// resource shows the call as it is, or as it was attached.
func (c *Call) resource(s State, base string) *callResource {
	r := &c.given.Resource
	v := &callResource{
		Type: typePrefix + "call", State: s.Call, Direction: orNull(r.Direction),
		CallbackURI: c.callback(), CallChainID: r.CallChainID, Source: jsonOr(r.Source, "null"),
		Targets:             jsonOr(r.Targets, "[]"),
		RequestedModalities: append([]string{}, r.RequestedModalities...),
		MediaConfig:         jsonOr(c.mediaConfig(), "null"), MyParticipantID: r.MyParticipantID,
		ID: c.given.ID.String(), Context: base + "/$metadata#app/calls/$entity",
		Subject: orNull(r.Subject), MediaState: newMediaState(s.Audio),
		ChatInfo: jsonOr(r.ChatInfo, "null"), MeetingInfo: jsonOr(r.MeetingInfo, "null"),
		TenantID: r.TenantID,
	}
	if r.RingingTimeoutInSeconds != 0 {
		v.RingingTimeoutInSeconds = &r.RingingTimeoutInSeconds
	}
	return v
}

// jsonOr returns a JSON text, or another one in the place of none.
func jsonOr(text json.RawMessage, other string) json.RawMessage {
	if len(text) == 0 {
		return json.RawMessage(other)
	}
	return text
}
