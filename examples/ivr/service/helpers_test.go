package service_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ivrqueue/examples/ivr/service"
	"ivrqueue/graph"
	"ivrqueue/media"
	"ivrqueue/webhook"
)

type object = map[string]any

func newListener(tb testing.TB) net.Listener {
	tb.Helper()
	l, err := new(net.ListenConfig).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

// at walks down a JSON value by member names.
func at(v any, path ...string) any {
	for _, name := range path {
		o, _ := v.(object)
		v = o[name]
	}
	return v
}

// rig is a service on a real socket, and a bot with a callback on another.
type rig struct {
	tb      testing.TB
	service *service.Service
	url     string
	client  *http.Client
	folder  string // of recordings
	prompts string // of file: prompts
	logs    *buffer

	callback string

	mu   sync.Mutex // guards the block below
	got  []object
	more chan struct{}
}

// buffer is a bytes.Buffer for several goroutines.
type buffer struct {
	mu      sync.Mutex
	buf     bytes.Buffer
	written chan struct{} // closed by the next Write; nil if nobody waits
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.written != nil {
		close(b.written)
		b.written = nil
	}
	return b.buf.Write(p)
}

// wait waits until the text is in it: a line may be logged after its notification.
func (b *buffer) wait(tb testing.TB, text string) {
	tb.Helper()
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	for {
		b.mu.Lock()
		there := strings.Contains(b.buf.String(), text)
		if b.written == nil {
			b.written = make(chan struct{})
		}
		written := b.written
		b.mu.Unlock()
		if there {
			return
		}
		select {
		case <-written:
		case <-deadline.C:
			tb.Fatalf("the log has no %q:\n%s", text, b)
		}
	}
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// until waits until something is so. It looks again and again, since what is waited for is the state of
// a folder, of the process, or of the service as its clients see it, which no event announces.
func until(tb testing.TB, what string, is func() bool) {
	tb.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			tb.Fatalf("it never came that %s", what)
		}
	}
}

// attempt is how long a rig's service waits for a bot.
const attempt = time.Minute

// start starts a service for development, whose calls are established at once.
func start(tb testing.TB, change ...func(*service.Options)) *rig {
	tb.Helper()
	r := &rig{tb: tb, folder: tb.TempDir(), prompts: tb.TempDir(), logs: new(buffer), more: make(chan struct{})}
	o := service.Options{
		Tokens: map[string]graph.Application{
			"bot":   service.Application("bot", graph.RoleInitiate),
			"other": service.Application("other", graph.RoleInitiate),
		},
		Dev: true, Folder: r.folder, Prompts: r.prompts, KeepRecordings: time.Hour,
		Logger: slog.New(slog.NewTextHandler(r.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
		// A machine that is held up for a while has nothing come twice, and no call ended.
		Notifier: []webhook.Option{
			webhook.WithBackoff(5*time.Millisecond, 50*time.Millisecond), webhook.WithAttemptTimeout(attempt),
		},
		Graph: []graph.Option{
			graph.WithMaxCalls(0), graph.WithMaxRequests(0), graph.WithAnswerTimeout(time.Minute),
		},
	}
	for _, f := range change {
		f(&o)
	}
	var err error
	if r.service, err = service.New(tb.Context(), o); err != nil {
		tb.Fatal(err)
	}
	server := httptest.NewServer(r.service)
	r.url, r.client = server.URL, server.Client()
	bot := httptest.NewServer(r)
	r.callback = bot.URL
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = r.service.Shutdown(ctx) // a test may have done so
		server.Close()
		bot.Close()
	})
	return r
}

// ServeHTTP is the bot's callback.
func (r *rig) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	var body struct{ Value []object }
	if err := json.NewDecoder(req.Body).Decode(&body); err != nil {
		r.tb.Error(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, body.Value...)
	close(r.more)
	r.more = make(chan struct{})
	w.WriteHeader(http.StatusAccepted)
}

// wait returns the first notification whose resource is so.
func (r *rig) wait(what string, is func(resource any) bool) object {
	r.tb.Helper()
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	for {
		r.mu.Lock()
		more, got := r.more, slices.Clone(r.got)
		r.mu.Unlock()
		for _, n := range got {
			if is(n["resourceData"]) {
				o, _ := n["resourceData"].(object)
				return o
			}
		}
		select {
		case <-more:
		case <-deadline.C:
			r.tb.Fatalf("no notification that %s in %v\n%s", what, got, r.logs)
		}
	}
}

// ended waits for the end of an operation.
func (r *rig) ended(id string) object {
	r.tb.Helper()
	return r.wait(id+" has ended", func(res any) bool { return at(res, "id") == id })
}

// wantEnd wants an operation to end so.
func (r *rig) wantEnd(id string, code, subcode int) object {
	r.tb.Helper()
	got := r.ended(id)
	if at(got, "resultInfo", "code") != float64(code) || at(got, "resultInfo", "subcode") != float64(subcode) {
		r.tb.Errorf("got %v, want %d/%d\n%s", got["resultInfo"], code, subcode, r.logs)
	}
	return got
}

// do makes a request.
func (r *rig) do(method, url, token, body string) (int, []byte) {
	r.tb.Helper()
	if !strings.HasPrefix(url, "http") {
		url = r.url + url
	}
	req, err := http.NewRequestWithContext(context.Background(), method, url, strings.NewReader(body))
	if err != nil {
		r.tb.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	req.Header.Set("Content-Type", "application/json")
	w, err := r.client.Do(req)
	if err != nil {
		r.tb.Fatal(err)
	}
	defer w.Body.Close()
	data, err := io.ReadAll(w.Body)
	if err != nil {
		r.tb.Fatal(err)
	}
	return w.StatusCode, data
}

// must makes a request, wants a status, and returns the answer.
func (r *rig) must(want int, method, url, token, body string) object {
	r.tb.Helper()
	status, data := r.do(method, url, token, body)
	if status != want {
		r.tb.Fatalf("%s %s: got %d, want %d: %s\n%s", method, url, status, want, data, r.logs)
	}
	var o object
	if len(data) > 0 && json.Unmarshal(data, &o) != nil {
		return nil
	}
	return o
}

// createBody is the wish for a call.
func createBody(callback string) string {
	return `{"callbackUri":"` + callback + `","requestedModalities":["audio"],
		"targets":[{"identity":{"phone":{"id":"+12345678901"}}}],
		"mediaConfig":{"@odata.type":"#microsoft.graph.serviceHostedMediaConfig"}}`
}

// phone is a call of a rig's.
type phone struct {
	*rig

	id string
}

// call makes a call.
func (r *rig) call() *phone {
	r.tb.Helper()
	a := r.must(201, "POST", "/v1.0/communications/calls", "bot", createBody(r.callback))
	id, _ := a["id"].(string)
	return &phone{r, id}
}

// act asks for an action, and returns the operation's id.
func (p *phone) act(action, body string) string {
	p.tb.Helper()
	a := p.must(200, "POST", "/v1.0/communications/calls/"+p.id+"/"+action, "bot", body)
	id, _ := a["id"].(string)
	return id
}

func (p *phone) play(uri string, loop bool) string {
	p.tb.Helper()
	return p.act("playPrompt", playBody(uri, loop))
}

func playBody(uri string, loop bool) string {
	body, _ := json.Marshal(object{"loop": loop, "prompts": []any{object{
		"@odata.type": "#microsoft.graph.mediaPrompt",
		"mediaInfo":   object{"@odata.type": "#microsoft.graph.mediaInfo", "uri": uri},
	}}})
	return string(body)
}

func (p *phone) press(keys string) {
	p.tb.Helper()
	p.must(204, "POST", "/dev/calls/"+p.id+"/tones", "bot", `{"tones":"`+keys+`"}`)
}

// heard returns what the caller has heard so far.
func (p *phone) heard() []int16 {
	p.tb.Helper()
	status, data := p.do("GET", "/dev/calls/"+p.id+"/heard.wav", "bot", "")
	if status != 200 {
		p.tb.Fatalf("heard.wav: got %d", status)
	}
	if len(data) <= 44 { // no samples yet
		return nil
	}
	return decode(p.tb, data)
}

// hears waits until the caller has heard so much.
func (p *phone) hears(d time.Duration) {
	p.tb.Helper()
	until(p.tb, d.String()+" were heard", func() bool { return len(trim(p.heard())) >= media.Samples(d) })
}

// patient are the times of a record that ends with something else, on a machine that is held up, too.
const patient = `"initialSilenceTimeoutInSeconds":60,"maxSilenceTimeoutInSeconds":60,"maxRecordDurationInSeconds":120`

// speaks waits until a record with a beep has begun, and the caller speaks.
func (p *phone) speaks() {
	p.tb.Helper()
	p.hears(media.BeepTime / 2)
	until(p.tb, "the caller speaks", func() bool {
		status, data := p.do("GET", "/dev/calls/"+p.id+"/said.wav", "bot", "")
		return status == 200 && len(data) > 44 && len(trim(decode(p.tb, data))) > 0
	})
}

// pass has so much time of the engine's pass, which is not the clock's if the machine is held up:
// frames are played to somebody else, and in each instant all calls have theirs.
func (r *rig) pass(d time.Duration) {
	r.tb.Helper()
	r.file("time.wav", sine(400, d))
	r.wantEnd(r.dial(`"phone"`, `"user"`).play("file:time.wav", false), 200, 0) // who is no telephone
}

func decode(tb testing.TB, data []byte) []int16 {
	tb.Helper()
	samples, err := media.ReadWAV(tb.Context(), bytes.NewReader(data))
	if err != nil {
		tb.Fatal(err)
	}
	return samples
}

// trim leaves out silence at the beginning.
func trim(s []int16) []int16 {
	i := slices.IndexFunc(s, func(v int16) bool { return v != 0 })
	return s[max(i, 0):]
}

// sine is a tone of this pitch, whose first sample is not silent.
func sine(pitch float64, d time.Duration) []int16 {
	s := make([]int16, media.Samples(d))
	for i := range s {
		s[i] = int16(8000 * math.Cos(2*math.Pi*pitch*float64(i)/media.Rate))
	}
	return s
}

// file makes a prompt in the folder of prompts.
func (r *rig) file(name string, samples []int16) {
	r.tb.Helper()
	if err := media.WriteWAV(filepath.Join(r.prompts, name), samples); err != nil {
		r.tb.Fatal(err)
	}
}

// frames counts the frames in which a pitch is heard.
func frames(samples []int16, pitch float64) (n int) {
	for frame := range slices.Chunk(samples, media.FrameSamples) {
		re, im, all := 0.0, 0.0, 0.0
		for i, v := range frame {
			x := 2 * math.Pi * pitch * float64(i) / media.Rate
			re, im, all = re+float64(v)*math.Cos(x), im+float64(v)*math.Sin(x), all+float64(v)*float64(v)
		}
		if all > 0 && 2*(re*re+im*im)/(all*float64(len(frame))) > 0.5 {
			n++
		}
	}
	return n
}

// sound leaves out frames of silence. A machine that was held up for too long puts some between two
// others, so what is heard whole in real time is heard whole without them.
func sound(s []int16) (heard []int16) {
	for frame := range slices.Chunk(s, media.FrameSamples) {
		if slices.ContainsFunc(frame, func(v int16) bool { return v != 0 }) {
			heard = append(heard, frame...)
		}
	}
	return heard
}

// recorded returns how many samples of a recording are frames of speech, each after the one before.
// A machine that was held up for too long misses some; it adds none. Anything else is -1.
func recorded(recording, speech []int16) (n int) {
	for frame := range slices.Chunk(recording, media.FrameSamples) {
		frame = trim(frame)
		for len(frame) > 0 && frame[len(frame)-1] == 0 {
			frame = frame[:len(frame)-1]
		}
		if len(frame) == 0 {
			continue
		}
		i := index(speech, frame)
		if i < 0 {
			return -1
		}
		speech = speech[i+len(frame):]
		n += len(frame)
	}
	return n
}

func index(all, part []int16) int {
	for i := 0; i+len(part) <= len(all); i++ {
		if all[i] == part[0] && slices.Equal(all[i:i+len(part)], part) {
			return i
		}
	}
	return -1
}

// notified returns the states and tones that the bot was notified of, those of these calls if some are
// named.
func (r *rig) notified(calls ...any) (states, tones []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, n := range r.got {
		if tone, ok := at(n, "resourceData", "toneInfo", "tone").(string); ok {
			tones = append(tones, tone)
			continue
		}
		named := len(calls) == 0 || slices.Contains(calls, at(n, "resourceData", "id"))
		if state, ok := at(n, "resourceData", "state").(string); ok && named {
			audio, _ := at(n, "resourceData", "mediaState", "audio").(string)
			states = append(states, strings.TrimSpace(state+" "+audio))
		}
	}
	return states, tones
}
