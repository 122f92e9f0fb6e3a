package member

import (
	"fmt"
	"testing"
)

// Nodes of different versions must agree.
func TestTheSharesOfTheHeirsAreTheProtocols(t *testing.T) {
	t.Parallel()
	for i, want := range []string{"c", "c", "c", "a", "a", "c", "a", "b", "b", "c", "a", "a"} {
		if heir := rendezvous([]string{"a", "b", "c"}, [16]byte{byte(i)}); heir != want {
			t.Errorf("the heir of call %d is %s, want %s", i, heir, want)
		}
	}
}

func TestAnHeirsDeathMovesItsShareAlone(t *testing.T) {
	t.Parallel()
	shares := map[string]int{}
	for i := range 3000 {
		call := [16]byte{byte(i), byte(i >> 8)}
		before := rendezvous([]string{"a", "b", "c", "d"}, call)
		after := rendezvous([]string{"a", "b", "d"}, call)
		shares[before]++
		if before != "c" && before != after {
			t.Fatalf("call %d went from %s to %s", i, before, after)
		}
	}
	for name, n := range shares {
		if n < 600 || n > 900 {
			t.Errorf("%s has %d of 3000 calls", name, n)
		}
	}
}

func TestAViewKnowsItsNodesOnly(t *testing.T) {
	t.Parallel()
	v := &View{nodes: []nodeView{
		{name: "a", held: 5, dead: 4, heirs: []string{"b"}}, {name: "b", held: 7}, {name: "c", dead: 9},
	}}
	if got := fmt.Sprint(v.Live()); got != "[a b]" {
		t.Errorf("live are %s", got)
	}
	for _, c := range []struct {
		node  string
		epoch Epoch
		ended bool
		heir  string
	}{
		{"a", 4, true, "b"}, {"a", 5, false, ""}, {"b", 1, false, ""}, {"c", 9, true, ""}, {"x", 1, false, ""}, {"", 0, false, ""},
	} {
		heir, ok := v.Heir(c.node, c.epoch, [16]byte{})
		if v.Ended(c.node, c.epoch) != c.ended || heir != c.heir || ok != (c.heir != "") {
			t.Errorf("%s %d: ended is %v, heir %q, %v", c.node, c.epoch, v.Ended(c.node, c.epoch), heir, ok)
		}
	}
	if e, ok := v.Epoch("a"); e != 5 || !ok {
		t.Errorf("epoch %d, %v", e, ok)
	}
	if e, ok := v.Epoch("c"); e != 0 || ok {
		t.Errorf("epoch %d, %v", e, ok)
	}
}
