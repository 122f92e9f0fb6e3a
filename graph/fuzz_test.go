package graph_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/uuid"

	"ivrqueue/graph"
	"ivrqueue/internal/bounds"
	"ivrqueue/queue"
	"ivrqueue/webhook"
)

// fuzz sends bodies to an action, plain and as gzip, and checks what must hold whatever they are:
// no panic, no 500, an envelope for every error, an operation exactly if it is said to be one, and
// memory and time in proportion to what was sent.
func fuzz(f *testing.F, action string) {
	f.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "*.request.json"))
	if err != nil || len(files) == 0 {
		f.Fatal(err)
	}
	for _, name := range files {
		body, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body, false)
		f.Add(zipped(string(body)), true)
	}
	for _, s := range []string{
		"", "null", "{}", `{"prompts":[null]}`, `{"prompts":[{"mediaInfo":{"uri":"x"}}],"loop":true}`, `{"stopTones":["!"]}`,
		`{"callbackUri":"https://[::1]/"}`, `{"callbackUri":"https://x/","mediaConfig":{"@odata.type":null}}`, `{"targets":[{"a":1e999}]}`,
		`{"targets":[` + strings.Repeat(`{},`, 5000) + `{}]}`, `{"requestedModalities":[` + strings.Repeat(`"audio",`, 5000) + `1]}`,
		`{"targets":[` + strings.Repeat(`{"a":1},`, 2000) + `{}]}`, `{"mediaConfig":{` + strings.Repeat(`"":{"a":{}},`, 1000) + `"b":1}}`,
		`{"prompts":[` + strings.Repeat(`{"mediaInfo":{}},`, 2000) + `0]}`, `{"prompts":[{"mediaInfo":{"uri":"` + strings.Repeat("x", 100_000) + `"}}]}`,
		`{"stopTones":[` + strings.Repeat(`"tone1",`, 4000) + `"#"]}`, `{"clientContext":` + strings.Repeat("1", 100_000) + `}`,
		`{"mediaConfig":{"` + strings.Repeat(`\u003c`, 10_000) + `":"<<<<"}}`, strings.Repeat(`{"a":`, 64) + "1e999" + strings.Repeat("}", 64),
		`{"prompts":[{},{"mediaInfo":{"uri":7}}]}`, `{"PROMPTS":[[]],"prompts":{}}`, strings.Repeat(" ", 100_000) + "{}",
		strings.Repeat("[", 100), "{\"clientContext\":\"\xff\"}", `{"clientContext":"\ud800"}`, `{"maxRecordDurationInSeconds":1e1}`,
	} {
		f.Add([]byte(s), false)
		f.Add(zipped(s), true)
	}
	f.Add(bytes.Repeat(zipped(""), 1000), true) // members without end, and without content
	f.Add(zipped(`{"targets":[`+strings.Repeat(`{},`, 349_000)+`{}]}`), true)
	f.Fuzz(func(t *testing.T, body []byte, gzip bool) {
		p := newPlatform(t, new(inbox).Deliver)
		bot, call := p.direct(), p.attach("bot", "https://bot.contoso.com/", queue.WithMaxPending(1))
		path, want := "/communications/calls/"+call.ID().String()+"/"+action, http.StatusOK
		if action == "" {
			path, want = "/communications/calls", http.StatusCreated
		}
		var header []string
		if gzip {
			header = []string{"Content-Encoding", "gzip"}
		}
		perByte := 16
		if gzip {
			perByte *= graph.MaxInflation
		}
		var r reply
		bounds.Proportionate(t, len(body), perByte, func() { r = bot.request(http.MethodPost, path, body, header...) })
		switch r.status {
		case want:
			if _, err := uuid.Parse(r.text("id")); err != nil || !strings.HasSuffix(r.header.Get("Location"), r.text("id")) {
				t.Errorf("no resource: %s, %v", show(r.body), r.header)
			}
		case 400, 413:
			envelope(t, r)
			if s := call.Queue().Snapshot(); s.Running != nil || len(p.calls) > 1 || len(list(t, bot, call)) > 0 {
				t.Errorf("half accepted: %+v", s)
			}
		default:
			t.Errorf("got %d: %s", r.status, show(r.body))
		}
	})
}

func FuzzPlayPrompt(f *testing.F)            { fuzz(f, "playPrompt") }
func FuzzRecordResponse(f *testing.F)        { fuzz(f, "recordResponse") }
func FuzzCancelMediaProcessing(f *testing.F) { fuzz(f, "cancelMediaProcessing") }
func FuzzSubscribeToTone(f *testing.F)       { fuzz(f, "subscribeToTone") }
func FuzzCreateCall(f *testing.F)            { fuzz(f, "") }

// FuzzPath asks for anything anywhere.
func FuzzPath(f *testing.F) {
	p := newPlatform(f, func(context.Context, webhook.Delivery) error { return nil })
	bot, call := p.direct(), p.attach("bot", "")
	for _, s := range []string{
		"/communications/calls", "/app/calls/%s", "/beta/communications/calls/%s/operations/%s", "/communications/calls/%s/microsoft.graph.",
		"//communications//calls", strings.Repeat("/", 100_000), strings.Repeat("/app/calls", 10_000), "/communications/calls/" + strings.Repeat("x", 100_000),
		"/communications/calls/%2e%2e/x", "/communications/calls/%s/operations/%s/..",
	} {
		f.Add("GET", strings.ReplaceAll(s, "%s", call.ID().String()))
		f.Add("POST", strings.ReplaceAll(s, "%s", call.ID().String()))
	}
	f.Fuzz(func(t *testing.T, method, path string) {
		r, err := http.NewRequestWithContext(t.Context(), method, "http://media.example/", nil)
		if err != nil || !strings.HasPrefix(path, "/") {
			return
		}
		r.URL.Path = path
		r.Header.Set("Authorization", "Bearer bot")
		var w *http.Response
		bounds.Proportionate(t, len(path)+len(method), 16, func() { w, err = bot.do(r) }) //nolint:bodyclose // it is, below
		if err != nil {
			t.Fatal(err)
		}
		defer w.Body.Close()
		if w.StatusCode >= 500 || w.StatusCode/100 == 3 {
			t.Errorf("%s %q: got %d", method, path, w.StatusCode)
		}
	})
}

// FuzzJSONText reads valid texts: what is taken is Unicode, says each name once, and is otherwise
// what the standard library makes of it.
func FuzzJSONText(f *testing.F) {
	for _, s := range []string{
		`{}`, `[]`, `null`, ` [ 1 , "a" , { } ] `, `{"a":1,"A":{"b":[2,{"c":3,"c":4}]},"a":[]}`, `{"a":{"b":1,"b":2},"a":3}`,
		`{"\u0061":1,"a":2}`, `"\ud83d\ude00\\\"\/"`, `"\ud83d"`, "\"\xff\"", `{"ſ":1,"s":2,"S":3}`, `{"a\"]}":"{[,","b":-1.5e+3}`, `{"":1,"":2}`, `{"b":1e999}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if !json.Valid(data) || len(data) > 4096 || bytes.Count(data, []byte{'['})+bytes.Count(data, []byte{'{'}) > 64 {
			return
		}
		bounds.Proportionate(t, len(data), 256, func() {
			text, err := graph.ReadJSON(data)
			if err != nil {
				if utf8.Valid(data) && !bytes.Contains(bytes.ToLower(data), []byte(`\ud`)) {
					t.Errorf("%q: %v", data, err)
				}
				return
			}
			was, errWas := decoded(data)
			is, errIs := decoded(text)
			if errWas != nil || errIs != nil {
				t.Fatalf("%q became %q: %v, %v", data, text, errWas, errIs)
			}
			if again, err := graph.ReadJSON(text); err != nil || !bytes.Equal(again, text) {
				t.Errorf("%q became %q, then %q, %v", data, text, again, err)
			}
			if !folded(was) && show(was) != show(is) {
				t.Errorf("%q became %q", data, text)
			}
		})
	})
}

// decoded is what the standard library makes of a text, its numbers as they are written: JSON has
// some that are too large for a float64.
func decoded(text []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}

// folded reports whether an object has names that differ in letter case alone.
func folded(v any) bool {
	switch v := v.(type) {
	case object:
		for a, in := range v {
			for b := range v {
				if a != b && strings.EqualFold(a, b) {
					return true
				}
			}
			if folded(in) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, folded)
	}
	return false
}
