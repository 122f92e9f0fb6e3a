package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"

	"github.com/google/uuid"

	"ivrqueue/egress"
	"ivrqueue/graph"
	"ivrqueue/inspect"
	"ivrqueue/media"
	"ivrqueue/media/loader"
	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queuelog"
	"ivrqueue/sip"
	"ivrqueue/webhook"
)

// Service is the calls, and the HTTP handler by which bots get at them. New makes it, Shutdown ends
// it.
type Service struct {
	options    Options
	prefix     string // the path of the base URL
	authority  *authority
	issuer     *issuer      // nil if there is none
	tokens     *credentials // nil if there are none
	handler    *graph.Handler
	notifier   *webhook.Notifier
	engine     *media.Engine
	library    *loader.Library
	recordings recordings
	inbox      *inbox           // nil without Dev
	inspector  *inspect.Handler // nil without Dev
	queues     queue.Option     // of all calls' queues
	telemetry  *telemetry
	agent      *sip.Agent // nil without telephones
	routes     http.Handler

	mu       sync.Mutex // guards the block below
	calls    map[uuid.UUID]*call
	listened int // of the calls
	closing  bool
	empty    chan struct{} // closed when closing, and there is no call
	stopped  bool          // nothing may begin any more

	work sync.WaitGroup // what telephones are waited for with
}

// New makes a service. ctx bounds how long it takes: an issuer is asked for its keys.
func New(ctx context.Context, o Options) (*Service, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	s := &Service{options: o, calls: make(map[uuid.UUID]*call), empty: make(chan struct{})}
	var err error
	if s.options.BaseURL, s.prefix, err = checkBaseURL(o.BaseURL); err != nil {
		return nil, err
	}
	s.authority = newAuthority(o.Tokens)
	observers := []queue.Option{queue.WithLogger(o.Logger)}
	if o.Dev {
		if s.inspector, err = newInspector(&o); err != nil {
			return nil, err
		}
		observers = append(observers, queue.WithObserver(s.inspector))
	}
	opts, err := s.notifierOptions()
	if err != nil {
		return nil, err
	}
	if s.notifier, err = webhook.New(opts...); err != nil {
		return nil, err
	}
	graphOptions := []graph.Option{
		graph.WithNotifier(s.notifier), graph.WithLogger(o.Logger),
		graph.WithBaseURL(s.options.BaseURL),
	}
	if o.Cluster != nil {
		graphOptions = append(graphOptions, o.Cluster.GraphOptions()...)
	}
	s.handler, err = graph.New(graph.Platform{
		Authenticate: s.authority.authenticate, CreateCall: s.create, HangUp: s.hangUp,
		Answer: s.answerCall, Reject: s.rejectCall, Mute: s.mute,
		UpdateRecordingStatus: s.recordingStatus, SendsTones: true, Redirect: s.redirects(),
	}, append(graphOptions, o.Graph...)...)
	if err != nil {
		return nil, err
	}
	for name, callback := range o.Bots {
		if err := s.notifier.Check(callback); err != nil {
			return nil, fmt.Errorf("service: Bots[%q]: %w", name, err)
		}
	}
	s.library, err = loader.New(loader.Options{
		Embedded: o.Embedded, Folder: o.Prompts, Loopback: o.Dev, Held: o.PromptBytes,
	})
	if err != nil {
		return nil, err
	}
	s.engine = media.NewEngine()
	s.recordings.most = cmp.Or(o.RecordingBytes, DefaultRecordingBytes)
	if s.telemetry, err = newTelemetry(s); err != nil {
		return nil, err
	}
	lines, err := queuelog.New(o.Logger, queuelog.WithErrors())
	if err != nil {
		return nil, err
	}
	s.queues = queue.Options(append(observers, queue.WithObserver(s.handler),
		queue.WithObserver(s.telemetry.observer), queue.WithObserver(lines))...)
	s.routes = s.telemetry.instrument(s.newRoutes())
	if err := s.connect(ctx); err != nil {
		return nil, errors.Join(err, s.Shutdown(ctx))
	}
	return s, nil
}

// connect has the service do with others what must be ended again: it comes last.
func (s *Service) connect(ctx context.Context) (err error) {
	if o := &s.options; o.Issuer != "" {
		if s.authority.oidc, err = newOIDC(ctx, o.Issuer, o.Audience); err != nil {
			return err
		}
	}
	if s.options.Phones == nil {
		return nil
	}
	return s.listen()
}

// notifierOptions are where notifications may go, and who vouches for them.
func (s *Service) notifierOptions() ([]webhook.Option, error) {
	o := &s.options
	opts := []webhook.Option{
		webhook.WithAddresses(egress.Addresses{Also: o.AllowCallbacks}), webhook.WithPlainHTTP(),
	}
	if o.Dev {
		opts = append(opts, webhook.WithLoopback(), webhook.WithAttemptHandler(s.inspector.Attempt))
	}
	if o.Cluster != nil {
		opts = append(opts, o.Cluster.NotifierOption())
	}
	var err error
	switch address := cmp.Or(o.BaseURL, o.Address); {
	case o.CallbackTokens != nil:
		if s.tokens, err = newCredentials(*o.CallbackTokens); err != nil {
			return nil, err
		}
		opts = append(opts, webhook.WithTokens(s.tokens.token))
	case o.Dev && address != "":
		if s.issuer, err = newIssuer(address); err != nil {
			return nil, err
		}
		opts = append(opts, webhook.WithTokens(s.issuer.token))
	}
	return append(opts, o.Notifier...), nil
}

func (s *Service) newRoutes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("/", s.handler)
	mux.Handle("GET /recordings/{id}", &s.recordings)
	if s.options.Cluster != nil {
		mux.Handle("GET /calls/{call}/recordings/{id}", &s.recordings)
	}
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /readyz", s.ready)
	mux.Handle("GET /metrics", s.ForOperators(s.telemetry.metrics))
	if s.options.Dev {
		s.inbox = newInbox()
		mux.HandleFunc("POST /dev/inbox", s.inbox.take)
		mux.HandleFunc("GET /dev/inbox", s.readInbox)
		mux.HandleFunc("POST /dev/calls", s.of(s.ring))
		mux.HandleFunc("POST /dev/calls/{id}/tones", s.ofCall(s.pressKeys))
		mux.HandleFunc("GET /dev/calls/{id}/heard.wav", s.ofCall(s.heard))
		mux.HandleFunc("GET /dev/calls/{id}/said.wav", s.ofCall(s.said))
		mux.HandleFunc("DELETE /dev/calls/{id}", s.ofCall(s.callerHangsUp))
		mux.HandleFunc(InspectorPath, s.showCalls)
		mux.HandleFunc(strings.TrimSuffix(InspectorPath, "/"), redirectBelow)
	}
	if s.issuer != nil {
		mux.HandleFunc("GET "+IssuerPath+"/.well-known/openid-configuration", s.issuer.configuration)
		mux.HandleFunc("GET "+IssuerPath+"/keys", s.issuer.keys)
	}
	return mux
}

// Shutdown takes no more calls, ends those that there are with operation.ShutDown, and waits until
// their bots were notified of everything. When ctx ends first it drops what is left and returns the
// cause of ctx; everything of the service has ended in any case. The HTTP server in front of it
// should be shut down afterwards, not before: a bot may have its callback there.
func (s *Service) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		return errors.New("service: Shutdown was called before")
	}
	s.closing = true
	s.lookEmpty()
	s.mu.Unlock()
	calls := s.all()
	s.options.Logger.Info("shutting down", slog.Int("calls", len(calls)))
	for _, c := range calls {
		c.end(operation.ShutDown, shutDown())
	}
	telephones := s.hangUpAll(ctx)
	select {
	case <-s.empty:
	case <-ctx.Done():
	}
	err := errors.Join(s.handler.Shutdown(ctx), telephones())
	s.engine.Close()
	err = errors.Join(err, s.library.Close())
	s.recordings.close()
	if s.inspector != nil {
		s.inspector.Close()
	}
	if s.authority.oidc != nil {
		s.authority.oidc.close()
	}
	if s.tokens != nil {
		s.tokens.close()
	}
	return err
}

// add puts a call among the calls. It reports false when the service is shutting down.
func (s *Service) add(c *call) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.calls[c.id] = c
	if s.options.Dev && c.phone != nil && s.listened < HeardCalls {
		s.listened++
		c.listened = true
		c.phone.Keep(HeardMax)
	}
	if s.inbox != nil {
		s.inbox.expect(c.id, c.owner)
	}
	return true
}

func (s *Service) remove(id uuid.UUID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.calls[id]; c != nil && c.listened {
		s.listened--
	}
	delete(s.calls, id)
	s.lookEmpty()
}

func (s *Service) lookEmpty() {
	if s.closing && len(s.calls) == 0 {
		select {
		case <-s.empty:
		default:
			close(s.empty)
		}
	}
}

// isClosing reports whether the service is shutting down.
func (s *Service) isClosing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}

func (s *Service) find(id uuid.UUID) *call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[id]
}
