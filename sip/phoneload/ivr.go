//go:build unix

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"ivrqueue/media"
	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/sip"
	"ivrqueue/tone"
)

// stats are those of a process.
type stats struct {
	CPU        time.Duration // that it has used
	Heap       uint64        // bytes, after a collection
	Goroutines int
	Sockets    int // and other open files
}

func measured() stats {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	files, _ := os.ReadDir("/proc/self/fd")
	return stats{
		CPU:  time.Duration(usage.Utime.Nano() + usage.Stime.Nano()),
		Heap: m.HeapAlloc, Goroutines: runtime.NumGoroutine(), Sockets: len(files),
	}
}

// cancelled is when CancelAll had returned, in a call.
type cancelled struct {
	Call string
	At   time.Time
}

// platform answers each call, plays music in it, and cancels everything when a key is pressed.
type platform struct {
	engine *media.Engine

	mu      sync.Mutex
	cancels []cancelled
}

// music is a prompt of 10 s.
type music struct{ audio media.Audio }

func (m music) Load(context.Context, operation.Prompt) ([]int16, error) {
	return nil, errors.New("it is there in one codec")
}

//nolint:unparam // as the interface has it
func (m music) LoadAudio(
	context.Context, operation.Prompt, media.Codec,
) (media.Audio, error) {
	return m.audio, nil
}

// ivr is the process that answers.
func ivr(invites int) error {
	samples := make([]int16, 10*8000)
	for i := range samples {
		samples[i] = int16(8000 * math.Sin(2*math.Pi*440*float64(i)/8000))
	}
	audio, err := media.NewAudio(context.Background(), samples, 8000, sip.Codec)
	if err != nil {
		return err
	}
	p := &platform{engine: media.NewEngine()}
	defer p.engine.Close()
	agent, err := sip.Listen(sip.Options{
		Listen: netip.MustParseAddrPort("127.0.0.1:0"), MaxInvites: invites, MaxRequests: 5000,
		Trunks:   []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, // all of the load is from here
		Logger:   slog.New(slog.DiscardHandler),
		Incoming: func(c *sip.Call) { p.take(c, music{audio}) },
	})
	if err != nil {
		return err
	}
	defer agent.Shutdown(context.Background()) //nolint:errcheck // the process ends
	fmt.Println(agent.Addr())
	commands := bufio.NewScanner(os.Stdin)
	for commands.Scan() {
		var answer any = measured()
		if commands.Text() == "cancels" {
			p.mu.Lock()
			answer = p.cancels
			p.mu.Unlock()
		}
		text, err := json.Marshal(answer)
		if err != nil {
			return err
		}
		fmt.Println(string(text))
	}
	return commands.Err()
}

func (p *platform) take(c *sip.Call, prompts media.Loader) {
	m, err := p.engine.Media(media.Call{
		Codec: sip.Codec, Sink: c.Line(), Source: c.Line(), Prompts: prompts, Tones: c.Tones(),
	})
	if err != nil {
		return
	}
	q, err := queue.New(c.ID(), m)
	if err != nil {
		return
	}
	_, err = c.Tones().Handle(tone.All, func(tone.Event) {
		q.CancelAll()
		at := time.Now()
		p.mu.Lock()
		defer p.mu.Unlock()
		p.cancels = append(p.cancels, cancelled{c.ID(), at})
	})
	if err != nil || c.Answer() != nil {
		q.Close(nil)
		return
	}
	_, _ = q.Enqueue(context.Background(), &operation.PlayPrompt{
		Prompts: []operation.Prompt{{URI: "music"}}, Loop: true,
	})
	<-c.Done()
	q.Close(nil)
}
