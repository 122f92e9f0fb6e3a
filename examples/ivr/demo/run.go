package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"ivrqueue/examples/ivr/service"
	"ivrqueue/examples/ivr/terminal"
	"ivrqueue/graph"
)

// Options say what is heard in the call.
type Options struct {
	Embedded fs.FS    // the service's prompts
	Prompts  []string // WAV files for the bot to play, instead of welcome and menu
	Caller   []int16  // what the caller says
	Folder   string   // for the files; it must exist

	Palette terminal.Palette // of what is printed
	Bodies  bool             // print each body, too

	Most time.Duration // that the call may take

	// Browse opens a page in a browser, and may block until that is closed. Nil: none is opened.
	Browse func(url string) error
}

// The files that a call leaves.
const (
	HeardFile     = "heard.wav"     // what the caller heard
	SaidFile      = "said.wav"      // what the caller said, as long as that
	RecordingFile = "recording.wav" // what the bot recorded
	PictureFile   = "call.svg"
)

// Run starts a service and a bot, each on a port of this machine, has the bot make its call, and
// ends both. It returns an error where the call does not go as scripted. With Browse it goes on
// after the call until ctx ends.
func Run(ctx context.Context, o Options, stdout io.Writer) error {
	t := &timeline{w: stdout, palette: o.Palette, bodies: o.Bodies}
	folder, err := os.MkdirTemp("", "ivr-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder) //nolint:errcheck // the service has removed its files
	log := slog.New(slog.DiscardHandler)
	svc, err := service.New(ctx, service.Options{
		Tokens:   map[string]graph.Application{token: service.Application("Demo", graph.RoleInitiate)},
		Embedded: o.Embedded, Caller: o.Caller, Dev: true, ShowKeys: true, Folder: folder, Logger: log,
		Establish: service.DefaultEstablish, Audio: answerTime,
		KeepRecordings: service.DefaultKeepRecordings,
	})
	if err != nil {
		return err
	}
	end := func() error {
		const most = 30 * time.Second // it takes none, if the machine has time for it
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), most)
		defer cancel()
		return svc.Shutdown(ctx)
	}
	watched := &watched{service: svc, opened: make(chan struct{})}
	serviceURL, stopService, err := listen(ctx, watched, log)
	if err != nil {
		return errors.Join(err, end())
	}
	defer stopService()

	client := &http.Client{Transport: new(http.Transport)}
	defer client.CloseIdleConnections()
	b := &bot{
		timeline: t, story: new(story), base: serviceURL, token: token, client: client,
		more: make(chan struct{}),
	}
	botURL, stopBot, err := listen(ctx, b.routes(o.Prompts), log)
	if err != nil {
		return errors.Join(err, end())
	}
	defer stopBot()

	t.say("A bot calls somebody, at a service on this machine, in real time.\n"+
		"The service is at %s/v1.0, the bot at %s.\n\n", serviceURL, botURL)
	if o.Browse != nil {
		watched.show(ctx, serviceURL, o.Browse, t)
	}
	err = o.call(ctx, b, botURL)
	if err == nil {
		t.end(o.Folder)
		if o.Browse != nil {
			t.say("\nThe page stays until you press Ctrl-C.\n")
			<-ctx.Done()
		}
	}
	return errors.Join(err, end(), t.failed())
}

// answerTime is from when the callee picks up until the callee speaks: time for the bot to ask for
// a record, on a busy machine, too.
const answerTime = 500 * time.Millisecond

// token is the bot's.
const token = "demo"

// call has the bot make its call.
func (o *Options) call(ctx context.Context, b *bot, botURL string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, o.Most,
		fmt.Errorf("the call is not over after %v", o.Most))
	defer cancel()
	s := &script{bot: b, options: *o, callback: botURL + "/callback"}
	for n, path := range o.Prompts {
		name := filepath.Base(path)
		s.prompts = append(s.prompts, named{
			strings.TrimSuffix(name, ".wav"),
			fmt.Sprintf("%s/prompts/%d/%s", botURL, n, url.PathEscape(name)),
		})
	}
	if len(s.prompts) == 0 {
		s.prompts = []named{{"welcome", "embedded:welcome.wav"}, {"menu", "embedded:menu.wav"}}
	}
	b.timeline.begin()
	return s.play(ctx)
}

// routes is what the bot serves: its callback, and prompts of its own.
func (b *bot) routes(prompts []string) *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("POST /callback", b)
	mux.HandleFunc("GET /prompts/{n}/{name}", func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(r.PathValue("n"))
		if err != nil || n < 0 || n >= len(prompts) {
			http.NotFound(w, r)
			return
		}
		http.ServeFile(w, r, prompts[n])
	})
	return mux
}

// end prints the rest: the cancel in full, and where the files are.
func (t *timeline) end(folder string) {
	t.say("\nThe cancel in full, as the page on cancelMediaProcessing has it:\n%s", t.exchanges())
	t.say("\n%s In %s\n", t.palette.Paint(terminal.Good, "The call went as scripted."), folder)
	for _, file := range []struct{ name, what string }{
		{HeardFile, "what the caller heard: it falls silent at the cancel"},
		{SaidFile, "what the caller said meanwhile"},
		{RecordingFile, "what the bot recorded of it"},
		{PictureFile, "a picture of the call: open it in a browser"},
	} {
		t.say("  %s  %s\n", t.palette.Paint(terminal.Strong, fmt.Sprintf("%-13s", file.name)), file.what)
	}
}

// listen serves h on a port of this machine.
func listen(
	ctx context.Context, h http.Handler, l *slog.Logger,
) (url string, stop func(), err error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := service.NewServer(h, l)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener) // ends with Close
	}()
	return "http://" + listener.Addr().String(), func() {
		_ = server.Close()
		<-done
	}, nil
}
