package service

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"

	"github.com/google/uuid"

	"ivrqueue/examples/internal/loader"
	"ivrqueue/examples/internal/softmedia"
	"ivrqueue/graph"
	"ivrqueue/operation"
	"ivrqueue/queue"
)

// Service is the calls, and the HTTP handler by which bots get at them. New makes it, Shutdown ends
// it.
type Service struct {
	options    Options
	authority  *authority
	handler    *graph.Handler
	notifier   *graph.Notifier
	engine     *softmedia.Engine
	library    *loader.Library
	recordings recordings
	inbox      *inbox       // nil without Dev
	queues     queue.Option // of all calls' queues
	mux        *http.ServeMux

	mu       sync.Mutex // guards the block below
	calls    map[uuid.UUID]*call
	listened int // of the calls
	closing  bool
	empty    chan struct{} // closed when closing, and there is no call
}

// New makes a service. ctx bounds how long it takes: an issuer is asked for its keys.
func New(ctx context.Context, o Options) (*Service, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	s := &Service{options: o, calls: make(map[uuid.UUID]*call), empty: make(chan struct{})}
	var verifier *oidcVerifier
	var err error
	if o.Issuer != "" {
		if verifier, err = newOIDC(ctx, o.Issuer, o.Audience); err != nil {
			return nil, err
		}
	}
	s.authority = newAuthority(o.Tokens, verifier)
	var opts []graph.NotifierOption
	if o.Dev {
		opts = append(opts, graph.WithLoopback())
	}
	if s.notifier, err = graph.NewNotifier(append(opts, o.Notifier...)...); err != nil {
		return nil, err
	}
	s.handler, err = graph.New(graph.Platform{
		Authenticate: s.authority.authenticate, CreateCall: s.create, HangUp: s.hangUp,
	}, append([]graph.Option{
		graph.WithNotifier(s.notifier), graph.WithLogger(o.Logger),
	}, o.Graph...)...)
	if err != nil {
		return nil, err
	}
	s.library, err = loader.New(loader.Options{
		Embedded: o.Embedded, Folder: o.Prompts, Loopback: o.Dev, Held: o.PromptBytes,
	})
	if err != nil {
		return nil, err
	}
	s.engine = softmedia.NewEngine()
	s.recordings.most = cmp.Or(o.RecordingBytes, DefaultRecordingBytes)
	s.queues = queue.Options(queue.WithObserver(s.handler), queue.WithLogger(o.Logger))
	s.mux = s.routes()
	return s, nil
}

func (s *Service) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("/", s.handler)
	mux.Handle("GET /recordings/{id}", &s.recordings)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	})
	if s.options.Dev {
		s.inbox = newInbox()
		mux.HandleFunc("POST /dev/inbox", s.inbox.take)
		mux.HandleFunc("GET /dev/inbox", s.readInbox)
		mux.HandleFunc("POST /dev/calls/{id}/tones", s.ofCall(s.pressKeys))
		mux.HandleFunc("GET /dev/calls/{id}/heard.wav", s.ofCall(s.heard))
		mux.HandleFunc("DELETE /dev/calls/{id}", s.ofCall(s.callerHangsUp))
	}
	return mux
}

// baseKey finds in a context what the URIs begin with that a client is given.
type baseKey struct{}

// ServeHTTP serves the Graph API, the recordings, and with Dev the helpers.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	base := "http://" + r.Host
	if r.TLS != nil {
		base = "https://" + r.Host
	}
	s.mux.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), baseKey{}, base)))
}

// Shutdown takes no more calls, ends those that there are with operation.ShutDown, and waits until
// their bots were told everything. When ctx ends first it gives up what is left and returns the
// cause of ctx; everything of the service has ended in any case. The HTTP server in front of it
// should be shut down afterwards, not before: a bot may have its callback there.
func (s *Service) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		return errors.New("service: Shutdown was called before")
	}
	s.closing = true
	calls := make([]*call, 0, len(s.calls))
	for _, c := range s.calls {
		calls = append(calls, c)
	}
	s.lookEmpty()
	s.mu.Unlock()
	s.options.Logger.Info("shutting down", slog.Int("calls", len(calls)))
	for _, c := range calls {
		c.end(operation.ShutDown, shutDown())
	}
	select {
	case <-s.empty:
	case <-ctx.Done():
	}
	err := s.handler.Shutdown(ctx)
	s.engine.Close()
	err = errors.Join(err, s.library.Close())
	s.recordings.close()
	if s.authority.oidc != nil {
		s.authority.oidc.close()
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
	if s.options.Dev && s.listened < HeardCalls {
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

func (s *Service) find(id uuid.UUID) *call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[id]
}
