package service_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/VictoriaMetrics/metricsql"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// Where the dashboard and the alerts are.
const (
	dashboardFile = "../../../otelqueue/grafana.json"
	alertsFile    = "../../../otelqueue/alerts.yml"
)

// query is one that somebody relies on.
type query struct{ of, text string }

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// queriesOfTheDashboard returns those of all panels.
func queriesOfTheDashboard(t *testing.T) (all []query) {
	t.Helper()
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(read(t, dashboardFile), &dashboard); err != nil {
		t.Fatal(err)
	}
	for _, p := range dashboard.Panels {
		if len(p.Targets) == 0 {
			t.Errorf("panel %q has no query", p.Title)
		}
		for _, target := range p.Targets {
			all = append(all, query{p.Title, strings.ReplaceAll(target.Expr, "$__rate_interval", "5m")})
		}
	}
	return all
}

// queriesOfTheAlerts returns those of all rules, each of which is on one line.
func queriesOfTheAlerts(t *testing.T) (all []query) {
	t.Helper()
	rules := regexp.MustCompile(`(?m)^ +- alert: (\w+)\n +expr: (.+)$`)
	text := read(t, alertsFile)
	for _, m := range rules.FindAllSubmatch(text, -1) {
		all = append(all, query{string(m[1]), string(m[2])})
	}
	document := string(read(t, "../../../docs/observability.md"))
	for _, q := range all {
		if !strings.Contains(document, "| `"+q.of+"` |") {
			t.Errorf("docs/observability.md does not say what to do about %s", q.of)
		}
	}
	if n := strings.Count(string(text), "- alert:"); n != len(all) || n == 0 {
		t.Fatalf("%d rules, %d queries", n, len(all))
	}
	return all
}

// exported returns the labels of each series that is exported, by its name.
func (r *rig) exported() map[string][]string {
	r.tb.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(r.metrics()))
	if err != nil {
		r.tb.Fatal(err)
	}
	labels := make(map[string][]string)
	for name, f := range families {
		for _, m := range f.GetMetric() {
			names := []string{name}
			if m.GetHistogram() != nil {
				names = []string{name + "_bucket", name + "_sum", name + "_count"}
				labels[names[0]] = append(labels[names[0]], "le")
			}
			for _, name := range names {
				labels[name] = append(labels[name], "__name__")
				for _, l := range m.GetLabel() {
					labels[name] = append(labels[name], l.GetName())
				}
			}
		}
	}
	return labels
}

// Every query of the dashboard and of the alerts asks for series and labels that are exported.
func TestTheQueriesAskForWhatIsExported(t *testing.T) {
	t.Parallel()
	r := withMusic(t)
	r.busyCall("a")
	exported := r.exported()
	for _, q := range slices.Concat(queriesOfTheDashboard(t), queriesOfTheAlerts(t)) {
		expr, err := metricsql.Parse(q.text)
		if err != nil {
			t.Errorf("%s: %v", q.of, err)
			continue
		}
		var of []string // the labels of the series in it
		series := 0
		metricsql.VisitAll(expr, func(e metricsql.Expr) {
			m, ok := e.(*metricsql.MetricExpr)
			if !ok {
				return
			}
			series++
			for _, filters := range m.LabelFilterss {
				name := filters[0].Value
				labels, known := exported[name]
				if !known {
					t.Errorf("%s: %s is not exported", q.of, name)
				}
				of = append(of, labels...)
				for _, f := range filters {
					if known && !slices.Contains(labels, f.Label) {
						t.Errorf("%s: %s has no label %s", q.of, name, f.Label)
					}
				}
			}
		})
		metricsql.VisitAll(expr, func(e metricsql.Expr) {
			a, ok := e.(*metricsql.AggrFuncExpr)
			if !ok {
				return
			}
			for _, label := range a.Modifier.Args {
				if !slices.Contains(of, label) {
					t.Errorf("%s: no series of it has a label %s", q.of, label)
				}
			}
		})
		if series == 0 {
			t.Errorf("%s asks for no series: %s", q.of, q.text)
		}
	}
}

// An alert that there is too little of something fires where there is none of it yet: a comparison with
// series that are not there is never true.
func TestAlertsThatWantMoreFireWhereThereIsNothing(t *testing.T) {
	t.Parallel()
	r := withMusic(t)
	p := r.call()
	p.wait("is active", func(res any) bool { return at(res, "mediaState", "audio") == "active" })
	p.play("file:music.wav", true)
	exported := make(map[string][]string)
	until(t, "an operation is counted, of which none has ended", func() bool {
		exported = r.exported()
		return exported["ivrqueue_operations_pending"] != nil
	})
	for _, q := range queriesOfTheAlerts(t) {
		expr, err := metricsql.Parse(q.text)
		if err != nil {
			t.Fatalf("%s: %v", q.of, err)
		}
		metricsql.VisitAll(expr, func(e metricsql.Expr) {
			if compares, ok := e.(*metricsql.BinaryOpExpr); !ok || !slices.Contains([]string{"==", "<", "<="}, compares.Op) {
				return
			}
			metricsql.VisitAll(e, func(e metricsql.Expr) {
				if m, ok := e.(*metricsql.MetricExpr); ok && exported[m.LabelFilterss[0][0].Value] == nil {
					t.Errorf("%s is not there before there is some of it: %s", m.LabelFilterss[0][0].Value, q.text)
				}
			})
		})
	}
}

// Every metric of ours is on the dashboard, so that nobody has to know of it to see it, and in the
// document.
func TestTheDashboardShowsEveryMetric(t *testing.T) {
	t.Parallel()
	r := withMusic(t)
	r.busyCall("a")
	text := string(read(t, dashboardFile))
	document := strings.ReplaceAll(string(read(t, "../../../docs/observability.md")), ".", "_")
	for name := range r.exported() {
		base := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_sum"), "_count")
		if strings.HasPrefix(name, "ivrqueue_") && !strings.Contains(text, base) {
			t.Errorf("no panel shows %s", base)
		}
		documented := strings.TrimSuffix(strings.TrimSuffix(base, "_total"), "_seconds")
		if strings.HasPrefix(name, "ivrqueue_") && !strings.Contains(document, "`"+documented+"`") {
			t.Errorf("docs/observability.md does not have %s", documented)
		}
	}
}
