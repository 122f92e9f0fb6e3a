package member

import (
	"encoding/json"
	"testing"
	"time"
)

// Whatever comes in is refused, or leaves a machine that goes on: no lease without a grant, no death
// by one word.
func FuzzMessages(f *testing.F) {
	now := 20 * time.Second
	for _, text := range []string{
		`{"from":"b","config":"same","boot":1,"epoch":9,"sent":1}`,
		`{"from":"b","config":"same","boot":1,"epoch":9,"sent":1,"left":true}`,
		`{"from":"a","config":"same","boot":8,"epoch":9,"sent":1,"held":true}`,
		`{"from":"b","to":"a","boot":7,"epoch":104,"sent":1,"verdict":2,"nodes":[{},{"floor":5,"held":6},{"died":7,"heirs":[1,2,3]}]}`,
		`{"from":"b","to":"a","boot":7,"epoch":104,"sent":1,"verdict":5,"config":"other"}`,
	} {
		f.Add([]byte(text), byte(1))
	}
	f.Fuzz(func(t *testing.T, data []byte, from byte) {
		m := oneOfThree(t)
		var b beat
		if decode(data, &b) == nil && b.check() == nil {
			a := m.hear(int(from%4)-1, b, now)
			if sent := encode(a); a.check(3) != nil || len(sent) > maxMessage {
				t.Errorf("its own answer is refused: %v, %s", a.check(3), sent)
			}
		}
		var a answer
		if decode(data, &a) == nil && a.check(3) == nil {
			m.receive(int(from%3), a, now)
			if m.held && a.Verdict != granted {
				t.Error("it holds without a grant")
			}
		}
		if m.peers[1].dead+m.peers[2].dead > 0 {
			t.Error("one word was enough for a death")
		}
		m.tick(now + time.Second)
		if v := m.view([]string{"a", "b", "c"}); len(v.nodes) != 3 {
			t.Errorf("the view has %d nodes", len(v.nodes))
		}
	})
}

// The largest answer that a node can send is one that others read.
func TestTheLargestMessageIsRead(t *testing.T) {
	t.Parallel()
	a := answer{Verdict: granted, Boot: 1<<64 - 1, Epoch: maxEpoch, Sent: 1<<63 - 1}
	for range MaxNodes {
		r := report{Floor: maxEpoch, Held: maxEpoch, Died: maxEpoch}
		for range MaxNodes {
			r.Heirs = append(r.Heirs, maxEpoch)
		}
		a.Nodes = append(a.Nodes, r)
	}
	text, err := json.Marshal(a)
	if err != nil || len(text) > maxMessage {
		t.Errorf("%d bytes, at most %d: %v", len(text), maxMessage, err)
	}
	var read answer
	if err := decode(text, &read); err != nil || read.check(MaxNodes) != nil {
		t.Errorf("it is refused: %v, %v", err, read.check(MaxNodes))
	}
}
