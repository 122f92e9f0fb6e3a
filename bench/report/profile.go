package main

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/pprof/profile"
)

// profiled is a benchmark of which the page shows where its processor time goes: what says why a
// budget is missed.
type profiled struct {
	name   string // of the benchmark, as in the results
	within string // count only what runs under a function with this in its name
	longer int    // times as long, since little of it is counted
}

var profiles = []profiled{
	{name: "Life/floor"},
	{name: "Life/inline"},
	{name: "Life/default"},
	{name: "Life/chan"},
	{name: "Life/pond"},
	{name: "Contended/inline/producers=1"},
	{name: "Contended/inline/producers=2"},
	{name: "CancelAll/inline/depth=1000", within: cancelAll, longer: 5},
	{name: "CancelAll/inline/awaited/depth=1000", within: cancelAll, longer: 5},
}

const cancelAll = "queue.(*Queue).CancelAll"

// purpose is what processor time goes to: the functions whose names begin like this, and what they
// call that has no purpose of its own.
type purpose struct {
	name, what string
	functions  []string
}

// rest is the purpose of what no other has.
const rest = "rest"

var purposes = []purpose{
	{"memory", "to allocate, and to collect the garbage", []string{
		"runtime.mallocgc", "runtime.newobject", "runtime.growslice", "runtime.makeslice",
		"runtime.gcBgMarkWorker", "runtime.gcAssist", "runtime.gcWriteBarrier", "runtime.wbBufFlush",
		"runtime.bgsweep", "runtime.bgscavenge", "runtime.wbMove", "runtime.wbZero",
	}},
	{"clock", "to ask what time it is", []string{"time.Now", "time.Since", "time.runtimeNow"}},
	{"ids", "to make an id", []string{
		"ivrqueue/operation.randomID", "github.com/google/uuid.", "ivrqueue/bench/ids.",
	}},
	{"locks", "to take and release locks", []string{
		"sync.(*Mutex)", "internal/sync.(*Mutex)", "sync.runtime_Sem", "internal/sync.runtime_Sem",
	}},
	{"goroutines", "to begin, wake, schedule and end goroutines, and their channels", []string{
		"runtime.newproc", "runtime.goexit0", "runtime.mcall", "runtime.mstart", "runtime.morestack",
		"runtime.gopark", "runtime.goready", "runtime.chan", "runtime.selectgo",
		"runtime.systemstack_switch", "runtime.schedule",
	}},
	{"telling", "to keep the log of events, and to tell them", []string{
		"ivrqueue/queue.(*player).tell", "ivrqueue/queue.(*player).behind", "ivrqueue/queue.(*log)",
		"ivrqueue/queue.(*Queue).append", "ivrqueue/queue.(*Queue).advance",
		"ivrqueue/queue.(*Queue).trim", "ivrqueue/queue.(*share)", "ivrqueue/queue.(*entry)",
	}},
	{"done", "to let Done channels follow", []string{
		"ivrqueue/operation.(*Control).Finish", "ivrqueue/operation.(*Operation).closeDone",
		"ivrqueue/operation.(*Control).Awaited",
	}},
	{"queue", "what else the queue does: states, the media's turn, the list of what waits", []string{
		"ivrqueue/queue.", "ivrqueue/operation.", "github.com/alitto/",
	}},
	{rest, "the benchmark itself, and what can't be told apart", nil},
}

// runProfiles writes the profiles' parts as further results, in percent.
func runProfiles(binary string, long time.Duration, out *bytes.Buffer) error {
	for _, p := range profiles {
		file := filepath.Join(filepath.Dir(binary), "cpu.prof")
		var said bytes.Buffer
		err := command(&said, binary, "-test.run=^$", "-test.bench="+p.pattern(),
			fmt.Sprint("-test.benchtime=", long*time.Duration(max(1, p.longer))), "-test.cpuprofile="+file)
		if err != nil {
			return fmt.Errorf("profile %s: %w\n%s", p.name, err, &said)
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		prof, err := profile.ParseData(data)
		if err != nil {
			return fmt.Errorf("profile %s: %w", p.name, err)
		}
		parts := partsOf(prof, p.within)
		fmt.Fprintf(out, "BenchmarkProfile/%s 1 0 ns/op", p.name)
		for _, purpose := range purposes {
			fmt.Fprintf(out, " %.1f %s-%%", parts[purpose.name], purpose.name)
		}
		fmt.Fprintln(out)
	}
	return nil
}

// pattern matches the benchmark and no other.
func (p *profiled) pattern() string {
	return "^Benchmark" + strings.ReplaceAll(p.name, "/", "$/^") + "$"
}

// partsOf returns what part of the time went to which purpose, in percent.
func partsOf(prof *profile.Profile, within string) map[string]float64 {
	parts, all := map[string]float64{}, 0.0
	for _, s := range prof.Sample {
		stack := functions(s)
		if within != "" && !slices.ContainsFunc(stack, func(f string) bool {
			return strings.Contains(f, within)
		}) {
			continue
		}
		spent := float64(s.Value[len(s.Value)-1]) // nanoseconds; before it is the number of samples
		parts[purposeOf(stack)] += spent
		all += spent
	}
	for name := range parts {
		parts[name] *= 100 / all
	}
	return parts
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

// taken reports whether the results have the profile.
func (p *profiled) taken(all *results) bool {
	return slices.Contains(all.names, "Profile/"+p.name)
}

// part returns what went to the purpose, in percent.
func (p *profiled) part(all *results, to purpose) float64 {
	if v := all.median("Profile/"+p.name, to.name+"-%"); !math.IsNaN(v) {
		return v
	}
	return 0
}

// profiles tells where the time goes.
func (p *page) profiles() {
	if len(p.within("Profile")) == 0 {
		return
	}
	p.printf("## Where the time goes\n\n" +
		"Of the processor time of a benchmark, how many percent went to what, the collection of\n" +
		"garbage included: what says why a budget is missed. Of a cancel it is what runs inside\n" +
		"CancelAll.\n\n")
	p.chart("profile.svg", "where the time of a life goes")
	p.printf("| |")
	for _, to := range purposes {
		p.printf(" %s |", to.name)
	}
	p.printf("\n|---|%s\n", strings.Repeat("---:|", len(purposes)))
	for _, of := range profiles {
		if !of.taken(p.all) {
			continue
		}
		p.printf("| %s |", strings.ReplaceAll(of.name, "/", " "))
		for _, to := range purposes {
			p.printf(" %.0f |", of.part(p.all, to))
		}
		p.printf("\n")
	}
	p.printf("\n")
	for _, to := range purposes {
		p.printf("- *%s*: %s.\n", to.name, to.what)
	}
	p.printf("\n")
}

// profileChart divides the time of a life into what it went to.
func profileChart(all *results) chart {
	var names []string
	parts := make([][]float64, len(purposes))
	for _, of := range slices.Backward(profiles) {
		who, isLife := strings.CutPrefix(of.name, "Life/")
		if !isLife || !of.taken(all) {
			continue
		}
		names = append(names, who)
		for i, to := range purposes {
			spent := of.part(all, to) / 100 * all.median(of.name, "ns/op")
			parts[i] = append(parts[i], spent)
		}
	}
	return stackedChart("profile.svg", "Where the time of a life goes", "ns", names, parts)
}
