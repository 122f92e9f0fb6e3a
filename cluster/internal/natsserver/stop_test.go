package natsserver_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"ivrqueue/cluster/internal/natsserver"
	"ivrqueue/internal/leak"
)

// Of the NATS server, for the whole process: it stays when the server has shut down.
var usual = goleak.IgnoreTopFunction("github.com/nats-io/nats-server/v2/server.init.0.func1")

func TestMain(m *testing.M) { leak.Verify(m, usual) }

// A server that is stopped while it makes streams leaves nothing.
func TestNothingIsLeftOfWhatIsBeingMade(t *testing.T) { //nolint:paralleltest // others are goroutines, too
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true,
		JetStream: true, StoreDir: t.TempDir(), JetStreamMaxStore: 1 << 30,
	})
	if err != nil {
		t.Fatal(err)
	}
	go s.Start()
	if !s.ReadyForConnections(time.Minute) {
		t.Fatal("the server does not start")
	}
	conn, err := nats.Connect("", nats.InProcessServer(s), nats.Timeout(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		name := fmt.Sprintf("s%d", i)
		text, err := json.Marshal(jetstream.StreamConfig{Name: name, Subjects: []string{name}})
		if err == nil {
			err = conn.PublishRequest("$JS.API.STREAM.CREATE."+name, "nobody", text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := conn.FlushTimeout(time.Minute); err != nil {
		t.Fatal(err)
	}
	conn.Close()
	natsserver.Stop(s)
	left := goleak.Find(usual)
	for over := time.Now().Add(5 * time.Second); left != nil && time.Now().Before(over); {
		left = goleak.Find(usual) // it waits for what is about to end
	}
	if left != nil {
		t.Error(left)
	}
}
