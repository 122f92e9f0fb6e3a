package callid_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/uuid"

	"ivrqueue/cluster/callid"
	"ivrqueue/internal/leak"
)

func TestMain(m *testing.M) { leak.Verify(m) }

func TestAnIDSaysWhoHasTheCall(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a", "node-1", "NODE_2", strings.Repeat("x", 64)} {
		for _, epoch := range []uint32{1, 1764000000, math.MaxUint32} {
			want := callid.Owner{Node: callid.Of(name), Epoch: epoch}
			id := callid.New(want)
			if got, ok := callid.OwnerOf(id); !ok || got != want {
				t.Errorf("%s: got %v, %v, want %v", id, got, ok, want)
			}
			if id.Version() != 8 || id.Variant() != uuid.RFC4122 {
				t.Errorf("%s: version %d, variant %v", id, id.Version(), id.Variant())
			}
			if again, err := uuid.Parse(id.String()); err != nil || again != id {
				t.Errorf("%s: parsed %s, %v", id, again, err)
			}
		}
	}
}

// The bits that nobody can guess: each is 0 in some ids and 1 in others.
func TestAnIDHas74RandomBits(t *testing.T) {
	t.Parallel()
	o := callid.Owner{Node: 1, Epoch: 1}
	var ones, zeros uuid.UUID
	for range 200 {
		for i, b := range callid.New(o) {
			ones[i] |= b
			zeros[i] |= ^b
		}
	}
	random := 0
	for i := range ones {
		for bit := range 8 {
			random += int(ones[i]>>bit&1) & int(zeros[i]>>bit&1)
		}
	}
	if random != 74 {
		t.Errorf("got %d random bits, want 74", random)
	}
}

func TestOtherIDsSayNothing(t *testing.T) {
	t.Parallel()
	for _, id := range []uuid.UUID{
		uuid.Nil, uuid.Max, uuid.New(), uuid.Must(uuid.NewV7()),
		uuid.NewSHA1(uuid.NameSpaceURL, []byte("x")), callid.New(callid.Owner{Node: 7}),
	} {
		if o, ok := callid.OwnerOf(id); ok {
			t.Errorf("%s: got %v, want none", id, o)
		}
	}
}

// The hash is part of the protocol.
func TestTheHashOfANameStays(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]callid.Node{"a": 0x19a2, "": 0xf011} {
		if got := callid.Of(name); got != want {
			t.Errorf("%q: got %#x, want %#x", name, got, want)
		}
	}
}

func TestNamesThatCannotBeToldApartAreRefused(t *testing.T) {
	t.Parallel()
	seen := map[callid.Node]string{}
	for i := 0; ; i++ {
		name := fmt.Sprint("node-", i)
		other, ok := seen[callid.Of(name)]
		if !ok {
			seen[callid.Of(name)] = name
			continue
		}
		err := callid.Check([]string{"a", other, name})
		if err == nil || !strings.Contains(err.Error(), other) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s and %s: got %v", other, name, err)
		}
		break
	}
	if err := callid.Check([]string{"a", "b", "c"}); err != nil {
		t.Error(err)
	}
}

func FuzzOwnerOf(f *testing.F) {
	f.Add(make([]byte, 16))
	id := callid.New(callid.Owner{Node: 3, Epoch: 5})
	f.Add(id[:])
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) != 16 {
			return
		}
		id := uuid.UUID(data)
		o, ok := callid.OwnerOf(id)
		if !ok {
			return
		}
		if again, ok := callid.OwnerOf(callid.New(o)); !ok || again != o {
			t.Errorf("%s: %v became %v, %v", id, o, again, ok)
		}
	})
}
