package cluster

import (
	"testing"
	"time"

	"github.com/google/uuid"
)

// A record that can't be read is tried once a minute, for a day; each is news once.
func TestWhatIsNotReadIsTriedAgainLaterAndGivenUpAtLast(t *testing.T) {
	t.Parallel()
	u, call, other := make(unread), uuid.New(), uuid.New()
	began := time.Now()
	u.note(other, began) // it is not tried again, for it is gone
	news, tries := 0, 0
	for at := time.Duration(0); ; at += time.Second {
		now := began.Add(at)
		if u.forget(now); u.waits(call, now) {
			continue
		}
		tries++
		first, over := u.note(call, now)
		if first {
			news++
		}
		if over {
			if at != unreadFor {
				t.Errorf("given up after %v", at)
			}
			break
		}
	}
	if news != 1 || tries != 24*60+1 {
		t.Errorf("news %d times, tried %d times", news, tries)
	}
	if _, ok := u[other]; ok || len(u) != 1 {
		t.Errorf("it remembers %v", u)
	}
}
