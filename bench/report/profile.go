package main

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/pprof/profile"
)

// alwaysProfiled are the benchmarks that the chart compares.
var alwaysProfiled = []string{
	"RoundTrip/baseline", "RoundTrip/inline", "RoundTrip/default", "RoundTrip/blocking",
	"RoundTrip/hand",
}

// toProfile returns the benchmarks whose profiles are taken: those of the chart, and those that say
// why a budget was missed.
func toProfile(verdicts []verdict) []string {
	names := slices.Clone(alwaysProfiled)
	for _, v := range verdicts {
		if v.met {
			continue
		}
		for _, name := range v.profiles {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// within returns the name of the method whose time is all that counts of a benchmark, or nothing.
func within(name string) string {
	if strings.HasPrefix(name, "CancelAll/") {
		return ").CancelAll" // to fill the queue before takes longer
	}
	return ""
}

// purpose is what processor time goes to: the functions whose names begin like this, and what they
// call that has no purpose of its own.
type purpose struct {
	name, what string
	functions  []string
}

// rest is the purpose of what no other has.
const rest = "rest"

var purposes = []purpose{
	{"memory", "allocation and garbage collection", []string{
		"runtime.mallocgc", "runtime.newobject", "runtime.growslice", "runtime.makeslice",
		"runtime.gcBgMarkWorker", "runtime.gcAssist", "runtime.gcWriteBarrier", "runtime.wbBufFlush",
		"runtime.bgsweep", "runtime.bgscavenge", "runtime.wbMove", "runtime.wbZero",
	}},
	{"clock", "reading the clock", []string{"time.Now", "time.Since", "time.runtimeNow"}},
	{"ids", "making ids", []string{
		"math/rand/v2.", "internal/chacha8rand.", "crypto/", "github.com/google/uuid.",
		"ivrqueue/bench/ids.",
	}},
	{"locks", "locking and unlocking", []string{
		"sync.(*Mutex)", "internal/sync.(*Mutex)", "sync.runtime_Sem", "internal/sync.runtime_Sem",
	}},
	{"goroutines", "starting, waking, scheduling and ending goroutines; channels and timers", []string{
		"runtime.newproc", "runtime.goexit0", "runtime.mcall", "runtime.mstart", "runtime.morestack",
		"runtime.gopark", "runtime.goready", "runtime.chan", "runtime.selectgo", "runtime.closechan",
		"runtime.systemstack_switch", "runtime.schedule", "time.AfterFunc", "time.(*Timer)", "context.",
	}},
	{"HTTP", "reading and writing requests, and JSON", []string{
		"net/http.", "net.", "internal/poll.", "encoding/json", "bufio.",
	}},
	{"queue", "the rest of the queue, ours or the hand-written one", []string{
		"ivrqueue/queue.", "ivrqueue/operation.", "ivrqueue/tone.", "ivrqueue/graph.",
		"ivrqueue/bench/hand.",
	}},
	{rest, "the benchmark itself, and what cannot be attributed", nil},
}

// Units of a profile's results: a purpose, and a function of ours.
const (
	purposeUnit  = "-%"
	functionUnit = "fn:"
)

// runProfiles writes the profiles of benchmarks as further results, in percent.
func runProfiles(binary string, names []string, long time.Duration, out *bytes.Buffer) error {
	for _, name := range names {
		bench, allocations := strings.CutPrefix(name, allocationsOf)
		prof, err := takeProfile(binary, bench, allocations, long)
		if err != nil {
			return fmt.Errorf("profile %s: %w", name, err)
		}
		fmt.Fprintf(out, "BenchmarkProfile/%s 1 0 ns/op", name)
		if !allocations {
			parts := partsOf(prof, within(bench), purposeOf)
			for _, p := range purposes {
				fmt.Fprintf(out, " %.1f %s%s", parts[p.name], p.name, purposeUnit)
			}
		}
		for f, part := range partsOf(prof, within(bench), ourFunction) {
			if f != "" && part >= 1 {
				fmt.Fprintf(out, " %.1f %s%s", part, functionUnit, f)
			}
		}
		fmt.Fprintln(out)
	}
	return nil
}

// takeProfile runs a benchmark and returns the profile of its time, or of its allocations: of every
// one of them.
func takeProfile(
	binary, bench string, allocations bool, long time.Duration,
) (*profile.Profile, error) {
	file := filepath.Join(filepath.Dir(binary), "a.prof")
	if within(bench) != "" {
		long *= 5
	}
	args := []string{"-test.run=^$", "-test.bench=" + exactly(bench)}
	if allocations {
		args = append(args, "-test.benchtime=10000x", "-test.memprofilerate=1", "-test.memprofile="+file)
	} else {
		args = append(args, fmt.Sprint("-test.benchtime=", long), "-test.cpuprofile="+file)
	}
	var said bytes.Buffer
	if err := command(&said, binary, args...); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, &said)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return profile.ParseData(data)
}

// allocationsOf, before the name of a benchmark, names the profile of its allocations instead of
// its time.
const allocationsOf = "allocations/"

// exactly returns a pattern that matches the benchmark and no other.
func exactly(name string) string {
	return "^Benchmark" + strings.ReplaceAll(name, "/", "$/^") + "$"
}

// partsOf returns what part of the time, or of the allocations, went to what, in percent. What says
// to what a stack goes.
func partsOf(
	prof *profile.Profile, within string, what func(stack []string) string,
) map[string]float64 {
	parts, all := map[string]float64{}, 0.0
	column := slices.IndexFunc(prof.SampleType, func(t *profile.ValueType) bool {
		return t.Type == "cpu" || t.Type == "alloc_objects"
	})
	for _, s := range prof.Sample {
		stack := functions(s)
		if within != "" && !slices.ContainsFunc(stack, func(f string) bool {
			return strings.Contains(f, within)
		}) {
			continue
		}
		spent := float64(s.Value[column])
		parts[what(stack)] += spent
		all += spent
	}
	for name := range parts {
		parts[name] *= 100 / all
	}
	return parts
}

// ourFunction returns the innermost function of this repository on a stack, and none for what the
// runtime does by itself.
func ourFunction(stack []string) string {
	for _, f := range stack {
		if name, ok := strings.CutPrefix(f, "ivrqueue/"); ok {
			return strings.ReplaceAll(name, " ", "_") // the name of a unit
		}
	}
	return ""
}

// functions returns the functions on the stack of a sample, the innermost first.
func functions(s *profile.Sample) (names []string) {
	for _, l := range s.Location {
		for _, line := range l.Line {
			names = append(names, line.Function.Name)
		}
	}
	return names
}

// purposeOf returns that of the innermost function that has one.
func purposeOf(stack []string) string {
	for _, f := range stack {
		for _, p := range purposes {
			if slices.ContainsFunc(p.functions, func(prefix string) bool {
				return strings.HasPrefix(f, prefix)
			}) {
				return p.name
			}
		}
	}
	return rest
}

// part returns what part of a benchmark went to the purpose, in percent.
func (a *results) part(name string, to purpose) float64 {
	if v := a.median("Profile/"+name, to.name+purposeUnit); !math.IsNaN(v) {
		return v
	}
	return 0
}

// dearest returns the functions of ours that a benchmark spends most time in, with the percentage.
func (a *results) dearest(name string) string {
	type function struct {
		name string
		part float64
	}
	var all []function
	for s, values := range a.series {
		f, ok := strings.CutPrefix(s.unit, functionUnit)
		if ok && s.name == "Profile/"+name {
			all = append(all, function{f, summarize(values).median})
		}
	}
	slices.SortFunc(all, func(a, b function) int {
		return cmp.Or(cmp.Compare(b.part, a.part), strings.Compare(a.name, b.name))
	})
	var words []string
	for _, f := range all[:min(len(all), 6)] {
		words = append(words, fmt.Sprintf("`%s` %.0f %%", f.name, f.part))
	}
	return strings.Join(words, ", ")
}

// difference says how much longer one benchmark takes than another, and with what: the parts of
// their profiles, as times. It is empty if one of them was not measured.
func (a *results) difference(ours, other string) string {
	mine, theirs := a.median(ours, "ns/op"), a.median(other, "ns/op")
	if math.IsNaN(mine) || math.IsNaN(theirs) || theirs <= 0 || mine <= theirs {
		return ""
	}
	type more struct {
		name string
		ns   float64
	}
	var all []more
	for _, p := range purposes {
		ns := (a.part(ours, p)*mine - a.part(other, p)*theirs) / 100
		all = append(all, more{p.name, ns})
	}
	slices.SortStableFunc(all, func(a, b more) int { return cmp.Compare(b.ns, a.ns) })
	var words []string
	for _, m := range all {
		if math.Abs(m.ns) >= (mine-theirs)/50 {
			words = append(words, fmt.Sprintf("%s %s", m.name, signed(m.ns)))
		}
	}
	return fmt.Sprintf("It takes %s more: %s.", number(mine-theirs, "ns"), strings.Join(words, ", "))
}

func signed(ns float64) string {
	if ns < 0 {
		return "−" + number(-ns, "ns")
	}
	return "+" + number(ns, "ns")
}

// misses says of each budget that was missed why: where the time of ours goes, beside the other's.
func (p *page) misses() {
	first := true
	for _, v := range p.verdicts {
		if v.met || math.IsNaN(v.got.median) {
			continue
		}
		if first {
			p.printf("## Why budgets were missed\n\nEach with the profile of its benchmark, in percent of " +
				"processor time; for a cancel, of the\ntime inside CancelAll. The list names this " +
				"repository's functions by the time spent in them and\nin the standard library on " +
				"their behalf, or by their allocations.\n\n")
			first = false
		}
		p.printf("**%s**, %s: %s, the budget is %s.",
			v.name(), v.work, number(v.got.median, v.unit), v.bound())
		if len(v.profiles) == 2 {
			if d := p.all.difference(v.profiles[0], v.profiles[1]); d != "" {
				p.printf(" %s", d)
			}
		}
		p.printf("\n\n")
		p.profileTable(v.profiles)
		for _, name := range v.profiles {
			if f := p.all.dearest(name); f != "" {
				p.printf("- %s: %s\n", spaced(name), f)
			}
		}
		p.printf("\n")
	}
}

// profiles says where the time of a round trip goes, and what the words of all profiles mean.
func (p *page) profiles() {
	if len(p.within("Profile")) == 0 {
		return
	}
	p.printf("## Where the time goes\n\n")
	p.chart("profile.svg", "where the time of a round trip goes")
	p.profileTable(alwaysProfiled)
	for _, to := range purposes {
		p.printf("- *%s*: %s.\n", to.name, to.what)
	}
	p.printf("\n")
}

// profileTable shows those of the profiles that were taken.
func (p *page) profileTable(names []string) {
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return strings.HasPrefix(name, allocationsOf) || !slices.Contains(p.all.names, "Profile/"+name)
	})
	if len(names) == 0 {
		return
	}
	p.printf("| |")
	for _, to := range purposes {
		p.printf(" %s |", to.name)
	}
	p.printf("\n|---|%s\n", strings.Repeat("---:|", len(purposes)))
	for _, name := range names {
		p.printf("| %s |", spaced(name))
		for _, to := range purposes {
			p.printf(" %.0f |", p.all.part(name, to))
		}
		p.printf("\n")
	}
	p.printf("\n")
}

// spaced writes the name of a benchmark for people.
func spaced(name string) string { return strings.ReplaceAll(name, "/", " ") }

// profileChart divides the time of a round trip into what it went to.
func profileChart(all *results) chart {
	var names []string
	parts := make([][]float64, len(purposes))
	for _, name := range slices.Backward(alwaysProfiled) {
		if !slices.Contains(all.names, "Profile/"+name) {
			continue
		}
		names = append(names, strings.TrimPrefix(name, "RoundTrip/"))
		for i, to := range purposes {
			parts[i] = append(parts[i], all.part(name, to)/100*all.median(name, "ns/op"))
		}
	}
	return stackedChart("profile.svg", "Where the time of a round trip goes", "ns", names, parts)
}
