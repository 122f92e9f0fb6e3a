package service

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	exporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/trace/noop"

	"ivrqueue/otelqueue"
)

// telemetry is what those learn who run the service: its metrics, and its spans.
type telemetry struct {
	observer *otelqueue.Observer
	metrics  http.Handler
	http     []otelhttp.Option
}

// newTelemetry makes the metrics, in a registry of the service's own, as a process may have several
// services.
func newTelemetry(s *Service) (*telemetry, error) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	reader, err := exporter.New(exporter.WithRegisterer(registry), exporter.WithoutScopeInfo(),
		exporter.WithoutTargetInfo())
	if err != nil {
		return nil, err
	}
	meters := metric.NewMeterProvider(metric.WithReader(reader), metric.WithView(
		// How long bodies are says little: they are bounded.
		metric.NewView(metric.Instrument{Name: "http.server.*.body.size"},
			metric.Stream{Aggregation: metric.AggregationDrop{}})))
	tracers := s.options.Tracers
	if tracers == nil {
		tracers = noop.NewTracerProvider()
	}
	t := &telemetry{
		metrics: promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: 2}),
		http: []otelhttp.Option{
			otelhttp.WithTracerProvider(tracers), otelhttp.WithMeterProvider(meters),
			// Not what a request says in its Host: anybody may write anything there.
			otelhttp.WithServerName(serverName(&s.options)),
			otelhttp.WithPublicEndpointFn(func(*http.Request) bool { return true }),
			otelhttp.WithFilter(isNoProbe),
		},
	}
	t.observer, err = otelqueue.New(otelqueue.WithTracerProvider(tracers),
		otelqueue.WithMeterProvider(meters), otelqueue.WithHandler(s.handler),
		otelqueue.WithNotifier(s.notifier), otelqueue.WithCalls(s.countCalls))
	return t, err
}

// serverName is how spans and metrics call the server, with a port.
func serverName(o *Options) string {
	const port = ":443"
	u, err := url.Parse(cmp.Or(o.BaseURL, o.Address))
	if err != nil || u.Hostname() == "" {
		return "ivr" + port
	}
	return u.Hostname() + ":" + cmp.Or(u.Port(), port[1:])
}

// instrument makes spans and metrics of the requests that a handler gets.
func (t *telemetry) instrument(h http.Handler) http.Handler {
	return otelhttp.NewHandler(h, "HTTP", t.http...)
}

// isNoProbe reports whether a request is one that a client makes.
func isNoProbe(r *http.Request) bool {
	return r.URL.Path != "/metrics" && r.URL.Path != "/healthz" && r.URL.Path != "/readyz"
}

// ForOperators returns a handler like h for this machine and for [Options.MetricsFrom]; for others,
// and for what came through a proxy, by its headers, there is nothing.
func (s *Service) ForOperators(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ip := remote(r)
		forwarded := slices.ContainsFunc([]string{
			"Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip",
		}, func(name string) bool { // a proxy may add a line to an empty one of the client's
			return strings.Join(r.Header.Values(name), "") != ""
		})
		if forwarded || !ip.IsLoopback() && !contain(s.options.MetricsFrom, ip) {
			http.NotFound(w, r)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// countCalls returns how many calls there are.
func (s *Service) countCalls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.calls)
}

// ready answers whether the service takes calls: from a shutdown on it does not, and a balancer
// sends them elsewhere. That the process lives, /healthz says.
func (s *Service) ready(w http.ResponseWriter, _ *http.Request) {
	if s.isClosing() {
		http.Error(w, "shutting down", http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
