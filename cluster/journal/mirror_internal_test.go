package journal

import (
	"testing"
	"time"

	"github.com/google/uuid"
)

// What is read from the bucket may be older than what has passed by: of each call the newest counts.
func TestTheMirrorKeepsTheNewest(t *testing.T) {
	t.Parallel()
	k := key{node: "a", epoch: 7, writer: "a", slot: 1}
	start := time.Now()
	call := uuid.MustParse("57dab8b1-894c-409a-b240-bd8beae78896")
	record := func(revision uint64, text string) []byte { return appendRecord(nil, call, revision, []byte(text)) }
	for name, c := range map[string]struct {
		do   func(m *mirror)
		want string
	}{
		"an older one passes by":            {func(m *mirror) { m.apply(k, record(2, "new"), false); m.apply(k, record(1, "old"), false) }, "new"},
		"an older one is read":              {func(m *mirror) { m.apply(k, record(2, "new"), false); m.apply(k, record(1, "old"), false) }, "new"},
		"a newer one is read":               {func(m *mirror) { m.apply(k, record(1, "old"), false); m.apply(k, record(2, "new"), false) }, "new"},
		"the end passes by, and then":       {func(m *mirror) { m.apply(k, record(2, ""), false); m.apply(k, record(1, "old"), false) }, ""},
		"the end is read after a start":     {func(m *mirror) { m.apply(k, record(1, "old"), false); m.apply(k, record(2, ""), false) }, ""},
		"the end of another's telling":      {func(m *mirror) { m.apply(k, record(2, "new"), false); m.apply(k, record(last, ""), false) }, ""},
		"an erased slot":                    {func(m *mirror) { m.apply(k, record(2, "new"), false); m.apply(k, nil, true) }, "new"},
		"the end passes by, and much later": {func(m *mirror) { m.apply(k, record(2, ""), false); m.turn(start); m.apply(k, record(1, "old"), false) }, ""},
		"the end passes by, and very much later": {func(m *mirror) {
			m.apply(k, record(2, ""), false)
			m.turn(start)
			m.turn(start.Add(rememberEnded - 1))
			m.turn(start.Add(rememberEnded))
			m.apply(k, record(1, "old"), false)
		}, "old"},
		"an older end": {func(m *mirror) { m.apply(k, record(2, "new"), false); m.apply(k, record(1, ""), false) }, "new"},
	} {
		m := new(mirror)
		c.do(m)
		if got := m.of(k).records[call].text; got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}
