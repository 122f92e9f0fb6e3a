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

// How much more three nodes do than one, each with the same small share of a processor: a play and
// the cancel that ends it, by few, many and very many clients at once. The nodes journal in each
// case; the single one on its disk alone. Three nodes that know nothing of each other say what the
// machine has to give: its processors share memory and caches, and three processes and their bots
// are busy where one was.
//
// Few clients do not keep three nodes busy: when each waits for an answer, a node sleeps, and wakes
// up for every message. What three nodes can do is what they do for very many.

const (
	quota        = 40 // hundredths of a processor for each node
	scaleTime    = 10 * time.Second
	callsAClient = 2
)

// scale measures, and prints what it saw.
func scale(ctx context.Context, c config) error {
	for _, clients := range []int{48, 144, 432} {
		if err := scaleFor(ctx, c, clients); err != nil {
			return err
		}
	}
	return nil
}

// scaleFor measures with so many clients.
func scaleFor(ctx context.Context, c config, clients int) error {
	one, cost, err := throughput(ctx, c, setup{clients: clients, clusters: 1, nodes: 1, routed: true})
	if err != nil {
		return err
	}
	fmt.Printf("%d clients, one node: %.0f plays and cancels a second, %.0f µs of a processor each\n",
		clients, one, cost)
	for _, m := range []struct {
		how      string
		clusters int
		routed   bool
	}{
		{"that know nothing of each other", 3, true},
		{"each request sent to its owner", 1, true},
		{"two thirds of the requests forwarded", 1, false},
	} {
		three, each, err := throughput(ctx, c, setup{
			clients: clients, clusters: m.clusters, nodes: 3 / m.clusters, routed: m.routed,
		})
		if err != nil {
			return err
		}
		fmt.Printf("  three, %s: %.0f, %.2f × one, %.0f µs each, so %.2f × where processors "+
			"are what is short\n", m.how, three, three/one, each, 3*cost/each)
	}
	return nil
}

// setup is what is measured.
type setup struct {
	clients, clusters int
	nodes             int  // of a cluster
	routed            bool // each request goes to the owner of its call
}

// throughput is how many plays with their cancels some clusters do in a second, and what each costs
// all of them, in microseconds of a processor.
func throughput(ctx context.Context, c config, s setup) (rate, cost float64, err error) {
	// Go would run threads for two processors, which look for work when there is none for them.
	c.netns, c.nodes, c.environ = false, s.nodes, []string{"GOMAXPROCS=1"}
	var t *test // the last one, and then with the nodes of all
	var all []*process
	for range s.clusters {
		if t, err = newTest(c); err != nil {
			return 0, 0, err
		}
		defer t.close()
		if err := t.start(ctx); err != nil {
			return 0, 0, err
		}
		all = append(all, t.nodes...)
	}
	n := len(all)
	for i, p := range all {
		p.name += strconv.Itoa(i)
	}
	t = &test{config: c, nodes: all, client: t.client, bots: t.bots}
	for _, p := range t.nodes {
		remove, err := limit(p, quota)
		if err != nil {
			return 0, 0, err
		}
		defer remove()
	}
	ids := make([]uuid.UUID, callsAClient*s.clients)
	for i := range ids {
		made, err := t.post(t.nodes[i%n], "", fmt.Sprintf(`{"callbackUri":%q}`, t.bots.url),
			http.StatusCreated)
		if err != nil {
			return 0, 0, err
		}
		if ids[i], err = uuid.Parse(made); err != nil {
			return 0, 0, err
		}
	}
	var pairs atomic.Int64
	used := t.used()
	ctx, cancel := context.WithTimeout(ctx, scaleTime)
	defer cancel()
	var work sync.WaitGroup
	errs := make([]error, s.clients)
	for w := range s.clients {
		work.Go(func() {
			for i := w; ctx.Err() == nil; i += s.clients {
				call := i % len(ids)
				to := t.nodes[call%n]
				if !s.routed { // to any, as behind a load balancer
					to = t.nodes[rand.IntN(n)]
				}
				path := "/" + ids[call].String()
				if _, errs[w] = t.post(to, path+"/playPrompt", playBody("x:y"), 200); errs[w] != nil {
					return
				}
				if _, errs[w] = t.post(to, path+"/cancelMediaProcessing", "{}", 200); errs[w] != nil {
					return
				}
				pairs.Add(1)
			}
		})
	}
	work.Wait()
	done := float64(pairs.Load())
	cost = float64((t.used() - used).Microseconds()) / done
	return done / scaleTime.Seconds(), cost, errors.Join(errs...)
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
