package bench

import (
	"log/slog"
	"sync"

	"github.com/asynkron/protoactor-go/actor"
)

// ProtoActor is an actor for each call. Messages are records; a channel wakes who waits, which
// costs less than the future of a request.
var ProtoActor = &Contestant{
	Name:   "protoactor",
	How:    "asynkron/protoactor-go: an actor for each call, sent the operation",
	Claims: Orders | Queues | IDs | States | Sleeps,
	Open: func(Setting) Call {
		root := actorSystem().Root
		return &mailbox{root, root.Spawn(actorProps)}
	},
}

var actorProps = actor.PropsFromFunc(func(c actor.Context) {
	if r, ok := c.Message().(*record); ok {
		r.do()
	}
})

// actorSystem is one for all calls, as its authors advise, made when the first needs it.
var actorSystem = sync.OnceValue(func() *actor.ActorSystem {
	return actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler)
	}))
})

type mailbox struct {
	root *actor.RootContext
	pid  *actor.PID
}

func (m *mailbox) Do(w *Work) {
	m.root.Send(m.pid, newRecord(w))
	<-w.ended
}

func (m *mailbox) Submit(w *Work) Op {
	r := newRecord(w)
	m.root.Send(m.pid, r)
	return r
}

func (m *mailbox) Close() {
	if err := m.root.PoisonFuture(m.pid).Wait(); err != nil {
		panic(err)
	}
}

// StopActors ends the actor system, if there is one, and with it the goroutines that it has of its
// own.
func StopActors() { actorSystem().Shutdown() }
