//go:build unix

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// measureGaps has calls for some time, with audio both ways, beside a bare sender of as many
// streams, and reports how far packets are from being 20 ms apart.
func measureGaps(
	ctx context.Context, p *process, ivr netip.AddrPort, calls int, length time.Duration,
) error {
	var callers []*caller
	var bareTo []netip.AddrPort
	var bareCallers []*caller
	for i := range calls {
		c, err := call(ivr, fmt.Sprintf("gap%d", i))
		if err != nil {
			return err
		}
		callers = append(callers, c)
		b := new(caller)
		if b.signal, err = socket(); err != nil {
			return err
		}
		if b.audio, err = socket(); err != nil {
			return err
		}
		b.reading.Go(b.hear)
		bareCallers, bareTo = append(bareCallers, b), append(bareTo, address(b.audio))
	}
	sender, err := start(ctx, "bare")
	if err != nil {
		return err
	}
	to, err := json.Marshal(bareTo)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(sender.in, string(to)); err != nil {
		return err
	}
	stop := talk(callers)
	time.Sleep(time.Second)
	var before, after, bareAfter stats
	if err := p.ask("stats", &before); err != nil {
		return err
	}
	began := time.Now()
	time.Sleep(length)
	took := time.Since(began)
	if err := p.ask("stats", &after); err != nil {
		return err
	}
	if err := sender.ask("end", &bareAfter); err != nil {
		return err
	}
	sender.end()
	stop()
	fmt.Printf("%d calls at once for %v, both ways; packet gap − 20 ms, either way:\n", calls, length)
	tellGaps("the IVR", callers, began)
	tellGaps("the bare sender", bareCallers, began)
	per := func(cpu time.Duration) time.Duration {
		each := cpu.Seconds() / float64(calls) / took.Seconds()
		return time.Duration(each * 1e9).Round(10 * time.Microsecond)
	}
	fmt.Printf("  CPU for each second of a call: the IVR %v, the bare sender %v\n",
		per(after.CPU-before.CPU), per(bareAfter.CPU))
	for _, c := range bareCallers {
		_ = c.close()
	}
	return hangUp(callers)
}

func hangUp(callers []*caller) error {
	for _, c := range callers {
		if err := c.hangUp(); err != nil {
			return err
		}
	}
	return nil
}

// talk has all callers talk until the function that it returns is called.
func talk(callers []*caller) (stop func()) {
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		payload := make([]byte, 160)
		timer := time.NewTimer(0)
		defer timer.Stop()
		const frame = 20 * time.Millisecond
		for next := time.Now(); ; next = next.Add(frame) {
			select {
			case <-over:
				return
			case <-timer.C:
			}
			for _, c := range callers {
				_ = c.say(0, payload)
			}
			timer.Reset(time.Until(next.Add(frame)))
		}
	}()
	return func() {
		close(over)
		<-done
	}
}

// frameSamples is how much later the timestamp of the next packet is.
const frameSamples = 160

// tellGaps reports how far packets are from being 20 ms apart, and how many did not come: they were
// lost on the way, or never sent.
func tellGaps(who string, callers []*caller, from time.Time) {
	var off []time.Duration
	missing := 0
	for _, c := range callers {
		came := c.since(from)
		for i := 1; i < len(came); i++ {
			off = append(off, (came[i].at.Sub(came[i-1].at) - 20*time.Millisecond).Abs())
			missing += int(int32(came[i].stamp-came[i-1].stamp))/frameSamples - 1
		}
	}
	fmt.Printf("  %-16s %s of %d packets; %d are missing\n",
		who+":", quantiles(off), len(off), missing)
}

func quantiles(d []time.Duration) string {
	if len(d) == 0 {
		return "nothing"
	}
	slices.Sort(d)
	at := func(q float64) time.Duration {
		return d[int(q*float64(len(d)-1))].Round(10 * time.Microsecond)
	}
	return fmt.Sprintf("p50 %v, p99 %v, p99.9 %v, worst %v", at(.5), at(.99), at(.999), at(1))
}

// measureCancels presses a key in each of so many calls, which cancels what is played, and reports
// what still comes.
func measureCancels(p *process, ivr netip.AddrPort, cancels int) error {
	if cancels == 0 {
		return nil
	}
	var callers []*caller
	pressed := make(map[string]time.Time)
	for i := range cancels {
		c, err := call(ivr, fmt.Sprintf("cancel%d", i))
		if err != nil {
			return err
		}
		callers = append(callers, c)
	}
	time.Sleep(time.Second)
	for i, c := range callers {
		time.Sleep(time.Duration(41+i%17) * time.Millisecond) // anywhere between two frames
		for begun := time.Now(); len(c.since(begun.Add(-30*time.Millisecond))) == 0; {
			if time.Since(begun) > 5*time.Second {
				return fmt.Errorf("call %d: nothing is played", i)
			}
			time.Sleep(time.Millisecond)
		}
		pressed[c.id] = time.Now()
		if err := c.say(101, []byte{1, 10, 0, 160}); err != nil {
			return err
		}
	}
	time.Sleep(500 * time.Millisecond)
	var all []cancelled
	if err := p.ask("cancels", &all); err != nil {
		return err
	}
	instants := make(map[string]time.Time)
	for _, c := range all {
		instants[c.Call] = c.At
	}
	if len(instants) != cancels {
		return fmt.Errorf("%d of %d keys have cancelled", len(instants), cancels)
	}
	afterCancel, afterKey := make(map[int]int), make(map[int]int)
	var lastCancel, lastKey []time.Duration
	for _, c := range callers {
		late := c.since(instants[c.id])
		afterCancel[len(late)]++
		if len(late) > 0 {
			lastCancel = append(lastCancel, late[len(late)-1].at.Sub(instants[c.id]))
		}
		late = c.since(pressed[c.id])
		afterKey[len(late)]++
		last := time.Duration(0)
		if len(late) > 0 {
			last = late[len(late)-1].at.Sub(pressed[c.id])
		}
		lastKey = append(lastKey, last)
	}
	fmt.Printf("%d cancels by a key, one after the other:\n", cancels)
	fmt.Printf("  calls by packets after CancelAll has returned: %v; the last one by %s\n",
		afterCancel, quantiles(lastCancel))
	fmt.Printf("  calls by packets after the key was sent: %v; the last one by %s\n",
		afterKey, quantiles(lastKey))
	return hangUp(callers)
}

// measureFlood has calls beside INVITEs that come without end, and reports what becomes of them,
// and of the calls' packets.
func measureFlood(
	ctx context.Context, p *process, ivr netip.AddrPort, calls int, length time.Duration,
) error {
	if length == 0 {
		return nil
	}
	var callers []*caller
	for i := range calls {
		c, err := call(ivr, fmt.Sprintf("flood%d", i))
		if err != nil {
			return err
		}
		callers = append(callers, c)
		time.Sleep(10 * time.Millisecond) // within the limit
	}
	stop := talk(callers)
	began := time.Now()
	sent, answers, err := flood(ctx, ivr, length)
	if err != nil {
		return err
	}
	stop()
	var s stats
	if err := p.ask("stats", &s); err != nil {
		return err
	}
	fmt.Printf("%d calls beside %d INVITEs in %v, of which 200 a second are taken:\n",
		calls, sent, length)
	tellGaps("the IVR", callers, began)
	fmt.Printf("  the INVITEs were answered by %v; then heap %.1f MiB, %d goroutines\n",
		answers, float64(s.Heap)/(1<<20), s.Goroutines)
	return hangUp(callers)
}

// flood sends 5,000 INVITEs a second, with nothing in common, from one socket.
func flood(
	ctx context.Context, ivr netip.AddrPort, length time.Duration,
) (sent int, answers map[string]int, err error) {
	conn, err := socket()
	if err != nil {
		return 0, nil, err
	}
	answers = make(map[string]int)
	var reading sync.WaitGroup
	reading.Go(func() {
		data := make([]byte, 2048)
		for {
			n, err := conn.Read(data)
			if err != nil {
				return
			}
			if n >= len("SIP/2.0 503") {
				answers[string(data[8:11])]++
			}
		}
	})
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	c := &caller{signal: conn, ivr: ivr, to: "<sip:ivr@" + ivr.String() + ">"}
	for end := time.Now().Add(length); time.Now().Before(end) && ctx.Err() == nil; <-ticker.C {
		for range 5 {
			c.id = fmt.Sprintf("invite%d", sent)
			if err := c.send("INVITE", 1, "v=0\r\n"); err != nil {
				return sent, nil, err
			}
			sent++
		}
	}
	time.Sleep(100 * time.Millisecond)
	err = conn.Close()
	reading.Wait()
	return sent, answers, err
}

// settled is how long the SIP stack keeps what it has answered: 32 s.
const settled = 35 * time.Second

// measureChurn makes and ends so many calls, and reports what is left of them.
func measureChurn(ctx context.Context, p *process, ivr netip.AddrPort, churn int) error {
	if churn == 0 {
		return nil
	}
	round := func(name string, calls int) (stats, error) {
		began := time.Now()
		if err := comeAndGo(ivr, name, calls); err != nil {
			return stats{}, err
		}
		took := time.Since(began)
		timer := time.NewTimer(settled)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return stats{}, ctx.Err()
		}
		var s stats
		err := p.ask("stats", &s)
		fmt.Printf("  after %d calls in %v: heap %.1f MiB, %d goroutines, %d open files\n",
			calls, took.Round(time.Second), float64(s.Heap)/(1<<20), s.Goroutines, s.Sockets)
		return s, err
	}
	fmt.Printf("%d calls come and go, 50 at once; what is left when the SIP stack has "+
		"forgotten them:\n", churn)
	before, err := round("first", churn/2)
	if err != nil {
		return err
	}
	after, err := round("second", churn-churn/2)
	if err != nil {
		return err
	}
	const slack = 1 << 20
	if after.Heap > before.Heap+slack || after.Goroutines > before.Goroutines+5 ||
		after.Sockets > before.Sockets+5 {
		return fmt.Errorf("something is left of %d calls", churn)
	}
	return nil
}

func comeAndGo(ivr netip.AddrPort, name string, calls int) error {
	const atOnce = 50
	next, failed := make(chan int), make(chan error, atOnce)
	var work sync.WaitGroup
	for range atOnce {
		work.Go(func() {
			for i := range next {
				c, err := call(ivr, fmt.Sprintf("%s%d", name, i))
				if err == nil {
					_ = c.say(0, make([]byte, 160))
					err = c.hangUp()
				}
				if err != nil {
					select {
					case failed <- fmt.Errorf("call %d: %w", i, err):
					default:
					}
				}
			}
		})
	}
	for i := range calls {
		next <- i
	}
	close(next)
	work.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}
