package service

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"ivrqueue/graph"
	"ivrqueue/inspect"
	"ivrqueue/media"
	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/sip"
	"ivrqueue/tone"
)

// What is kept of what callers hear, with Dev: of so many calls at once, and of each the first 10
// minutes, which are 18 MiB.
const (
	HeardCalls = 20
	HeardMax   = 10 * time.Minute
)

// call is a call of the service's.
type call struct {
	service *Service
	id      uuid.UUID
	owner   string        // id of the application
	cameIn  bool          // the caller has called
	taken   chan struct{} // closed when the bot's answer was, for a telephone that has called
	queue   *queue.Queue
	tones   *tone.Stream
	media   *media.Media
	line    line
	phone   *media.Phone // who plays the caller; nil if a telephone is there
	sip     *sip.Call    // the telephone's; nil if there is none
	log     *slog.Logger

	shown    *inspect.Call // nil if it is not shown
	listened bool          // what the phone hears is kept
	muted    atomic.Bool   // the bot is

	mu         sync.Mutex       // guards the block below
	planned    graph.ResultInfo // of a telephone that is sent away; zero if it is not
	base       string           // of the URIs that its bot is given
	wire       *graph.Call      // nil before it is attached
	ended      bool
	timer      *time.Timer // of the next state
	recordings []uuid.UUID
	closed     bool // the queue has delivered its last event
}

// create makes a call for an application: see graph.Platform.
func (s *Service) create(ctx context.Context, n graph.NewCall) (*graph.Call, error) {
	if err := needsAudio("requestedModalities", n.Resource.RequestedModalities); err != nil {
		return nil, err
	}
	a := graph.Attachment{
		Application: n.Application.ID, CallbackURI: n.CallbackURI, Resource: n.Resource,
	}
	if s.agent != nil {
		number, err := numberIn(n.Resource.Targets)
		switch {
		case err != nil:
			return nil, err
		case number != "":
			return s.dial(ctx, number, n.Attach, a)
		}
	}
	c, err := s.newCall(ctx, n.Attach, a, nil)
	if err != nil {
		return nil, err
	}
	c.after(s.options.Establish, c.establish)
	return c.wire, nil
}

// attach is how a call gets on the wire.
type attach func(graph.Attachment) (*graph.Call, error)

// newCall makes a call, with a telephone or, if that is nil, with one who plays the caller, and
// attaches it.
func (s *Service) newCall(
	ctx context.Context, attach attach, a graph.Attachment, telephone *sip.Call,
) (*call, error) {
	id, err := s.newCallID()
	if err != nil {
		return nil, graph.ErrUnavailable
	}
	c := &call{
		service: s, id: id, owner: a.Application, cameIn: a.State.Call == graph.Incoming,
		taken: make(chan struct{}),
		log:   s.options.Logger.With(slog.String("call", id.String())),
	}
	c.findBase(ctx)
	codec := c.connect(telephone)
	prompts := s.library.For(a.Application)
	c.media, err = s.engine.Media(media.Call{
		Codec: codec, Sink: hearing{c}, Source: c.line,
		Prompts: prompts, Budget: prompts.Budget,
		Folder: s.options.Folder, Publish: c.publish, Tones: c.tones,
	})
	if err != nil {
		return nil, err
	}
	c.queue, err = queue.New(id.String(), c.media, s.queues, queue.WithObserver(c))
	if err != nil {
		return nil, err
	}
	if _, err = c.tones.Handle(tone.All, s.telemetry.observer.Tone); err != nil {
		c.queue.Close(nil)
		return nil, err
	}
	// Known before it is attached: a shutdown must find every call that there is.
	if !s.add(c) {
		c.queue.Close(nil)
		return nil, graph.ErrUnavailable
	}
	s.inspected(c, &a.Resource)
	a.Queue, a.Tones, a.ID = c.queue, c.tones, id
	wire, err := attach(a)
	switch {
	case errors.Is(err, queue.ErrClosed): // by a shutdown
		return nil, graph.ErrUnavailable
	case err != nil:
		c.queue.Close(nil)
		return nil, err
	}
	c.log.Info("call created", slog.String("application", a.Application))
	c.attached(wire)
	return c, nil
}

// newCallID returns the id of a new call.
func (s *Service) newCallID() (uuid.UUID, error) {
	if s.options.Cluster != nil {
		return s.options.Cluster.NewCallID()
	}
	return uuid.New(), nil
}

// findBase takes the base of the URIs that the bot is given from a request of its. A call that came
// in has none until the bot answers.
func (c *call) findBase(ctx context.Context) {
	from, _ := ctx.Value(clientKey{}).(client)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.base = cmp.Or(from.base, c.service.options.BaseURL, c.service.options.Address)
}

// line is what the caller hears with and says.
type line interface {
	media.Sink
	media.Source
}

// connect gives the call its line and its keys, and returns the line's codec.
func (c *call) connect(telephone *sip.Call) media.Codec {
	if telephone != nil {
		c.sip, c.line, c.tones = telephone, telephone.Line(), telephone.Tones()
		c.log = c.log.With(slog.String("sip", shown(telephone.ID())))
		return sip.Codec
	}
	c.phone, c.tones = media.NewPhone(), new(tone.Stream)
	c.phone.Keep(0)
	c.line = c.phone
	return media.Codec{}
}

// hearing is what the caller hears: nothing while the bot is muted, nor from a node that may not
// act for the call any more.
type hearing struct{ c *call }

func (h hearing) WriteFrame(at time.Time, frame []int16) error {
	cluster := h.c.service.options.Cluster
	if h.c.muted.Load() || cluster != nil && !cluster.Holds(h.c.id) {
		return nil
	}
	return h.c.line.WriteFrame(at, frame)
}

// attached makes the call whole; if it was ended meanwhile, its bot is notified now.
func (c *call) attached(wire *graph.Call) {
	c.mu.Lock()
	first := c.wire == nil
	if first {
		c.wire = wire
	}
	over := c.ended
	c.mu.Unlock()
	if first && over {
		_ = wire.Detach(shutDown())
	}
}

// callOf returns the call that graph asks something for; nil if it has ended, and its bot is being
// notified. A bot may do something with a call that comes in before Attach has returned it here.
func (s *Service) callOf(g *graph.Call) *call {
	c := s.find(g.ID())
	if c != nil {
		c.attached(g)
	}
	return c
}

// setState has the bot notified of a state of the call.
func (c *call) setState(state graph.State) error {
	c.mu.Lock()
	wire := c.wire
	c.mu.Unlock()
	return wire.SetState(state)
}

// establish makes the caller pick up.
func (c *call) establish() {
	if c.setState(graph.State{Call: graph.Established}) == nil {
		c.log.Info("call established")
		c.shown.Note("established")
		c.after(c.service.options.Audio, c.activate)
	}
}

// activate makes the caller heard, and hear.
func (c *call) activate() {
	if c.setState(graph.State{Call: graph.Established, Audio: graph.Active}) != nil {
		return
	}
	c.shown.Note("audio is active")
	if c.phone != nil {
		c.phone.Say(c.service.options.Caller)
	}
}

// after calls f after some time, unless the call has ended by then; at once for none.
func (c *call) after(d time.Duration, f func()) {
	if d == 0 {
		f()
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ended {
		c.timer = time.AfterFunc(d, f)
	}
}

// publish makes a recording one that the bot can have.
func (c *call) publish(
	op *operation.Operation, file operation.Recording,
) (operation.Recording, error) {
	c.mu.Lock()
	base := c.base
	c.mu.Unlock()
	if c.service.options.Cluster != nil { // it is on this node's disk, and requests are brought here
		base += "/calls/" + c.id.String()
	}
	published, err := c.service.recordings.publish(base, c.owner, op.ID(), file)
	if err != nil {
		return published, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed { // of media that was abandoned
		c.service.recordings.expire([]uuid.UUID{op.ID()}, c.service.options.KeepRecordings)
		return published, nil
	}
	c.recordings = append(c.recordings, op.ID())
	return published, nil
}

// end ends the call, for a cause that its operations end with, and a result that its bot gets.
// Nothing is left of it when its media is silent, but for its recordings, which stay for a while.
func (c *call) end(cause error, r graph.ResultInfo) {
	c.mu.Lock()
	over, wire := c.ended, c.wire
	c.ended = true
	if c.timer != nil {
		c.timer.Stop()
	}
	c.mu.Unlock()
	if over {
		return
	}
	if c.sip != nil && !c.service.isClosing() { // then the agent hangs up, for all
		c.service.spawn(c.sayGoodbye)
	}
	c.queue.Close(cause)
	if wire != nil {
		_ = wire.Detach(r) // nothing else does
	}
	c.log.Info("call ended", slog.Int("code", r.Code), slog.Int("subcode", r.Subcode))
}

// over is called when the queue has delivered its last event: the media has reported, or was
// abandoned.
func (c *call) over() {
	c.mu.Lock()
	c.closed = true
	ids, ended := c.recordings, c.ended
	c.mu.Unlock()
	if c.sip != nil && !ended { // it was taken off the wire, and hangUp may come too late to find it
		c.sendAway(noAnswer, unanswered())
		c.end(nil, unanswered())
	}
	c.service.recordings.expire(ids, c.service.options.KeepRecordings)
	c.service.remove(c.id)
}

// shutDown is the result that bots get of calls that the service's end ends.
func shutDown() graph.ResultInfo {
	r := operation.ShutDown
	return graph.ResultInfo{Code: r.Code(), Subcode: r.Subcode(), Message: r.Message()}
}

// hangUp is for graph: the bot hangs up.
func (s *Service) hangUp(_ context.Context, g *graph.Call) error {
	if c := s.callOf(g); c != nil {
		c.turnAway(g)
		c.end(nil, graph.ConversationEnded())
	}
	return nil
}
