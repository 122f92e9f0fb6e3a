package lines_test

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"ivrqueue/examples/adapters/internal/lines"
)

type line struct {
	text string
	cut  bool
}

func all(t *testing.T, r io.Reader) (got []line) {
	t.Helper()
	in := lines.New(r)
	for {
		text, cut, err := in.Next()
		if errors.Is(err, io.EOF) {
			return got
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, line{string(text), cut})
	}
}

func TestALineThatIsTooLongIsCutAndTheNextIsRead(t *testing.T) {
	t.Parallel()
	most := strings.Repeat("m", lines.Max)
	for name, test := range map[string]struct {
		in   string
		want []line
	}{
		"nothing":          {"", nil},
		"an end":           {"\n", []line{{"", false}}},
		"two":              {"a\r\nb\n", []line{{"a", false}, {"b", false}}},
		"without its end":  {"a\nb", []line{{"a", false}, {"b", false}}},
		"the longest":      {most + "\na\n", []line{{most, false}, {"a", false}}},
		"the longest, CR":  {most + "\r\na\n", []line{{most, false}, {"a", false}}},
		"one byte more":    {most + "x\na\n", []line{{most, true}, {"a", false}}},
		"two bytes more":   {most + "xy\na\n", []line{{most, true}, {"a", false}}},
		"much more":        {most + strings.Repeat("x", 5*lines.Max) + "\na\n", []line{{most, true}, {"a", false}}},
		"that has no end":  {most + "xyz", []line{{most, true}}},
		"and another long": {most + "xyz\n" + most + "xyz\na", []line{{most, true}, {most, true}, {"a", false}}},
	} {
		for _, r := range []io.Reader{strings.NewReader(test.in), iotest.HalfReader(strings.NewReader(test.in))} {
			got := all(t, r)
			same := len(got) == len(test.want)
			for i := range got {
				same = same && got[i] == test.want[i]
			}
			if !same {
				t.Errorf("%s: got %.100v", name, got)
			}
		}
	}
}

func TestAnErrorOfTheReaderIsReturned(t *testing.T) {
	t.Parallel()
	broken := errors.New("line broken")
	for _, before := range []string{"", "half", strings.Repeat("x", 2*lines.Max)} {
		in := lines.New(io.MultiReader(strings.NewReader(before), iotest.ErrReader(broken)))
		if text, _, err := in.Next(); !errors.Is(err, broken) || text != nil {
			t.Errorf("got %.20q, %v", text, err)
		}
	}
}

// Whatever comes, lines are parts of it in order, and the memory and time that they take are bounded.
func FuzzLines(f *testing.F) {
	f.Add([]byte("a\r\nb"), uint16(1))
	f.Add([]byte("x\n"), uint16(1+lines.Max/2))
	f.Add([]byte("xyz"), uint16(60_000))
	f.Fuzz(func(t *testing.T, data []byte, times uint16) {
		data = bytes.Repeat(data, int(times%2048))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		began := time.Now()
		in, rest, cuts := lines.New(bytes.NewReader(data)), data, 0
		for {
			text, cut, err := in.Next()
			if err != nil {
				break
			}
			if len(text) > lines.Max || cut && len(text) < lines.Max {
				t.Fatalf("a line of %d bytes, cut %v", len(text), cut)
			}
			if !bytes.HasPrefix(rest, text) {
				t.Fatal("a line that does not come next")
			}
			if cut {
				cuts++
			}
			_, rest, _ = bytes.Cut(rest, []byte("\n"))
		}
		took := time.Since(began)
		runtime.ReadMemStats(&after)
		if len(rest) > 0 {
			t.Errorf("%d bytes were not read", len(rest))
		}
		if got := after.TotalAlloc - before.TotalAlloc; got > uint64((cuts+2)*2*lines.Max) || took > 5*time.Second {
			t.Errorf("%d bytes and %v for %d bytes with %d long lines", got, took, len(data), cuts)
		}
	})
}
