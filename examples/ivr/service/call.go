package service

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"ivrqueue/examples/internal/softmedia"
	"ivrqueue/graph"
	"ivrqueue/operation"
	"ivrqueue/queue"
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
	owner   string // id of the application
	base    string // of the URIs that its bot is given
	queue   *queue.Queue
	tones   *tone.Stream
	media   *softmedia.Media
	phone   *softmedia.Phone
	log     *slog.Logger

	listened bool // what the phone hears is kept

	ahead *operation.Operation // whose prompts are loaded; for the observer

	mu         sync.Mutex  // guards the block below
	wire       *graph.Call // nil before it is attached
	ended      bool
	timer      *time.Timer // of the next state
	recordings []uuid.UUID
	closed     bool // the queue has told its last event
}

// create makes a call for an application: see graph.Platform.
func (s *Service) create(ctx context.Context, n graph.NewCall) (*graph.Call, error) {
	id := uuid.New()
	base, _ := ctx.Value(baseKey{}).(string)
	c := &call{
		service: s, id: id, owner: n.Application.ID, base: base,
		tones: new(tone.Stream), phone: softmedia.NewPhone(),
		log: s.options.Logger.With(slog.String("call", id.String())),
	}
	c.phone.Keep(0)
	var err error
	prompts := s.library.For(n.Application.ID)
	c.media, err = s.engine.Media(softmedia.Call{
		Sink: c.phone, Source: c.phone, Prompts: prompts, Budget: prompts.Budget,
		Folder: s.options.Folder, Publish: c.publish, Tones: c.tones,
	})
	if err != nil {
		return nil, err
	}
	c.queue, err = queue.New(id.String(), c.media, s.queues, queue.WithObserver(c))
	if err != nil {
		return nil, err
	}
	// Known before it is attached: a shutdown must find every call that there is.
	if !s.add(c) {
		c.queue.Close(nil)
		return nil, graph.ErrUnavailable
	}
	wire, err := n.Attach(graph.Attachment{
		Queue: c.queue, Tones: c.tones, Application: n.Application.ID, CallbackURI: n.CallbackURI,
		ID: id, Resource: n.Resource,
	})
	switch {
	case errors.Is(err, queue.ErrClosed): // by a shutdown
		return nil, graph.ErrUnavailable
	case err != nil:
		c.queue.Close(nil)
		return nil, err
	}
	c.log.Info("call created", slog.String("application", n.Application.ID))
	c.attached(wire)
	c.after(s.options.Establish, c.establish)
	return wire, nil
}

// attached makes the call whole; if it was ended meanwhile, that is told now.
func (c *call) attached(wire *graph.Call) {
	c.mu.Lock()
	c.wire = wire
	over := c.ended
	c.mu.Unlock()
	if over {
		_ = wire.Detach(shutDown())
	}
}

// establish makes the caller pick up.
func (c *call) establish() {
	if c.wire.SetState(graph.State{Call: graph.Established}) == nil {
		c.log.Info("call established")
		c.after(c.service.options.Audio, c.activate)
	}
}

// activate makes the caller heard, and hear.
func (c *call) activate() {
	if c.wire.SetState(graph.State{Call: graph.Established, Audio: graph.Active}) == nil {
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
	published, err := c.service.recordings.publish(c.base, c.owner, op.ID(), file)
	if err != nil {
		return published, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed { // of media that was given up
		c.service.recordings.expire([]uuid.UUID{op.ID()}, c.service.options.KeepRecordings)
		return published, nil
	}
	c.recordings = append(c.recordings, op.ID())
	return published, nil
}

// end ends the call, for a cause that its operations end with, and a result that its bot is told.
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
	c.queue.Close(cause)
	if wire != nil {
		_ = wire.Detach(r) // nobody else does
	}
	c.log.Info("call ended", slog.Int("code", r.Code), slog.Int("subcode", r.Subcode))
}

// over is called when the queue has told its last event: the media has reported, or was given up.
func (c *call) over() {
	c.mu.Lock()
	c.closed = true
	ids := c.recordings
	c.mu.Unlock()
	c.service.recordings.expire(ids, c.service.options.KeepRecordings)
	c.service.remove(c.id)
}

// shutDown is what the bots of calls are told that the service's end ends.
func shutDown() graph.ResultInfo {
	r := operation.ShutDown
	return graph.ResultInfo{Code: r.Code(), Subcode: r.Subcode(), Message: r.Message()}
}

// hangUp is for graph: the bot hangs up.
func (s *Service) hangUp(_ context.Context, g *graph.Call) error {
	c := s.find(g.ID())
	if c != nil { // else it has ended, and its bot is being told
		c.end(nil, graph.ConversationEnded())
	}
	return nil
}
