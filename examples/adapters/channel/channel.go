// Package channel shows how media is written for a back end whose events do not say what they
// are about: as in FreeSWITCH, the end of a playback names the channel and no more, and a break
// hits whatever the channel plays. Commands, answers and events share one connection, in order.
//
// What to look at:
//
//   - The queue has one task at a time, but the back end may be behind: it may still be at a
//     playback that was stopped and whose end was so late that the queue gave it up. That end must
//     not end the next operation, and the next one's break must not be wasted on it. So the adapter
//     has at most one playback at the back end, and keeps its task until its end has come: a
//     given-up task takes a late report and nothing happens. The next task waits that long in the
//     adapter.
//   - An end that never comes would have the next task wait for ever. So the adapter asks the
//     channel whether it plays at all. An answer is behind all events that were sent before it, so
//     "idle" means that the end was lost.
//   - A line that is too long is one that says nothing we know: only its answer, or its event, is
//     lost.
//   - A stop of a task that waits in the adapter is answered at once.
//   - All is decided under one lock and reported after it, so that the adapter works with inline
//     callbacks too.
package channel

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"

	"ivrqueue/examples/adapters/internal/lines"
	"ivrqueue/operation"
	"ivrqueue/queue"
)

// Channel is media of one channel, over a connection of its own. New makes it, Close ends it.
type Channel struct {
	conn net.Conn
	over chan struct{} // closed when nothing is read any more

	mu      sync.Mutex // guards the block below
	on      queue.Task // whose playback the back end has; until its end came, even if abandoned
	next    queue.Task // waits until the back end is through with on
	answers []answer   // to the commands under way, in order
	err     error      // why the connection is of no use
}

// answer takes the answer to a command, under the lock, and returns what is to be reported.
type answer func(text string) report

// report is a task that is to be ended. Its zero value does nothing, as the zero Task takes any.
type report struct {
	task   queue.Task
	result operation.Result
}

var (
	_         queue.Media = (*Channel)(nil)
	cancelled             = operation.Result{Reason: operation.Cancelled}
)

// New makes media of a connection to a channel.
func New(conn net.Conn) *Channel {
	c := &Channel{conn: conn, over: make(chan struct{})}
	go c.read()
	return c
}

// Close ends the connection, and fails what is under way.
func (c *Channel) Close() {
	_ = c.conn.Close()
	<-c.over
}

// Start plays t, or has it wait if the back end is not through with what it had before.
func (c *Channel) Start(t queue.Task) error {
	play, ok := t.Request().(*operation.PlayPrompt)
	if !ok {
		return fmt.Errorf("channel: cannot do %q", t.Kind())
	}
	for _, p := range play.Prompts {
		if strings.ContainsAny(p.URI, " \r\n") { // it would be more than one word of a command
			return fmt.Errorf("channel: %q: %w", p.URI, operation.NotDownloadable)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return c.err
	}
	c.next = t
	if c.on == (queue.Task{}) {
		c.play()
		return nil
	}
	late := c.on
	c.send("status", func(text string) report {
		if text == "+OK idle" && c.on == late {
			return c.free(operation.Result{Err: errors.New("channel: the end was lost")})
		}
		return report{}
	})
	return nil
}

// Stop breaks what t plays.
func (c *Channel) Stop(t queue.Task) {
	c.do(func() report {
		switch t {
		case c.next:
			c.next = queue.Task{}
			return report{t, cancelled}
		case c.on:
			c.send("break", func(text string) report {
				if text != "+OK" && c.on == t { // it plays nothing: the end was lost
					return c.free(cancelled)
				}
				return report{}
			})
		}
		return report{}
	})
}

// play has the back end play the task that waits.
func (c *Channel) play() {
	t := c.next
	c.on, c.next = t, queue.Task{}
	words := []string{"play"}
	for _, p := range t.Request().(*operation.PlayPrompt).Prompts { // Start takes no other
		words = append(words, p.URI)
	}
	c.send(strings.Join(words, " "), func(text string) report {
		if text != "+OK" && c.on == t { // it never began, so no end will come
			return c.free(operation.Result{Reason: operation.PromptFailed, Err: errors.New(text)})
		}
		return report{}
	})
}

// free is called when the back end is through with its playback. It reports that one and plays the
// next. One that is dead is left to its Stop.
func (c *Channel) free(r operation.Result) report {
	t := c.on
	c.on = queue.Task{}
	if c.next.Live() {
		c.play()
	}
	return report{t, r}
}

// maxAnswers is how many answers may be due. A back end that owes more will not give them.
const maxAnswers = 100

// send sends a command. The lock is held, so that answers are in the order of the commands; a
// line is short, and a connection that does not take it will not do anything else either.
func (c *Channel) send(command string, a answer) {
	c.answers = append(c.answers, a)
	_, err := fmt.Fprintln(c.conn, command)
	if err != nil || len(c.answers) > maxAnswers {
		_ = c.conn.Close() // the reader sees to it
	}
}

// read takes answers and events until the connection ends.
func (c *Channel) read() {
	defer close(c.over)
	in := lines.New(c.conn)
	var err error
	for {
		var line []byte
		line, _, err = in.Next()
		if err != nil {
			break
		}
		c.do(func() report { return c.take(string(line)) })
	}
	var on, next queue.Task
	c.do(func() report {
		on, next, c.on, c.next = c.on, c.next, queue.Task{}, queue.Task{}
		c.err = fmt.Errorf("channel: connection lost: %w", errors.Join(err, net.ErrClosed))
		return report{}
	})
	on.Fail(c.err)
	next.Fail(c.err)
}

// take takes a line: "EVENT channel PLAYBACK_STOP done", or an answer.
func (c *Channel) take(line string) report {
	switch event, isEvent := strings.CutPrefix(line, "EVENT "); {
	case isEvent && strings.HasSuffix(event, " PLAYBACK_STOP done"):
		return c.free(operation.Result{})
	case isEvent && strings.HasSuffix(event, " PLAYBACK_STOP break"):
		return c.free(cancelled)
	case isEvent || len(c.answers) == 0:
		return report{}
	}
	a := c.answers[0]
	c.answers = c.answers[1:]
	return a(line)
}

// do changes something under the lock and reports after it.
func (c *Channel) do(change func() report) {
	c.mu.Lock()
	r := change()
	c.mu.Unlock()
	r.task.End(r.result)
}
