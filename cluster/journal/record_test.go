package journal_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/google/uuid"

	"ivrqueue/cluster/journal"
	"ivrqueue/graph"
)

// Bodies come back as they were, byte for byte, whatever is in them; one that is longer than it may
// be lies elsewhere.
func TestARecordKeepsBodiesAsTheyAre(t *testing.T) {
	t.Parallel()
	posts := []graph.OwedPost{
		{ID: uuid.New(), Notifications: 1, Body: []byte("{\n\"a\": \"<&>\u2028\"\n}\n")},
		{ID: uuid.New(), Notifications: 2, Body: []byte("long " + strings.Repeat("\x00\xff", 100))},
		{ID: uuid.New(), Notifications: 3},
		{ID: uuid.New(), Notifications: 4, Body: []byte("\n")},
	}
	o := graph.Owed{CallID: uuid.New(), Application: "a\nb", CallbackURI: "https://x/\n", Version: 7, Posts: posts}
	for most, long := range map[int][]byte{205: posts[1].Body, 204: nil} {
		text := written(t, &o, most)
		got, err := journal.ReadRecord(string(text))
		if err != nil {
			t.Fatal(err)
		}
		want := o
		want.CallID, want.Posts = uuid.Nil, append([]graph.OwedPost(nil), posts...)
		want.Posts[1].Body, want.Posts[2].Body = long, got.Posts[2].Body
		for i := range got.Posts {
			if !bytes.Equal(got.Posts[i].Body, want.Posts[i].Body) {
				t.Errorf("body %d: got %q, want %q", i, got.Posts[i].Body, want.Posts[i].Body)
			}
			got.Posts[i].Body, want.Posts[i].Body = nil, nil
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	if !bytes.Equal(posts[0].Body, []byte("{\n\"a\": \"<&>\u2028\"\n}\n")) || o.CallID == uuid.Nil {
		t.Error("what is written has changed")
	}
	text := string(written(t, &o, 1000))
	line := strings.IndexByte(text, '\n')
	for n := range len(text) {
		if _, err := journal.ReadRecord(text[:n]); err == nil && n != line {
			t.Errorf("%d of %d bytes are taken for the whole", n, len(text))
		}
	}
}

// A journal of v0.1.0 has records that are JSON alone.
func TestARecordOfTheFirstReleaseIsRead(t *testing.T) {
	t.Parallel()
	o := graph.Owed{Application: "a", Posts: []graph.OwedPost{{ID: uuid.New(), Notifications: 1, Body: []byte("{\"a\":1}")}}}
	text, err := json.Marshal(&o)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := journal.ReadRecord(string(text)); err != nil || !reflect.DeepEqual(got, o) {
		t.Errorf("got %+v, %v, want %+v", got, err, o)
	}
}

// Whatever is there in the place of a record, nothing panics; what can be read can be written.
func FuzzRecord(f *testing.F) {
	f.Add(string(record(f, 7)))
	f.Add(string(written(f, &graph.Owed{Posts: []graph.OwedPost{{ID: uuid.New(), Body: []byte("x")}}}, 1)))
	f.Add("{\"posts\":[{},{}]}\n\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")
	f.Fuzz(func(t *testing.T, text string) {
		o, err := journal.ReadRecord(text)
		if err != nil {
			return
		}
		again, err := journal.ReadRecord(string(written(t, &o, len(text))))
		if err != nil || len(again.Posts) != len(o.Posts) {
			t.Errorf("%+v became %+v, %v", o, again, err)
		}
		for i := range again.Posts {
			if !bytes.Equal(again.Posts[i].Body, o.Posts[i].Body) {
				t.Errorf("%q became %q", o.Posts[i].Body, again.Posts[i].Body)
			}
		}
	})
}
