package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// How much more three nodes do than one, each with the same small share of a processor, for few
// clients at once to very many: plays, each of which the client waits for until it is notified of
// its end, and plays that it cancels at once, which are two requests. The nodes journal in each
// case; the single one on its disk alone. Three nodes that know nothing of each other say what the
// machine has to give: its processors share memory and caches, and three processes and their bots
// are busy where one was.
//
// Few clients do not keep three nodes busy: when each waits for an answer, a node sleeps, and wakes
// up for every message. What three nodes can do is what they do for very many.

const (
	quota        = 40 // hundredths of a processor for each node
	scaleTime    = 10 * time.Second
	scaleRounds  = 2 // of each setup, in turn: the machine is not as fast at all times
	callsAClient = 2
)

// turn is what a client does over and over: it sends requests about a call to a node that it gets
// anew for each.
type turn func(t *test, call uuid.UUID, node func() *process) error

var turns = []struct {
	what string
	do   turn
}{{"plays", playTurn}, {"plays and cancels", cancelTurn}}

// playTurn plays a prompt of a millisecond, and waits for the notification of its end.
func playTurn(t *test, call uuid.UUID, node func() *process) error {
	op, err := t.post(node(), "/"+call.String()+"/playPrompt", playBody("for:1ms"), http.StatusOK)
	if err != nil {
		return err
	}
	return t.bots.wait(call, op)
}

// cancelTurn plays a prompt, and cancels it.
func cancelTurn(t *test, call uuid.UUID, node func() *process) error {
	path := "/" + call.String()
	if _, err := t.post(node(), path+"/playPrompt", playBody("x:y"), http.StatusOK); err != nil {
		return err
	}
	_, err := t.post(node(), path+"/cancelMediaProcessing", "{}", http.StatusOK)
	return err
}

// setup is what is measured.
type setup struct {
	how      string
	clusters int
	nodes    int  // of a cluster
	routed   bool // each request goes to the owner of its call
}

var setups = []setup{
	{"one node", 1, 1, true},
	{"three that know nothing of each other", 3, 1, true},
	{"three, each request sent to its owner", 1, 3, true},
	{"three, two thirds of the requests forwarded", 1, 3, false},
}

// throughput is how many turns were done in some time, and the processor time that all nodes have
// used for them.
type throughput struct {
	turns      float64
	took, used time.Duration
}

func (p throughput) rate() float64 { return p.turns / p.took.Seconds() }

// cost is the processor time for a turn, in microseconds.
func (p throughput) cost() float64 { return float64(p.used.Microseconds()) / p.turns }

// scale measures, and prints what it saw.
func scale(ctx context.Context, c config) error {
	for _, of := range turns {
		for _, clients := range []int{48, 144, 432, 1296} {
			seen := make([]throughput, len(setups))
			for range scaleRounds {
				for i, s := range setups {
					p, err := measure(ctx, c, s, clients, of.do)
					if err != nil {
						return fmt.Errorf("%s, %s: %w", of.what, s.how, err)
					}
					seen[i].turns += p.turns
					seen[i].took += p.took
					seen[i].used += p.used
				}
			}
			fmt.Printf("%s, %d clients\n", of.what, clients)
			for i, p := range seen {
				nodes := float64(setups[i].clusters * setups[i].nodes)
				fmt.Printf("  %-45s %5.0f a second, %.2f × one; %3.0f µs of a processor each, %.2f × one\n",
					setups[i].how+":", p.rate(), p.rate()/seen[0].rate(),
					p.cost(), nodes*seen[0].cost()/p.cost())
			}
		}
	}
	return nil
}

// measure has clients take their turns with the nodes of a setup.
func measure(
	ctx context.Context, c config, s setup, clients int, do turn,
) (p throughput, err error) {
	// Go would run threads for two processors, which look for work when there is none for them.
	c.netns, c.nodes, c.environ = false, s.nodes, []string{"GOMAXPROCS=1"}
	var t *test // the last one, and then with the nodes of all
	var all []*process
	for range s.clusters {
		if t, err = newTest(c); err != nil {
			return p, err
		}
		defer t.close()
		if err := t.start(ctx); err != nil {
			return p, err
		}
		all = append(all, t.nodes...)
	}
	n := len(all)
	for i, node := range all {
		node.name += strconv.Itoa(i)
	}
	t = &test{config: c, nodes: all, client: t.client, bots: t.bots}
	for _, node := range t.nodes {
		remove, err := limit(node, quota)
		if err != nil {
			return p, err
		}
		defer remove()
	}
	ids := make([]uuid.UUID, callsAClient*clients)
	for i := range ids {
		made, err := t.post(t.nodes[i%n], "", fmt.Sprintf(`{"callbackUri":%q}`, t.bots.url),
			http.StatusCreated)
		if err != nil {
			return p, err
		}
		if ids[i], err = uuid.Parse(made); err != nil {
			return p, err
		}
	}
	var done atomic.Int64
	used, began := t.used(), time.Now()
	ctx, cancel := context.WithTimeout(ctx, scaleTime)
	defer cancel()
	var work sync.WaitGroup
	errs := make([]error, clients)
	for w := range clients {
		work.Go(func() {
			for i := w; ctx.Err() == nil && errs[w] == nil; i += clients {
				call := i % len(ids)
				node := func() *process { return t.nodes[call%n] }
				if !s.routed { // to any, as behind a load balancer
					node = func() *process { return t.nodes[rand.IntN(n)] }
				}
				if errs[w] = do(t, ids[call], node); errs[w] == nil {
					done.Add(1)
				}
			}
		})
	}
	work.Wait()
	p = throughput{turns: float64(done.Load()), took: time.Since(began), used: t.used() - used}
	return p, errors.Join(errs...)
}

// used is the processor time that the nodes have used.
func (t *test) used() (sum time.Duration) {
	for _, p := range t.nodes {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
		_, of, _ := strings.Cut(string(text), ") ") // its name may have blanks
		if fields := strings.Fields(of); len(fields) > 12 {
			user, _ := strconv.Atoi(fields[11]) // hundredths of a second
			system, _ := strconv.Atoi(fields[12])
			sum += time.Duration(user+system) * 10 * time.Millisecond
		}
	}
	return sum
}

// limit gives a process a share of a processor, by a cgroup of version 1 or 2.
func limit(p *process, hundredths int) (remove func(), err error) {
	const period = 100_000 // µs
	quota := strconv.Itoa(period * hundredths / 100)
	dir := "/sys/fs/cgroup/cpu/failtest-" + p.name
	files := [][2]string{
		{"cpu.cfs_period_us", strconv.Itoa(period)}, {"cpu.cfs_quota_us", quota},
	}
	if _, err := os.Stat("/sys/fs/cgroup/cgroup.controllers"); err == nil {
		dir = "/sys/fs/cgroup/failtest-" + p.name
		files = [][2]string{{"cpu.max", quota + " " + strconv.Itoa(period)}}
	}
	if err := os.Mkdir(dir, 0o755); err != nil && !os.IsExist(err) {
		return nil, err
	}
	files = append(files, [2]string{"cgroup.procs", strconv.Itoa(p.cmd.Process.Pid)})
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, f[0]), []byte(f[1]), 0o600); err != nil {
			return nil, err
		}
	}
	return func() {
		p.kill()
		_ = os.Remove(dir) // the next one takes it
	}, nil
}
