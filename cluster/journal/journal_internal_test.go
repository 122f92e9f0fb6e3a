package journal

import "testing"

// A server that has just joined has few of the keys, or none; keys come and go while they are read.
func TestAShortReadIsNoticed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		read, keys int
		short      bool
	}{
		{0, 0, false},
		{0, 1, true},
		{1, 3, false},
		{0, 100, true},
		{87, 100, true},
		{88, 100, false},
		{100, 100, false},
		{120, 100, false},
	} {
		if got := isShort(c.read, c.keys); got != c.short {
			t.Errorf("%d of %d: got %v", c.read, c.keys, got)
		}
	}
}
