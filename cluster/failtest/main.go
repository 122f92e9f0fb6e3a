// Command failtest does to a cluster that works what must not hurt it, and checks what its bots are
// told: everything, in time, nothing twice with other bytes, and nothing by the old owner after the
// heir's first word.
//
//	go run ./failtest -rounds 2 -calls 300                 kill and stop
//	go run ./failtest -rounds 2 -calls 300 -netns          and partitions; as root, with ip(8)
//	go run ./failtest -rounds 1 -faults away,roll,full     what takes longer; full as root
//
// It starts three nodes as processes, is their bots and their phones, and in each round does one
// thing to them:
//
//	kill       SIGKILL
//	stop       SIGSTOP, and later SIGCONT
//	partition  a node is cut off from the others, and not from bots and phones; needs -netns
//	mute       the same, but it hears the others
//	deaf       the same, but they hear it
//	away       NATS servers that the nodes use, and JetStream on others, which are killed or stopped
//	           for -away, under load
//	roll       all nodes are restarted under load, one after the other: drained for -drain, and begun
//	full       the disk under the journal of one node, or two, is full under load; as root
//	join       a node joins a cluster that has -join calls
//
// Of the first five every other round is for the leader of the journal.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

type config struct {
	rounds, calls, talking int
	nodes                  int
	within                 time.Duration
	faults                 []string
	netns                  bool
	latencies              bool
	verbose                bool

	away, drain time.Duration
	joined      int
	bots        int // of the load

	servers string                     // NATS servers for the nodes; empty: their own
	more    func(name string) []string // arguments of a node; nil: none
	environ []string                   // what a node has in its environment besides this process's
}

func main() {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "node":
			os.Exit(runNode(os.Args[2:]))
		case "nats":
			os.Exit(runNATS(os.Args[2:]))
		}
	}
	var c config
	faults := flag.String("faults", "kill,stop", "what is done, of those above; with -netns also "+
		"partition, mute and deaf")
	flag.IntVar(&c.rounds, "rounds", 2, "so many of each")
	flag.IntVar(&c.calls, "calls", 1000, "the victim has so many calls")
	flag.IntVar(&c.talking, "talking", 20, "so many of them are heard by a phone")
	flag.DurationVar(&c.within, "within", 5*time.Second, "all ends must be told within")
	flag.BoolVar(&c.netns, "netns", false, "each node in a network namespace of its own; for "+
		"partitions; needs root and ip(8)")
	flag.BoolVar(&c.latencies, "latencies", false, "judge how long requests to the others take, "+
		"too: on a machine that does nothing else")
	flag.BoolVar(&c.verbose, "v", false, "show what the nodes log")
	flag.DurationVar(&c.away, "away", time.Minute, "JetStream is away, or a disk full, for so long")
	flag.DurationVar(&c.drain, "drain", 10*time.Second, "roll: calls may go on for so long")
	flag.IntVar(&c.joined, "join", 100_000, "join: so many calls there are")
	flag.IntVar(&c.bots, "bots", 20, "away, roll, full: so many bots have one call after the other")
	scales := flag.Bool("scale", false, "do nothing to the nodes, and measure how much three do more "+
		"than one, each with 0.4 of a processor; as root, with cgroups")
	flag.Parse()
	c.nodes = 3
	c.faults = strings.Split(*faults, ",")
	for _, fault := range []string{"partition", "mute", "deaf"} {
		if c.netns && *faults == flag.Lookup("faults").DefValue {
			c.faults = append(c.faults, fault)
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	do := run
	if *scales {
		do = scale
	}
	err := do(ctx, c)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "failtest:", err)
		os.Exit(1)
	}
}

// scenes are faults that need a cluster of their own. They return what they saw, and what of it
// was wrong.
var scenes = map[string]func(
	ctx context.Context, c config, round int,
) (saw string, wrong []string, err error){
	"away": away, "roll": roll, "full": full, "join": join,
}

// run does all rounds, and says what came of them.
func run(ctx context.Context, c config) error {
	var ofOne, ofScenes []string
	for _, fault := range c.faults {
		switch {
		case scenes[fault] != nil:
			ofScenes = append(ofScenes, fault)
		case cuts(fault) && !c.netns:
			return fmt.Errorf("-faults: %s needs -netns", fault)
		case cuts(fault), fault == "kill", fault == "stop":
			ofOne = append(ofOne, fault)
		default:
			return fmt.Errorf("-faults: %q must be kill, stop, partition, mute, deaf, away, roll, full "+
				"or join", fault)
		}
	}
	bad := 0
	if len(ofOne) > 0 {
		n, err := runRounds(ctx, c, ofOne)
		if err != nil {
			return err
		}
		bad += n
	}
	for round := range c.rounds {
		for _, fault := range ofScenes {
			saw, wrong, err := scenes[fault](ctx, c, round)
			if err != nil {
				return fmt.Errorf("%s, round %d: %w", fault, round+1, err)
			}
			say(fault, round, saw, wrong)
			if len(wrong) > 0 {
				bad++
			}
		}
	}
	if bad > 0 {
		return fmt.Errorf("%d of %d rounds were not as promised", bad, c.rounds*len(c.faults))
	}
	fmt.Printf("%d rounds, all as promised\n", c.rounds*len(c.faults))
	return nil
}

func say(fault string, round int, saw string, wrong []string) {
	fmt.Printf("%-9s %2d %s\n", fault, round+1, saw)
	for i, w := range wrong {
		if i == 10 {
			fmt.Printf("   and %d more\n", len(wrong)-i)
			break
		}
		fmt.Println("   WRONG:", w)
	}
}

// runRounds does the rounds that one cluster is enough for. It returns how many of them were not as
// promised.
func runRounds(ctx context.Context, c config, faults []string) (bad int, err error) {
	t, err := newTest(c)
	if err != nil {
		return 0, err
	}
	defer t.close()
	if err := t.start(ctx); err != nil {
		return 0, err
	}
	all := make(map[string][]*result)
	defer func() {
		for _, fault := range slices.Compact(faults) {
			summarize(fault, all[fault])
		}
	}()
	for round := range c.rounds {
		for _, fault := range faults {
			r, err := t.fairRound(ctx, fault, round%2 == 0)
			if err != nil {
				return bad, fmt.Errorf("%s, round %d: %w", fault, round+1, err)
			}
			if r == nil {
				fmt.Printf("%-9s %2d nothing can be said of it: the machine is too busy\n", fault, round+1)
				continue
			}
			say(fault, round, r.String(), r.wrong)
			all[fault] = append(all[fault], r)
			if len(r.wrong) > 0 {
				bad++
			}
		}
	}
	return bad, nil
}

// tooLong is what the machine may stand still for: half a lease. All nodes may lose theirs when it
// is longer, and that is not the one failure at a time that a round is about.
const tooLong = time.Second

// fairRound does a round, and does it again if the machine stood still too long meanwhile, whatever
// came of it. It returns nil if that is so each time.
func (t *test) fairRound(ctx context.Context, fault string, leader bool) (*result, error) {
	for range 3 {
		t.held.afresh()
		r, err := t.round(ctx, fault, leader)
		still := t.held.afresh()
		if still < tooLong || ctx.Err() != nil {
			return r, err
		}
		fmt.Printf("%-9s    void: the machine stood still for %.1f s\n", fault, still.Seconds())
	}
	return nil, nil
}

// summarize says what came of all rounds of a fault.
func summarize(fault string, rounds []*result) {
	var told, last, plays, cancels latencies
	missing, late := 0, 0
	for _, r := range rounds {
		told = append(told, r.told...)
		last = append(last, r.told.at(100))
		plays, cancels = append(plays, r.plays...), append(cancels, r.cancels...)
		missing += r.missing
		late += r.late
	}
	fmt.Printf("%-9s %d rounds: %d ends told, %d missed; after %.2f s (p50), %.2f s (p99), %.2f s at "+
		"the most; all of a round after %.2f s (p50); %d calls with late frames; on the others play "+
		"p99 %.0f ms, cancel p99 %.0f ms\n", fault, len(rounds), len(told), missing,
		told.at(50).Seconds(), told.at(99).Seconds(), told.at(100).Seconds(), last.at(50).Seconds(), late,
		ms(plays.at(99)), ms(cancels.at(99)))
}

var errRoot = errors.New("this needs root, to mount a disk of its own")
