package bench

// Chan is what one writes by hand at first: a goroutine and a channel for each call, which runs
// functions. It is the fastest way to hand them over, and knows nothing of them.
var Chan = &Contestant{
	Name:   "chan",
	How:    "a goroutine and a channel for each call, written by hand; it only runs functions",
	Claims: Orders | Queues,
	Open: func(Setting) Call {
		c := &channel{work: make(chan *Work, channelRoom), gone: make(chan struct{})}
		go c.run()
		return c
	},
}

// channelRoom is how many functions may wait: more than a call has as a rule, and little enough
// that a hundred thousand calls fit. Who sends more waits.
const channelRoom = 64

type channel struct {
	work chan *Work
	gone chan struct{}
}

func (c *channel) run() {
	defer close(c.gone)
	for w := range c.work {
		w.Run()
		w.end()
	}
}

func (c *channel) Do(w *Work) {
	c.work <- w
	<-w.ended
}

func (c *channel) Submit(w *Work) Op {
	c.work <- w
	return nil
}

func (c *channel) Close() {
	close(c.work)
	<-c.gone
}
