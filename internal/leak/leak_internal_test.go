package leak

import (
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { Verify(m) }

// tests leave a goroutine that ends after a while.
type tests time.Duration

func (t tests) Run() int {
	go func() { time.Sleep(time.Duration(t)) }()
	return 0
}

// What takes longer to end than goleak waits is no leak.
func TestWhatIsAboutToEndIsWaitedFor(t *testing.T) { //nolint:paralleltest // others are goroutines, too
	now := goleak.IgnoreCurrent()
	p := patient{tests(2 * time.Second), []goleak.Option{now}}
	if code := p.Run(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if err := goleak.Find(now); err != nil {
		t.Error(err)
	}
}
